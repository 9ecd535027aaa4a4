// What the published clients see of each fault that `presence serve --faults` makes on request.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ChatClient } from "@ably/chat";
import * as Ably from "ably";
import { serve, stop, until } from "./server.mjs";

const ROOM = "my-room::$chat"; // the channel of the room

// A user, in the room unless told otherwise.
async function join(server, more, clientId, { attach = true, ...options } = {}) {
  const realtime = new Ably.Realtime({ ...server.options, ...more, clientId, logLevel: 0, disconnectedRetryTimeout: 100, ...options });
  const chat = new ChatClient(realtime);
  const room = await chat.rooms.get("my-room");
  const told = [];
  room.presence.subscribe(({ type, member }) => told.push(`${type} ${member.clientId}`));
  if (attach) await room.attach();
  return { realtime, connection: realtime.connection, room, presence: room.presence, told, channel: realtime.channels.get(ROOM) };
}

// A client for anybody, and how many he has entered.
async function crowd(server, more, count) {
  const { clientId, ...options } = server.options; // for anybody
  const realtime = new Ably.Realtime({ ...options, ...more, logLevel: 0 });
  const channel = realtime.channels.get(ROOM);
  await channel.attach();
  await Promise.all(Array.from({ length: count }, (_, i) => channel.presence.enterClient(`user-${i}`)));
  return realtime;
}

