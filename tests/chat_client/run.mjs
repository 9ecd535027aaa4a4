// Runs the published chat client, unchanged, against `presence serve`. See README.md.
//
//   node run.mjs PRESENCE_SERVE

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ChatClient } from "@ably/chat";
import * as Ably from "ably";
import { faultChecks } from "./fault_checks.mjs";
import { sandboxChecks } from "./sandbox_checks.mjs";
import { PATIENCE_MS, children, serve, stop, until } from "./server.mjs";

// A user in this process, in the room, with what he was told.
class User {
  static async join(server, clientId, more = {}) {
    const user = new User();
    user.realtime = new Ably.Realtime({ ...server.options, ...more, clientId, logLevel: 0 });
    user.chat = new ChatClient(user.realtime);
    user.room = await user.chat.rooms.get("my-room");
    user.told = [];
    user.discontinuities = 0;
    user.room.onDiscontinuity(() => ++user.discontinuities);
    user.room.presence.subscribe(({ type, member }) => {
      user.told.push({ type, clientId: member.clientId, data: member.data });
    });
    await user.room.attach();
    return user;
  }
  toldOf(clientId) {
    return this.told.filter((event) => event.clientId === clientId).map((event) => event.type);
  }
  // Waits until he was told of the events of somebody, and then of nothing more of him.
  async isTold(clientId, types) {
    await until(() => this.toldOf(clientId).length >= types.length);
    assert.deepEqual(this.toldOf(clientId), types);
  }
  async leave() {
    await this.chat.dispose();
    this.realtime.close();
    await this.realtime.connection.whenState("closed");
  }
}

