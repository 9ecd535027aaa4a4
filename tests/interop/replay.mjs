// Runs `presence replay` and reads what it prints.

import { spawnSync } from "node:child_process";
import { Action } from "./protocol.mjs";

// Replays the trace files in one process. Returns one result per file, { records, state, syncing, members } with payloads as
// on the wire, or { error } for all if the command failed or takes longer than a minute.
export function replay(presence, files) {
  const run = spawnSync(presence, ["replay", "--check", ...files], { encoding: "utf8", maxBuffer: 2 ** 30, timeout: 60_000 });
  if (run.status !== 0) {
    const error = `presence replay --check: ${run.error?.message ?? `status ${run.status ?? run.signal}`}\n${run.stderr ?? ""}`;
    return files.map(() => ({ error }));
  }
  const results = [];
  let records = [];
  for (const text of run.stdout.split("\n")) {
    if (text === "") continue;
    const line = JSON.parse(text);
    if (line.end === undefined) {
      const record = toRecord(line);
      if (record !== undefined) records.push(record);
      continue;
    }
    results.push({
      records, state: line.end.state, syncing: line.end.sync === "in_progress", members: line.end.members,
    });
    records = [];
  }
  if (results.length !== files.length) {
    throw new Error(`${files.length} traces gave ${results.length} end lines: each must be about one channel`);
  }
  return results;
}

function toRecord(output) {
  const { line } = output;
  if (output.event !== undefined) {
    const { event, clientId, connectionId, id, timestamp, data, encoding, extras } = output;
    return { line, event, clientId, connectionId, id, timestamp, data, encoding, extras };
  }
  if (output.result !== undefined) {
    const answer = output.ok ? { members: output.members } : { code: output.error.code };
    return { line, get: output.result, ...answer };
  }
  if (output.state !== undefined) return { line, state: output.state };
  if (output.update !== undefined) return { line, update: { resumed: output.update.resumed } };
  if (output.send?.action === Action.ATTACH) return { line, sent: "ATTACH" };
  if (output.send?.action === Action.DETACH) return { line, sent: "DETACH" };
  return undefined;  // own members and syncs, of which the client shows nothing
}
