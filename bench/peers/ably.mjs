// What the published client makes of the frames of a trace, from their JSON texts through its own channel:
//
//   node ably.mjs TRACE MEMBERS
//
// A whole Ably.Realtime, of which only the socket is ours and no timer fires. Timed is what comes after ATTACHED; the client
// goes through a thousand frames before it is asked whether it is done, which is kinder to it than one by one.

import { readFileSync, writeFileSync } from "node:fs";
import Ably from "ably";

const [trace, membersFile] = process.argv.slice(2);
const CONNECTED = 4, ATTACHED = 11, BATCH = 1000;

// As text, and not parsed before it is timed.
const frames = readFileSync(trace, "utf8").split("\n").flatMap((line) => {
  const at = line.indexOf(',"recv":');
  return at < 0 || at > 24 ? [] : [line.slice(at + 8, -1)];
});

let socket = null;
const config = Ably.Realtime.Platform.Config;
config.WebSocket = class {
  constructor() {
    socket = this;
  }
  send() {}
  close() {}
};
config.setTimeout = () => ({});
config.clearTimeout = () => {};

const turn = () => new Promise((resolve) => setImmediate(resolve));

const client = new Ably.Realtime({ key: "app.key:secret", autoConnect: false, useBinaryProtocol: false, logLevel: 0 });
const manager = client.connection.connectionManager;

async function idle() {
  const work = manager.pendingChannelMessagesState;
  do {
    await turn();
  } while (work.isProcessing || work.queue.length > 0);
}

const first = frames.slice(0, 2).map((text) => JSON.parse(text));
if (first[0].action !== CONNECTED || first[1].action !== ATTACHED) throw new Error("the trace begins otherwise");
const channel = client.channels.get(first[1].channel, { attachOnSubscribe: false });
let events = 0;
channel.presence.subscribe(() => void ++events);
client.connect();
while (socket?.onmessage === undefined || socket.onmessage === null) await turn();
socket.onopen();
socket.onmessage({ data: frames[0] });
await idle();
channel.attach().catch(() => {});
await idle();
socket.onmessage({ data: frames[1] });
await idle();
if (channel.state !== "attached") throw new Error(`the channel is ${channel.state}`);

const start = performance.now();
for (let i = 2; i < frames.length; i += BATCH) {
  for (const data of frames.slice(i, i + BATCH)) socket.onmessage({ data });
  await idle();
}
const seconds = (performance.now() - start) / 1000;

const members = await channel.presence.get({ waitForSync: false });
writeFileSync(membersFile, members.map(({ connectionId, clientId, id, timestamp, data }) =>
  JSON.stringify({ connectionId, clientId, id, timestamp, data })).join("\n") + "\n");
console.log(JSON.stringify({ frames: frames.length, events, members: members.length, seconds }));
process.exit(0);