function startOther(options, ...more) {
  const script = fileURLToPath(new URL("one_user.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(options), ...more], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.add(child);
  child.stdout.setEncoding("utf8");
  child.said = "";
  child.stdout.on("data", (text) => (child.said += text));
  return child;
}

const checks = {
  async "the page's example, beside another user"(more) {
    const server = await serve();
    const bob = await User.join(server, "bob-456", more);
    await bob.room.presence.enter({ status: "online" });
    const alice = startOther({ ...server.options, ...more, clientId: "alice" });
    const [status] = await once(alice, "close");
    assert.equal(status, 0);
    // Whether bob was there before she subscribed, or came with the members who were, is a matter of luck.
    let said = alice.said.replace("present: bob-456\nData: { status: 'online' }\n", "");
    // So it is whether she finds herself: the client takes an ACK at once and what it is told a little later, even if that came
    // first, where both come in one piece.
    const [, users] = /^([12]) users in room$/m.exec(said);
    assert.ok(users === "1" || said.indexOf("enter: alice") < said.indexOf("2 users in room"));
    said = said.replace(/^[12] users in room\n/m, "");
    assert.equal(
      said,
      `enter: alice
Data: {
  status: 'online',
  nickname: 'Alice',
  avatar: 'https://example.com/alice.png'
}
update: alice
Data: { status: 'away' }
leave: alice
Data: { status: 'away' }
{"isBobHere":true}
`,
    );
    await bob.isTold("alice", ["enter", "update", "leave"]);
    assert.deepEqual(
      bob.told.filter(({ clientId }) => clientId === "alice").map(({ data }) => data.status),
      ["online", "away", "away"],
    );
    await bob.leave();
    await stop(server);
  },

  async "who loses his connection and comes back in time was never gone"(more) {
    const server = await serve("--grace=5m");
    const bob = await User.join(server, "bob", more);
    const carol = await User.join(server, "carol", more);
    await carol.room.presence.enter({ n: 1 });
    await bob.isTold("carol", ["enter"]);
    const id = carol.realtime.connection.id;
    carol.realtime.connection.connectionManager.disconnectAllTransports();
    await carol.realtime.connection.whenState("connecting");
    await carol.realtime.connection.whenState("connected");
    assert.equal(carol.realtime.connection.id, id);
    await carol.room.presence.update({ n: 2 });
    await bob.isTold("carol", ["enter", "update"]);
    assert.equal(carol.discontinuities, 0);
    await bob.leave();
    await carol.leave();
    await stop(server);
  },

  async "who does not come back has left, once"(more) {
    const server = await serve("--grace=300ms");
    const bob = await User.join(server, "bob", more);
    const alice = startOther({ ...server.options, ...more, clientId: "alice" }, "stay");
    await bob.isTold("alice", ["enter", "update"]);
    alice.kill("SIGKILL");
    await once(alice, "close");
    await bob.isTold("alice", ["enter", "update", "leave"]);
    assert.equal((await bob.room.presence.get()).length, 0);
    await bob.leave();
    await stop(server);
  },

  async "a server that ends is gone for a while, and members enter the next one again"(more) {
    const first = await serve();
    const listen = `--listen=127.0.0.1:${first.options.port}`;
    const carol = await User.join(first, "carol", { ...more, disconnectedRetryTimeout: 200 });
    await carol.room.presence.enter({ n: 1 });
    await stop(first);
    const second = await serve(listen);
    const bob = await User.join(second, "bob", more);
    await until(() => bob.room.presence.isUserPresent("carol"));
    assert.deepEqual((await bob.room.presence.get())[0].data, { n: 1 });
    await carol.leave();
    await bob.leave();
    await stop(second);
  },

  async "the samples of docs/serve.md"(more) {
    const page = readFileSync(new URL("../../docs/serve.md", import.meta.url), "utf8");
    const samples = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, sample]) => sample);
    assert.equal(samples.length, 3); // the third is in fault_checks.mjs
    const server = await serve();
    const bob = await User.join(server, "bob", more);
    const [client, token] = samples.map((sample) =>
      sample.replace(/^import .*\n/gm, "").replace(/port: \d+/, `port: ${server.options.port}`));
    const AsyncFunction = (async () => {}).constructor;
    const chat = await new AsyncFunction("Ably", "ChatClient", `${client}\nreturn chatClient;`)(Ably, ChatClient);
    await bob.isTold("alice", ["enter"]);
    const tokenFor = new Function("createHmac", `${token}\nreturn tokenFor;`)(createHmac);
    const carol = await User.join({ options: { ...server.options, key: undefined } }, "carol", { ...more, token: tokenFor("carol") });
    await carol.room.presence.enter();
    await bob.isTold("carol", ["enter"]);
    const told = (await bob.room.presence.get()).map(({ clientId, userClaim }) => [clientId, userClaim]);
    assert.deepEqual(told, [["alice", undefined], ["carol", "moderator"]]);
    await chat.dispose();
    chat.realtime.close();
    await chat.realtime.connection.whenState("closed");
    await carol.leave();
    await bob.leave();
    await stop(server);
  },

  async "a key that is not good is said, and not tried again"(more) {
    const server = await serve();
    const key = server.options.key.replace(/:.*/, ":guess");
    const stranger = new Ably.Realtime({ ...server.options, ...more, key, clientId: "x", logLevel: 0 });
    const { reason } = await stranger.connection.once("failed");
    assert.equal(reason.code, 40101);
    await stop(server);
  },
};

let failed = 0;
const formats = { JSON: { useBinaryProtocol: false }, MessagePack: { useBinaryProtocol: true } };
for (const [format, more] of Object.entries(formats)) {
  for (const [name, check] of Object.entries({ ...checks, ...sandboxChecks, ...faultChecks })) {
    try {
      await Promise.race([check(more), new Promise((_, reject) => setTimeout(reject, 2 * PATIENCE_MS, "it hangs").unref())]);
      console.log(`chat client: ${name}, in ${format}: passed`);
    } catch (error) {
      failed += 1;
      console.error(error);
      console.log(`chat client: ${name}, in ${format}: failed`);
    }
  }
}
process.exit(failed > 0 ? 1 : 0);
