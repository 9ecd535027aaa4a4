// Load for a presence server on this machine; README.md says how it was run.
//
//   node load.mjs PORT PID SHAPE [UPDATES [RATE]]
//
// SHAPE is CONNECTIONS:ROOM:MEMBERS: how many connections, in rooms of how many, of whom so many each are members and the
// others watch. PID is the server's process, of which memory is read. It says bytes of user memory for each connection, joins a
// second, updates told a second, and how long an update takes from its sending to the last who is told, with RATE updates a
// second sent (as fast as they are answered, 16 at a time, unless given).
//
// It speaks the protocol byte by byte, as a client library for each connection would be what is measured.

import { connect } from "node:net";
import { readFileSync } from "node:fs";

const [port, pid, shape, updates = "2000", rate = "0"] = process.argv.slice(2);
const [connections, roomSize, memberCount] = shape.split(":").map(Number);
const key = "presence.development:not-a-secret";

function privateKb() {
  const [, kb] = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(kb);
}
function cpuMs() {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function textFrame(text) {
  const bytes = Buffer.from(text);
  const head = bytes.length < 126 ? Buffer.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0])
    : Buffer.from([0x81, 0x80 | 126, bytes.length >> 8, bytes.length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, bytes]);
}

const marker = Buffer.from('"data":"u');
let told = 0; // frames of updates that came, over all connections
const waiting = new Map(); // by number of the update: {left, sent, done}

class Client {
  constructor(id, onFrame) {
    this.onFrame = onFrame;
    this.rest = null;
    this.open = new Promise((resolve, reject) => {
      this.socket = connect({ port: Number(port), host: "127.0.0.1", noDelay: true });
      this.socket.on("error", reject);
      this.socket.on("data", (data) => this.onData(data));
      this.socket.write(`GET /?v=3&format=json&key=${key}&clientId=${id}&heartbeats=true HTTP/1.1\r\nHost: localhost\r\n` +
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
      this.onConnected = resolve;
    });
  }
  send(frame) {
    this.socket.write(textFrame(JSON.stringify(frame)));
  }
  onData(data) {
    if (this.rest) data = Buffer.concat([this.rest, data]);
    let at = 0;
    if (!this.upgraded) {
      const end = data.indexOf("\r\n\r\n");
      if (end < 0) return void (this.rest = data);
      this.upgraded = true;
      at = end + 4;
    }
    for (;;) {
      if (data.length - at < 2) break;
      let length = data[at + 1] & 127;
      let head = 2;
      if (length === 126) { if (data.length - at < 4) break; length = data.readUInt16BE(at + 2); head = 4; }
      else if (length === 127) { if (data.length - at < 10) break; length = Number(data.readBigUInt64BE(at + 2)); head = 10; }
      if (data.length - at < head + length) break;
      this.onMessage(data.subarray(at + head, at + head + length));
      at += head + length;
    }
    this.rest = at < data.length ? Buffer.from(data.subarray(at)) : null;
  }
  onMessage(bytes) {
    // An update is what comes most: no more of it is read than its number.
    const found = bytes.indexOf(marker);
    if (found >= 0 && bytes[10] === 49 && bytes[11] === 52) {
      ++told;
      const update = waiting.get(parseInt(bytes.latin1Slice(found + marker.length, Math.min(bytes.length, found + marker.length + 12)), 10));
      if (update && --update.left === 0) update.done();
      return;
    }
    const action = parseInt(bytes.latin1Slice(10, Math.min(13, bytes.length)), 10);
    if (action === 4) this.onConnected();
    else if (action === 11) this.onAttached?.();
    else if (action === 1) this.onAcked?.();
  }
}

const now = () => performance.now();
const room = (i) => Math.floor(i / roomSize);
const isMember = (i) => i % roomSize < memberCount;
const clients = [];
const kbBefore = privateKb();
const cpuStart = cpuMs();

// Who joins: connects, attaches, and enters if he is a member; 64 at a time.
const started = now();
let next = 0;
await Promise.all(Array.from({ length: 64 }, async () => {
  for (let i; (i = next++) < connections;) {
    const client = new Client(`user-${i}`);
    clients[i] = client;
    await client.open;
    const channel = `room-${room(i)}::$chat`;
    await new Promise((resolve) => { client.onAttached = resolve; client.send({ action: 10, channel }); });
    client.serial = 0;
    if (!isMember(i)) continue;
    await new Promise((resolve) => {
      client.onAcked = resolve;
      client.send({ action: 14, channel, msgSerial: client.serial++, presence: [{ action: 2, data: "online" }] });
    });
  }
}));
const joined = now() - started;
const cpuJoined = cpuMs();
await new Promise((resolve) => setTimeout(resolve, 3000));
const kb = privateKb() - kbBefore;

// Updates: each counts as told when all in its room have it, who sent it included.
const members = clients.map((_, i) => i).filter(isMember);
const times = [];
told = 0;
const cpuUpdates = cpuMs();
const begun = now();
let update = 0;
async function sendOne() {
  const number = update++;
  const i = members[Math.floor(Math.random() * members.length)];
  const client = clients[i];
  const inRoom = Math.min(roomSize, connections - room(i) * roomSize);
  await new Promise((done) => {
    waiting.set(number, { left: inRoom, done });
    client.sentAt = now();
    const sent = client.sentAt;
    client.send({ action: 14, channel: `room-${room(i)}::$chat`, msgSerial: client.serial++, presence: [{ action: 4, data: `u${number}` }] });
    waiting.get(number).sent = sent;
  });
  times.push(now() - waiting.get(number).sent);
  waiting.delete(number);
}
if (Number(rate) > 0) {
  const all = [];
  for (let i = 0; i < Number(updates); ++i) {
    const due = begun + (i * 1000) / Number(rate);
    if (due > now()) await new Promise((resolve) => setTimeout(resolve, due - now()));
    all.push(sendOne());
  }
  await Promise.all(all);
} else {
  await Promise.all(Array.from({ length: 16 }, async () => { while (update < Number(updates)) await sendOne(); }));
}
const took = now() - begun;
const cpuSpent = cpuMs() - cpuUpdates;
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
console.log([
  shape,
  `${((kb * 1024) / connections).toFixed(0)} bytes a connection`,
  `${((connections * 1000) / joined).toFixed(0)} joins/s (${(cpuJoined - cpuStart) / 1000} s of CPU)`,
  `${((told * 1000) / took).toFixed(0)} told/s (${((1000 * cpuSpent) / told).toFixed(1)} us of CPU each)`,
  `p50 ${at(0.5)} ms, p99.9 ${at(0.999)} ms`,
].join("; "));
process.exit(0);
