// Many clients that come at the same moment, as after their network was gone: MEMBERS of them were in a room before, lose their
// sockets without a word, and resume their connections; the others are new. All sockets are opened at once, while somebody who
// watches the room already asks for a heartbeat's echo again and again. It says how long all of them took, how long he waited at
// most, how much memory of the server's they took meanwhile, and whom he saw leave in the SECONDS after the loss, which should
// be more than the server's grace period. It fails if anybody failed to come, did not get his connection back, or left.
//
//   node storm.mjs PORT PID COUNT [MEMBERS [SECONDS]]

import { readFileSync } from "node:fs";
import WebSocket from "ws";

const [port, pid, count, memberCount = 0, seconds = 16] = process.argv.slice(2).map(Number);
const url = `ws://127.0.0.1:${port}/?v=3&key=presence.development:not-a-secret&heartbeats=true&clientId=`;
const memory = (field) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const channel = "room::$chat";

// A socket with the first frame that came on it, which should be CONNECTED.
function open(id, resume = "") {
  const socket = new WebSocket(`${url}${id}${resume && `&resume=${resume}`}`, { perMessageDeflate: false, handshakeTimeout: 60_000 });
  return new Promise((resolve, reject) => {
    socket.once("message", (text) => {
      socket.connected = JSON.parse(text);
      socket.connected.action === 4 ? resolve(socket) : reject(new Error(`${text}`));
    });
    socket.once("error", reject);
  });
}
// Sends a frame and waits for one of the action that answers it.
function ask(socket, frame, answer) {
  socket.send(JSON.stringify(frame));
  return new Promise((resolve) => {
    const look = (text) => JSON.parse(text).action === answer && (socket.off("message", look), resolve());
    socket.on("message", look);
  });
}

const there = await open("there");
let longest = 0;
let asked = 0;
const entered = new Set();
const left = new Set();
there.on("message", (text) => {
  const frame = JSON.parse(text);
  for (const { action, clientId } of frame.presence ?? []) (action === 3 ? left : entered).add(clientId);
  if (frame.action !== 0) return;
  longest = Math.max(longest, performance.now() - asked);
  asked = performance.now();
  there.send('{"action":0,"id":"x"}');
});
await ask(there, { action: 10, channel }, 11);

const ids = Array.from({ length: memberCount }, (_, i) => `member-${i}`);
const members = [];
for (const id of ids) {
  const socket = await open(id);
  // Without PRESENCE_SUBSCRIBE: members who watch each other are not what is measured here.
  await ask(socket, { action: 10, channel, flags: 1 << 16 }, 11);
  await ask(socket, { action: 14, channel, msgSerial: 0, presence: [{ action: 2 }] }, 1);
  members.push(socket);
}
while (entered.size < memberCount) await pause(10);

asked = performance.now();
there.send('{"action":0,"id":"x"}');
await pause(500);
const quiet = longest;
longest = 0;
const before = memory("RssAnon");
const lost = performance.now();
for (const socket of members) socket.terminate();
await pause(200);
let another = 0; // resumed, and given another connection
const started = performance.now();
async function comeBack(socket, id) {
  const { connectionId, connectionDetails } = socket.connected;
  const again = await open(id, connectionDetails.connectionKey);
  if (again.connected.connectionId !== connectionId) ++another;
  await ask(again, { action: 10, channel, flags: 1 << 16 }, 11);
}
const results = await Promise.allSettled([
  ...members.map((socket, i) => comeBack(socket, ids[i])),
  ...Array.from({ length: count - memberCount }, (_, i) => open(`user-${i}`)),
]);
const took = performance.now() - started;
const failed = results.filter(({ status }) => status === "rejected").length;
console.log(`${count} at once: ${failed} failed, ${took.toFixed(0)} ms; who was there waited ${longest.toFixed(0)} ms at most ` +
  `(${quiet.toFixed(0)} before); ${memory("RssAnon") - before} KB more, at most ${memory("VmHWM")} KB in all`);
if (memberCount > 0) {
  await pause(lost + seconds * 1000 - performance.now());
  console.log(`${memberCount} of them resumed: ${another} on another connection; ${left.size} were seen to leave`);
}
process.exit(failed + another + left.size > 0 ? 1 : 0);