async function fault(server, body) {
  const response = await fetch(`http://127.0.0.1:${server.options.port}/faults`, { method: "POST", body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

async function checked(more, flags, check) {
  const server = await serve("--faults", ...flags);
  const users = [];
  const enter = async (...of) => {
    const user = await join(server, more, ...of);
    users.push(user.realtime);
    return user;
  };
  await check({ server, join: enter, fault: (body) => fault(server, body), crowd: async (n) => users.push(await crowd(server, more, n)) });
  for (const realtime of users) realtime.close();
  await stop(server);
}

export const faultChecks = {
  "the sample of docs/serve.md on faults": (more) => checked(more, [], async ({ server, join }) => {
    const page = readFileSync(new URL("../../docs/serve.md", import.meta.url), "utf8");
    const [sample] = /test\('.*?^}\);$/ms.exec(page);
    const tests = [];
    const run = new Function("test", "assert", "join", "port", sample);
    run((_, body) => tests.push(body), assert, async (clientId) => (await join(clientId)).room, server.options.port);
    assert.equal(tests.length, 1);
    await tests[0]();
  }),
  "fault drop: who comes back in time was never gone": (more) => checked(more, [], async ({ join, fault }) => {
    const alice = await join("alice");
    const bob = await join("bob");
    await bob.presence.enter({ status: "online" });
    await until(() => alice.told.includes("enter bob"));
    const id = bob.connection.id;
    const lost = bob.connection.once("disconnected").catch(() => {});
    await fault({ fault: "drop", clientId: "bob" });
    await Promise.race([lost, bob.connection.whenState("connecting")]);
    await bob.connection.whenState("connected");
    assert.equal(bob.connection.id, id);
    await bob.presence.update({ status: "back" });
    await until(() => alice.told.length === 2);
    assert.deepEqual(alice.told, ["enter bob", "update bob"]);
  }),
  "fault drop, not to be resumed: another connection, and the member is entered again": (more) => checked(more, [], async ({ join, fault }) => {
    const alice = await join("alice");
    const bob = await join("bob");
    await bob.presence.enter();
    await until(() => alice.told.length === 1);
    const id = bob.connection.id;
    await fault({ fault: "drop", clientId: "bob", resumable: false });
    await until(() => bob.connection.state === "connected" && bob.connection.id !== id);
    await until(() => alice.told.length === 3);
    assert.deepEqual(alice.told, ["enter bob", "leave bob", "enter bob"]);
  }),
  "fault delay: what one asks for waits, in its order": (more) => checked(more, [], async ({ server, join, fault }) => {
    const alice = await join("alice");
    const bob = await join("bob");
    await fault({ fault: "delay", clientId: "bob", ms: 200 });
    let answered = false;
    const entered = bob.presence.enter().then(() => (answered = true));
    await alice.presence.enter(); // overtakes
    assert.equal(answered, false);
    await entered;
    await until(() => alice.told.length === 2);
    assert.deepEqual(alice.told, ["enter alice", "enter bob"]);
    await fetch(`http://127.0.0.1:${server.options.port}/faults`, { method: "DELETE" });
    await bob.presence.update();
  }),
  "fault refuse: the next operation fails with the code, and the one after it does not": (more) => checked(more, [], async ({ join, fault }) => {
    const bob = await join("bob");
    await fault({ fault: "refuse", clientId: "bob", code: 42910, message: "too fast" });
    await assert.rejects(bob.presence.enter(), (error) => error.code === 42910 && error.statusCode === 429 && error.message.includes("too fast"));
    await bob.presence.enter();
  }),
  "fault forget-room: its members are entered again, and nobody is seen to leave by word of the server": (more) => checked(more, [], async ({ join, fault }) => {
    const alice = await join("alice");
    const bob = await join("bob");
    await bob.presence.enter({ n: 1 });
    await until(() => alice.told.length === 1);
    const attached = new Promise((resolve) => alice.channel.once("attached", resolve));
    assert.equal((await fault({ fault: "forget-room", room: ROOM })).connections, 2);
    await attached;
    await until(async () => (await alice.presence.get()).some((member) => member.clientId === "bob"));
    await bob.presence.update({ n: 2 });
    await until(() => alice.told.at(-1) === "update bob");
  }),
  "fault cut-sync: the client comes again and finds everybody": (more) => checked(more, [], async ({ join, fault, crowd }) => {
    await crowd(250);
    await fault({ fault: "cut-sync", clientId: "bob", pages: 1 });
    const bob = await join("bob", { attach: false });
    let losses = 0;
    bob.connection.on("disconnected", () => ++losses);
    bob.connection.on("connecting", () => ++losses);
    await bob.room.attach();
    await until(async () => bob.connection.state === "connected" && (await bob.presence.get()).length === 250);
    assert.ok(losses > 0);
  }),
  "fault stale-page: a page comes again after its sync": (more) => checked(more, [], async ({ join, fault, crowd }) => {
    await crowd(150);
    const bob = await join("bob", { attach: false });
    const pages = [];
    const protocol = bob.connection.connectionManager;
    const onMessage = protocol.onChannelMessage.bind(protocol);
    protocol.onChannelMessage = (message, transport) => {
      if (message.action === 16) pages.push(message.presence[0].clientId);
      return onMessage(message, transport);
    };
    await fault({ fault: "stale-page", clientId: "bob" });
    await bob.room.attach();
    await until(() => pages.length === 3);
    assert.equal(pages[0], pages[2]);
    assert.notEqual(pages[0], pages[1]);
  }),
  "fault silence: nothing is answered until the client comes again": (more) => checked(more, [], async ({ join, fault }) => {
    const bob = await join("bob", { realtimeRequestTimeout: 500 });
    const id = bob.connection.id;
    await fault({ fault: "silence", clientId: "bob" });
    let answered = false;
    const entered = bob.presence.enter().then(() => (answered = true));
    await assert.rejects(bob.connection.ping());
    assert.equal(answered, false);
    // The client does not take that for a loss by itself.
    bob.connection.connectionManager.disconnectAllTransports();
    await entered;
    assert.equal(bob.connection.id, id);
  }),
  "fault jump: who is lost has left by now": (more) => checked(more, ["--grace=5m"], async ({ join, fault }) => {
    const alice = await join("alice");
    const bob = await join("bob", { disconnectedRetryTimeout: 60_000 });
    await bob.presence.enter();
    await until(() => alice.told.length === 1);
    // Lost for long: there is nobody to come back to.
    bob.connection.connectionManager.tryATransport = () => {};
    await fault({ fault: "drop", clientId: "bob" });
    await fault({ fault: "jump", ms: 4 * 60_000 });
    await alice.presence.enter();
    assert.deepEqual(alice.told, ["enter bob", "enter alice"]);
    await fault({ fault: "jump", ms: 2 * 60_000 });
    await until(() => alice.told.length === 3);
    assert.equal(alice.told[2], "leave bob");
  }),
  "faults that are none are refused": (more) => checked(more, [], async ({ server }) => {
    const ask = (body, headers) => fetch(`http://127.0.0.1:${server.options.port}/faults`, { method: "POST", body, headers });
    assert.equal((await ask("{")).status, 400);
    assert.equal((await ask('{"fault":"flood"}')).status, 400);
    assert.equal((await ask('{"fault":"drop","clientId":"nobody"}')).status, 404);
    assert.equal((await ask('{"fault":"jump","ms":0}', { Origin: "https://example.com" })).status, 403);
    assert.equal((await ask('{"fault":"jump","ms":0}', { "X-Forwarded-For": "192.0.2.1" })).status, 403);
  }),
};
