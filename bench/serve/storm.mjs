// Many clients that come at the same moment, as after a restart: all sockets are opened at once, while somebody who is
// there already asks for a heartbeat's echo again and again. It says how long all of them took, how long he waited at most, and
// how much memory of the server's they took meanwhile.
//
//   node storm.mjs PORT PID COUNT

import { readFileSync } from "node:fs";
import WebSocket from "ws";

const [port, pid, count] = process.argv.slice(2).map(Number);
const url = `ws://127.0.0.1:${port}/?key=presence.development:not-a-secret&heartbeats=true&clientId=`;
const memory = (field) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

function open(id) {
  const socket = new WebSocket(url + id, { perMessageDeflate: false, handshakeTimeout: 60_000 });
  return new Promise((resolve, reject) => {
    socket.once("message", () => resolve(socket));
    socket.once("error", reject);
  });
}

const there = await open("there");
let longest = 0;
let asked = 0;
there.on("message", () => {
  longest = Math.max(longest, performance.now() - asked);
  asked = performance.now();
  there.send('{"action":0,"id":"x"}');
});
asked = performance.now();
there.send('{"action":0,"id":"x"}');
await new Promise((resolve) => setTimeout(resolve, 500));
const quiet = longest;
longest = 0;
const before = memory("RssAnon");
const started = performance.now();
const results = await Promise.allSettled(Array.from({ length: count }, (_, i) => open(`user-${i}`)));
const took = performance.now() - started;
const failed = results.filter(({ status }) => status === "rejected").length;
console.log(`${count} at once: ${failed} failed, ${took.toFixed(0)} ms; who was there waited ${longest.toFixed(0)} ms at most ` +
  `(${quiet.toFixed(0)} before); ${memory("RssAnon") - before} KB more, at most ${memory("VmHWM")} KB in all`);
process.exit(failed > 0 ? 1 : 0);
