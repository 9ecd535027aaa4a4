// Runs the peers in turn on one trace, checks that all come to the same members, and prints medians and ratios:
//
//   node run.mjs FRAMES_BENCH TRACE TURNS

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [program, trace, turns] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "peers-"));

const peers = [
  { name: "ours", command: [program, "ours"] },
  { name: "std::unordered_map by hand", command: [program, "by-hand"] },
  { name: "ably-js 2.28.0", command: [process.execPath, join(here, "ably.mjs")] },
];

// The client decodes data, the others do not.
function record(line) {
  const { connectionId, clientId, id, timestamp, data, encoding } = JSON.parse(line);
  const decoded = encoding === "json" ? JSON.parse(data) : encoding === "" && data === "" ? undefined : data;
  return JSON.stringify([connectionId, clientId, id, timestamp, decoded ?? null]);
}

function play(peer) {
  const file = join(folder, "members");
  const [command, ...args] = peer.command;
  const result = JSON.parse(execFileSync(command, [...args, trace, file], { maxBuffer: 1 << 28 }));
  const members = readFileSync(file, "utf8").trim().split("\n").map(record).sort().join("\n");
  return { ...result, members };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

try {
  for (let turn = 0; turn < Number(turns); ++turn) {
    let reference = null;
    for (const peer of peers) {
      const result = play(peer);
      reference ??= result.members;
      if (result.members !== reference) throw new Error(`${peer.name} comes to other members`);
      (peer.seconds ??= []).push(result.seconds);
      Object.assign(peer, { events: result.events, frames: result.frames });
    }
  }
  const ours = median(peers[0].seconds);
  console.log("| peer | frames/s, median | least to most | events | ours is so many times as fast |");
  console.log("|---|---|---|---|---|");
  for (const { name, seconds, events, frames } of peers) {
    const speed = (time) => Math.round(frames / time).toLocaleString("en-US");
    console.log(`| ${name} | ${speed(median(seconds))} | ${speed(Math.max(...seconds))} to ${speed(Math.min(...seconds))} ` +
      `| ${events} | ${(median(seconds) / ours).toFixed(2)} |`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
