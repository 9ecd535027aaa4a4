// Compares `presence replay` with the published client over random traces, or over given ones. See README.md.

import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { playToClient } from "./client.mjs";
import { generateTrace } from "./generate.mjs";
import { judge } from "./judge.mjs";
import { replay } from "./replay.mjs";
import { FAULTS } from "./rules.mjs";
import { SABOTAGES } from "./sabotage.mjs";

const USAGE = `usage: node run.mjs --presence=PATH [OPTIONS]
  --presence   the presence command to judge
  --count      how many random traces, 1000 unless given
  --seed       the number of the first one, 1 unless given; each trace is a function of its number
  --trace      this trace instead of random ones; may be given again
  --sabotage   spoil each result of the replay before the comparison: ${Object.keys(SABOTAGES).join(", ")}
  --self-test  every kind of sabotage must be noticed in every trace that it changes
  --print      only print the traces, as JSON Lines`;

const BATCH = 50;  // traces per process of the command
const SHOWN = 10;  // failures told in full
const failuresFolder = fileURLToPath(new URL("failures", import.meta.url));

function parse() {
  try {
    const { values } = parseArgs({
      options: {
        presence: { type: "string" },
        count: { type: "string", default: "1000" },
        seed: { type: "string", default: "1" },
        trace: { type: "string", multiple: true, default: [] },
        sabotage: { type: "string" },
        "self-test": { type: "boolean", default: false },
        print: { type: "boolean", default: false },
      },
    });
    const count = Number(values.count);
    const seed = Number(values.seed);
    if (!Number.isInteger(count) || count < 1) throw new Error("--count must be a number above 0");
    if (!Number.isInteger(seed)) throw new Error("--seed must be a number");
    if (values.sabotage && !(values.sabotage in SABOTAGES)) throw new Error(`no such sabotage: ${values.sabotage}`);
    if (!values.print) {
      if (!values.presence) throw new Error("--presence is missing");
      accessSync(values.presence, constants.X_OK);
    }
    return { ...values, count, seed };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

function* traces({ trace, seed, count }) {
  for (const file of trace) {
    const texts = readFileSync(file, "utf8").split(/\r?\n/).filter((text) => text.trim() !== "");
    yield { name: file, lines: texts.map((text) => JSON.parse(text)) };
  }
  if (trace.length > 0) return;
  for (let number = seed; number < seed + count; ++number) {
    yield { name: `trace ${number}`, number, lines: generateTrace(number) };
  }
}

function toText(lines) {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

// The traces' verdicts, in batches: [{ trace, verdict, changed: false if the sabotage left it as it was }].
async function* judged(options, sabotage) {
  const folder = mkdtempSync(join(tmpdir(), "presence-interop-"));
  try {
    let batch = [];
    const all = [...traces(options)];
    for (const [index, trace] of all.entries()) {
      const file = join(folder, `${index}.jsonl`);
      writeFileSync(file, toText(trace.lines));
      batch.push({ trace, file });
      if (batch.length < BATCH && index + 1 < all.length) continue;
      let replayed = replay(options.presence, batch.map(({ file }) => file));
      // One bad trace spoils its batch; alone, each answers for itself.
      if (replayed[0].error) replayed = batch.map(({ file }) => replay(options.presence, [file])[0]);
      for (const [i, { trace, file }] of batch.entries()) {
        const changed = sabotage === undefined || replayed[i].error !== undefined || SABOTAGES[sabotage](replayed[i]);
        yield { trace, changed, verdict: await judgeOne(trace, replayed[i]) };
        rmSync(file);
      }
      batch = [];
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function judgeOne(trace, replayed) {
  try {
    return await judge(trace.lines, replayed, await playToClient(trace.lines));
  } catch (error) {
    return { difference: `the harness failed: ${error.stack}` };
  }
}

function keepFailure(trace, presence) {
  let file = trace.name;
  if (trace.number !== undefined) {
    mkdirSync(failuresFolder, { recursive: true });
    file = join(failuresFolder, `trace-${trace.number}.jsonl`);
    writeFileSync(file, toText(trace.lines));
  }
  const [script, command, path] = [process.argv[1], presence, file].map((name) => relative(process.cwd(), name));
  return `reproduce with: node ${script} --presence=${command} --trace=${path}`;
}

async function compare(options) {
  const counts = Object.fromEntries(Object.keys(FAULTS).map((letter) => [letter, 0]));
  let [total, agreed, known, failed] = [0, 0, 0, 0];
  for await (const { trace, verdict } of judged(options, options.sabotage)) {
    ++total;
    if (verdict.difference !== undefined) {
      if (++failed <= SHOWN) console.log(`${trace.name}: ${verdict.difference}\n${keepFailure(trace, options.presence)}\n`);
    } else if (verdict.faults.length === 0) {
      ++agreed;
    } else {
      ++known;
      for (const letter of verdict.faults) ++counts[letter];
    }
  }
  for (const [letter, what] of Object.entries(FAULTS)) console.log(`${letter}: ${what}`);
  const list = Object.entries(counts).map(([letter, count]) => `${letter}: ${count}`).join(", ");
  console.log(`interop: ${total} traces, ${agreed} agreed, ${known} with known faults (${list}), ${failed} failed`);
  return failed === 0;
}

async function selfTest(options) {
  let good = true;
  for (const sabotage of Object.keys(SABOTAGES)) {
    let [changed, noticed] = [0, 0];
    for await (const { verdict, changed: isChanged } of judged(options, sabotage)) {
      if (!isChanged) continue;
      ++changed;
      if (verdict.difference !== undefined) ++noticed;
    }
    console.log(`self-test: ${sabotage}: noticed in ${noticed} of ${changed} traces`);
    if (changed === 0 || noticed !== changed) good = false;
  }
  console.log(`self-test: ${good ? "passed" : "failed"}`);
  return good;
}

async function main() {
  const options = parse();
  if (options.print) {
    for (const { lines } of traces(options)) process.stdout.write(toText(lines));
    return;
  }
  const good = await (options["self-test"] ? selfTest(options) : compare(options));
  process.exitCode = good ? 0 : 1;
}

await main();
