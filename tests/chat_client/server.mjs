// A server to check clients against.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export const PATIENCE_MS = 60_000; // a check that waits longer for something has failed
export const children = new Set();
process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));

// Starts the server; its options are those that it prints for a client.
export async function serve(...flags) {
  const child = spawn(process.argv[2], flags, { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const printed = /^\s*(\{ key: .*\})$/.exec(line);
    if (printed) return { child, options: new Function(`return ${printed[1]}`)() };
  }
  throw new Error("the server has not said how to connect to it");
}

export async function stop({ child }) {
  child.kill("SIGTERM");
  const [status] = await once(child, "exit");
  assert.equal(status, 0, "the server ends well");
}

// Waits until it holds.
export async function until(condition) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `waited in vain until ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
