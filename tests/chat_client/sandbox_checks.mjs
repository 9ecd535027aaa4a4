// What the suites of the published clients try of presence, tokens and REST, in checks of our own, each with an app that the
// server makes for it.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { ChatClient } from "@ably/chat";
import * as Ably from "ably";
import { serve, stop, until } from "./server.mjs";

const CIPHER = { algorithm: "aes", mode: "cbc", key: "WUP6u0K7MXI5Zeo0VppPwg==" };
const APP = {
  limits: { presence: { maxMembers: 250 } },
  keys: [
    {},
    { capability: JSON.stringify({ "a:*": ["subscribe"], "a:b": ["presence"] }) },
    { capability: JSON.stringify({ "[*]*": ["*"] }) },
  ],
  namespaces: [{ id: "persisted", persisted: true }],
  channels: [
    {
      name: "persisted:fixtures",
      presence: [
        { clientId: "text", data: "true" },
        { clientId: "json", data: '{"a":{"b":1}}', encoding: "json" },
        {
          clientId: "secret",
          data: "HO4cYSP8LybPYBPZPHQOtuD53yrD3YV3NBoTEYBh4U0N1QXHbtkfsDfTspKeLQFt",
          encoding: "json/utf-8/cipher+aes-128-cbc/base64",
        },
      ],
    },
  ],
};

const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

// An app, and the clients of one check.
class Sandbox {
  static async make(format) {
    const sandbox = new Sandbox();
    sandbox.format = format;
    sandbox.clients = [];
    sandbox.server = await serve("--sandbox");
    const { endpoint, port } = sandbox.server.options;
    sandbox.url = `http://${endpoint}:${port}`;
    const response = await fetch(`${sandbox.url}/apps`, { method: "POST", body: JSON.stringify(APP) });
    assert.equal(response.status, 201);
    sandbox.app = await response.json();
    assert.equal(sandbox.app.keys.length, APP.keys.length);
    assert.equal(sandbox.app.namespaces.length, APP.namespaces.length);
    sandbox.rest = new Ably.Rest(sandbox.options());
    return sandbox;
  }
  options(more = { key: this.app.keys[0].keyStr }) {
    const { endpoint, port, tls } = this.app;
    return { endpoint, port, tls, logLevel: 0, ...this.format, ...more };
  }
  // A client that is connected, or will be; with a key of the app, unless `more` has something else.
  client(more = {}) {
    const shown = ["key", "token", "tokenDetails", "authCallback"].some((name) => name in more);
    const realtime = new Ably.Realtime(
      this.options({ ...(shown ? {} : { key: this.app.keys[0].keyStr }), ...more }),
    );
    this.clients.push(realtime);
    return realtime;
  }
  // One with a token for this client id.
  async withToken(clientId, params = {}) {
    return this.client({ clientId, tokenDetails: await this.rest.auth.requestToken({ clientId, ...params }) });
  }
  jwt(claims, key = this.app.keys[0]) {
    const text = `${base64({ typ: "JWT", alg: "HS256", kid: key.keyName })}.${base64(claims)}`;
    return `${text}.${createHmac("sha256", key.keySecret).update(text).digest("base64url")}`;
  }
  // Channel `name` of a client, attached, and the events that it is told of.
  async watch(name) {
    const channel = this.client().channels.get(name);
    const told = [];
    await channel.presence.subscribe((message) => told.push(message));
    channel.told = told;
    channel.toldOf = (clientId) => told.filter((one) => one.clientId === clientId).map((one) => one.action);
    return channel;
  }
  async end() {
    for (const client of this.clients) client.close();
    await Promise.all(this.clients.map((client) => client.connection.state === "failed" || client.connection.whenState("closed")));
    await stop(this.server);
  }
}

const idsOf = (members) => members.map((member) => member.clientId).sort();
const closed = (client) => (client.close(), client.connection.whenState("closed"));

// Without its connection for so long that the client believes it lost: what it was sent in the meantime it does not know.
async function suspend(client) {
  const manager = client.connection.connectionManager;
  manager.disconnectAllTransports();
  await client.connection.once("disconnected");
  manager.notifyState({ state: "suspended" });
  await client.connection.whenState("suspended");
}

const checks = {
  async "who enters without having attached or connected is in"(sandbox) {
    const watcher = await sandbox.watch("room");
    const early = (await sandbox.withToken("early")).channels.get("room");
    await early.presence.enter("data");
    const later = await sandbox.withToken("later");
    await later.connection.whenState("connected");
    await later.channels.get("room").presence.enter();
    await until(() => watcher.told.length === 2);
    assert.deepEqual(idsOf(await watcher.presence.get()), ["early", "later"]);
    assert.deepEqual(watcher.told.map(({ action, data }) => [action, data]), [["enter", "data"], ["enter", undefined]]);
  },

  async "who enters, detaches and enters again is told of each time"(sandbox) {
    const watcher = await sandbox.watch("room");
    const channel = (await sandbox.withToken("al")).channels.get("room");
    await channel.presence.enter("first");
    await channel.detach();
    await channel.presence.enter("second");
    await until(() => watcher.toldOf("al").length === 3);
    assert.deepEqual(watcher.toldOf("al"), ["enter", "leave", "enter"]);
  },

  async "a channel without a name is 40010"(sandbox) {
    const channel = (await sandbox.withToken("al")).channels.get("");
    // The client rejects a promise of its own, too, which nobody has.
    const ignored = ({ code }) => assert.equal(code, 40010);
    process.on("unhandledRejection", ignored);
    await assert.rejects(channel.presence.enter(), { code: 40010 });
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", ignored);
  },

  async "each change is told once, with its data, and those sent at once in their order"(sandbox) {
    const watcher = await sandbox.watch("room");
    const { presence } = (await sandbox.withToken("al")).channels.get("room");
    await Promise.all([presence.enter("one"), presence.update("two"), presence.leave("three")]);
    await until(() => watcher.told.length === 3);
    for (let i = 0; i < 15; ++i) await presence.update(`${i}`);
    await until(() => watcher.told.length === 18);
    assert.deepEqual(watcher.told.slice(0, 3).map(({ action, data }) => [action, data]),
      [["enter", "one"], ["update", "two"], ["leave", "three"]]);
    assert.deepEqual(watcher.told.slice(3).map(({ data }) => data), [...Array(15).keys()].map(String));
    assert.equal((await watcher.presence.get()).length, 1);
  },

  async "subscribing and asking who is there attach, and wait for all of them"(sandbox) {
    const al = (await sandbox.withToken("al")).channels.get("room");
    await al.presence.enter({ x: 1 });
    const other = sandbox.client().channels.get("room");
    const members = await other.presence.get();
    assert.equal(other.state, "attached");
    assert.deepEqual(members, await al.presence.get());
    assert.deepEqual(members[0].data, { x: 1 });
    const third = await sandbox.watch("room");
    await until(() => third.told.length === 1);
    assert.equal(third.told[0].action, "present");
  },

  async "members are found by client and by connection"(sandbox) {
    const al = await sandbox.withToken("al");
    const bo = await sandbox.withToken("bo");
    for (const client of [al, bo]) await client.channels.get("room").presence.enter();
    const { presence } = bo.channels.get("room");
    await until(async () => (await presence.get()).length === 2);
    assert.deepEqual(idsOf(await presence.get({ clientId: "al" })), ["al"]);
    assert.deepEqual(idsOf(await presence.get({ connectionId: al.connection.id })), ["al"]);
  },

  async "who closes and comes again enters again, and who has closed cannot"(sandbox) {
    const watcher = await sandbox.watch("room");
    const client = await sandbox.withToken("al");
    const { presence } = client.channels.get("room");
    await presence.enter("first");
    await closed(client);
    await assert.rejects(presence.enter(), { code: 80017, statusCode: 400 });
    client.connect();
    await client.connection.whenState("connected");
    await presence.enter("second");
    await until(() => watcher.told.length === 3);
    assert.deepEqual(watcher.toldOf("al"), ["enter", "leave", "enter"]);
  },

  async "the client id of a token is the connection's, before and after it is known"(sandbox) {
    const watcher = await sandbox.watch("room");
    const asked = sandbox.client({
      authCallback: (_, answer) => sandbox.rest.auth.requestToken({ clientId: "asked" }).then((token) => answer(null, token)),
    });
    await asked.connection.whenState("connected");
    assert.equal(asked.auth.clientId, "asked");
    await asked.channels.get("room").presence.enter();
    const { token } = await sandbox.rest.auth.requestToken({ clientId: "given" });
    const given = sandbox.client({ token });
    assert.equal(given.auth.clientId, undefined);
    await given.channels.get("room").presence.enter();
    assert.equal(given.auth.clientId, "given");
    await until(() => watcher.told.length === 2);
    assert.deepEqual(idsOf(watcher.told), ["asked", "given"]);
  },

  async "who attaches again is told who is there now"(sandbox) {
    const { presence } = sandbox.client().channels.get("room");
    await Promise.all([presence.enterClient("one"), presence.enterClient("two")]);
    const channel = sandbox.client().channels.get("room");
    assert.deepEqual(idsOf(await channel.presence.get()), ["one", "two"]);
    await channel.detach();
    await Promise.all([presence.leaveClient("two"), presence.enterClient("three")]);
    const told = [];
    await channel.presence.subscribe((message) => told.push(message));
    await until(() => told.length === 2);
    assert.deepEqual(idsOf(told), ["one", "three"]);
    assert.deepEqual(idsOf(await channel.presence.get()), ["one", "three"]);
  },

  async "who detaches while it is told who is there is detached"(sandbox) {
    const { presence } = sandbox.client().channels.get("room");
    await Promise.all([...Array(200).keys()].map((i) => presence.enterClient(`${i}`)));
    const channel = sandbox.client().channels.get("room");
    await channel.attach();
    await channel.detach();
    assert.equal(channel.state, "detached");
  },

  async "ten who enter while the channel attaches are all in"(sandbox) {
    const client = sandbox.client();
    await client.connection.whenState("connected");
    const channel = client.channels.get("room");
    const attached = channel.attach();
    await Promise.all([...Array(10).keys()].map((i) => channel.presence.enterClient(`client ${i}`, `${i}`)));
    await attached;
    await until(async () => (await channel.presence.get()).length === 10);
  },

  async "who believes that it was away too long goes on as before, or enters again beside what is left"(sandbox) {
    const client = sandbox.client();
    const channel = client.channels.get("room");
    await channel.presence.enterClient("one", "data");
    await until(async () => (await channel.presence.get()).length === 1);
    const before = client.connection.id;
    await suspend(client);
    client.connect();
    await channel.whenState("attached");
    assert.equal(client.connection.id, before);
    assert.deepEqual(idsOf(await channel.presence.get()), ["one"]);
    await suspend(client);
    client.connection.connectionManager.clearConnection();
    client.connect();
    await channel.whenState("attached");
    assert.notEqual(client.connection.id, before);
    await until(async () => (await channel.presence.get()).length === 2);
    const members = await channel.presence.get();
    assert.deepEqual(members.map(({ clientId, data }) => [clientId, data]), [["one", "data"], ["one", "data"]]);
  },

  async "what is left of before leaves when the client wanted, and who has entered again stays"(sandbox) {
    const watcher = await sandbox.watch("room");
    const client = sandbox.client({ transportParams: { remainPresentFor: 300 } });
    const channel = client.channels.get("room");
    await channel.presence.enterClient("one");
    await until(() => watcher.told.length === 1);
    const before = client.connection.id;
    await suspend(client);
    client.connection.connectionManager.clearConnection();
    client.connect();
    await until(() => watcher.told.length === 3);
    const { id: after } = client.connection;
    const [, ...rest] = watcher.told.map(({ action, connectionId }) => `${action} ${connectionId}`);
    assert.deepEqual(rest.sort(), [`enter ${after}`, `leave ${before}`]);
    assert.notEqual(watcher.told.find(({ connectionId }) => connectionId === after).id, watcher.told[0].id);
    assert.deepEqual((await watcher.presence.get()).map(({ connectionId }) => connectionId), [after]);
  },

  async "who was away is told of nothing but what has changed"(sandbox) {
    const main = sandbox.client();
    const channel = main.channels.get("room");
    await channel.presence.subscribe(() => {});
    const others = {};
    for (const id of ["stays", "leaves"]) {
      others[id] = await sandbox.withToken(id);
      await others[id].channels.get("room").presence.enter();
    }
    await until(async () => (await channel.presence.get()).length === 2);
    await suspend(main);
    await assert.rejects(channel.presence.get(), { code: 91005 });
    assert.equal((await channel.presence.get({ waitForSync: false })).length, 2);
    await closed(others.leaves);
    const told = [];
    await assert.rejects(channel.presence.subscribe((message) => told.push([message.action, message.clientId])));
    main.connect();
    await until(() => told.length > 0);
    assert.deepEqual(idsOf(await channel.presence.get()), ["stays"]);
    assert.deepEqual(told, [["leave", "leaves"]]);
  },

  async "a sync that is asked for ends whom the server does not know"(sandbox) {
    const stays = await sandbox.withToken("stays");
    await stays.channels.get("room").presence.enter();
    const client = sandbox.client({ useBinaryProtocol: false });
    const channel = client.channels.get("room");
    assert.equal((await channel.presence.get()).length, 1);
    const item = { clientId: "gone", action: 2 };
    const frame = { action: 14, channel: "room", id: "x:0", connectionId: "x", timestamp: Date.now(), presence: [item] };
    client.connection.connectionManager.activeProtocol.transport.onWsData(JSON.stringify(frame));
    await until(async () => (await channel.presence.get()).length === 2);
    const told = [];
    channel.presence.subscribe((message) => told.push([message.action, message.clientId]));
    channel.sync();
    await until(() => told.length === 1);
    assert.deepEqual(told, [["leave", "gone"]]);
    assert.deepEqual(idsOf(await channel.presence.get()), ["stays"]);
  },

  async "an app has as many members as it asked for, all are told in pages, and no more come in"(sandbox) {
    const { presence } = sandbox.client().channels.get("room");
    await Promise.all([...Array(250).keys()].map((i) => presence.enterClient(`${i}`, `${i}`)));
    await assert.rejects(presence.enterClient("more"), { code: 91003 });
    assert.equal((await sandbox.client().channels.get("room").presence.get()).length, 250);
  },

  async "who is present is read over REST, in pages, by client and by connection"(sandbox) {
    const { presence } = sandbox.rest.channels.get("persisted:fixtures", { cipher: CIPHER });
    const all = await presence.get();
    assert.deepEqual(all.items.map(({ clientId, action }) => [clientId, action]),
      [["text", "present"], ["json", "present"], ["secret", "present"]]);
    assert.deepEqual(all.items.map(({ data }) => data), ["true", { a: { b: 1 } }, { example: { json: "Object" } }]);
    assert.ok(!all.hasNext());
    const first = await presence.get({ limit: 2 });
    assert.deepEqual(idsOf(first.items), ["json", "text"]);
    const next = await first.next();
    assert.deepEqual(idsOf(next.items), ["secret"]);
    assert.equal(await next.next(), null);
    assert.deepEqual(idsOf((await next.first()).items), ["json", "text"]);
    assert.deepEqual(idsOf((await presence.get({ clientId: "json" })).items), ["json"]);
    const { connectionId } = all.items[0];
    assert.equal((await presence.get({ connectionId })).items.length, 3);
    assert.equal((await presence.get({ connectionId: "other" })).items.length, 0);
    assert.ok(Math.abs((await sandbox.rest.time()) - Date.now()) < 60_000);
  },

  async "bytes are the same over REST as they came"(sandbox) {
    const client = await sandbox.withToken("al");
    await client.channels.get("a/b?c").presence.enter(Buffer.from([0, 1, 254]));
    const { items } = await sandbox.rest.channels.get("a/b?c").presence.get();
    assert.deepEqual([...new Uint8Array(items[0].data)], [0, 1, 254]);
  },

  async "there is no history, and what is refused says why"(sandbox) {
    const refused = (promise, code, statusCode) => assert.rejects(promise, { code, statusCode });
    await refused(sandbox.rest.channels.get("room").presence.history(), 40400, 404);
    const guess = new Ably.Rest(sandbox.options({ key: `${sandbox.app.keys[0].keyName}:guess` }));
    await refused(guess.channels.get("room").presence.get(), 40101, 401);
    const limited = new Ably.Rest(sandbox.options({ key: sandbox.app.keys[1].keyStr }));
    await refused(limited.channels.get("room").presence.get(), 40160, 401);
    assert.equal((await limited.channels.get("a:c").presence.get()).items.length, 0);
    await refused(limited.auth.requestToken({ capability: { room: ["*"] } }), 40160, 401);
  },

  async "a token permits what it was asked for and its key permits"(sandbox) {
    const limited = new Ably.Rest(sandbox.options({ key: sandbox.app.keys[1].keyStr }));
    const details = await limited.auth.requestToken({ clientId: "al", capability: { "a:b": ["*"] } });
    assert.equal(details.capability, '{"a:b":["presence","subscribe"]}');
    const client = sandbox.client({ tokenDetails: details });
    await client.channels.get("a:b").presence.enter();
    await assert.rejects(client.channels.get("room").attach(), { code: 40160 });
    await assert.rejects(client.channels.get("a:c").attach(), { code: 40160 });
  },

  async "a signed request gets a token once"(sandbox) {
    const request = await sandbox.rest.auth.createTokenRequest({ clientId: "al", ttl: 60_000 });
    const post = () =>
      fetch(`${sandbox.url}/keys/${request.keyName}/requestToken`, { method: "POST", body: JSON.stringify(request) });
    const details = await (await post()).json();
    assert.equal(details.expires - details.issued, 60_000);
    assert.equal(details.clientId, "al");
    const again = await post();
    assert.equal(again.status, 401);
    assert.equal((await again.json()).error.code, 40105);
  },

  async "a token that expires is renewed, and nobody is seen to leave"(sandbox) {
    const watcher = await sandbox.watch("room");
    let asked = 0;
    const client = sandbox.client({
      authCallback: (params, answer) => {
        const exp = Date.now() / 1000 + (++asked === 1 ? 1 : 3600);
        answer(null, sandbox.jwt({ "x-ably-clientId": "al", iat: exp - 1, exp }));
      },
    });
    await client.channels.get("room").presence.enter();
    const { id } = client.connection;
    const { reason } = await client.connection.once("disconnected");
    assert.equal(reason.code, 40142);
    await client.connection.whenState("connected");
    assert.equal(client.connection.id, id);
    assert.equal(asked, 2);
    await client.channels.get("room").presence.update("still");
    await until(() => watcher.told.length === 2);
    assert.deepEqual(watcher.toldOf("al"), ["enter", "update"]);
  },

  async "who comes with a token that has expired gets another, or fails with 40142"(sandbox) {
    const exp = Math.floor(Date.now() / 1000) - 10;
    const old = sandbox.jwt({ "x-ably-clientId": "al", iat: exp - 1, exp });
    let asked = 0;
    const renews = sandbox.client({
      authCallback: (_, answer) => answer(null, ++asked === 1 ? old : sandbox.jwt({ "x-ably-clientId": "al" })),
    });
    await renews.connection.whenState("connected");
    assert.equal(asked, 2);
    const cannot = sandbox.client({ token: old });
    const { reason } = await cannot.connection.once("failed");
    assert.equal(reason.code, 40171);
  },

  async "authorizing again keeps the connection, and another client's token ends it"(sandbox) {
    const client = await sandbox.withToken("al");
    await client.connection.whenState("connected");
    const { id } = client.connection;
    await client.auth.authorize(null, { token: sandbox.jwt({ "x-ably-clientId": "al" }) });
    assert.equal(client.connection.id, id);
    const stranger = sandbox.client({ clientId: "bo", token: sandbox.jwt({ "x-ably-clientId": "al" }) });
    const { reason } = await stranger.connection.once("failed");
    assert.equal(reason.code, 40102);
  },

  async "what the key's owner says of a user in a room is beside him, and nothing else is"(sandbox) {
    const join = async (more) => {
      const realtime = sandbox.client(more);
      const chat = new ChatClient(realtime);
      const room = await chat.rooms.get("lobby");
      await room.attach();
      return room;
    };
    const watcher = await join({ clientId: "watcher" });
    const told = [];
    watcher.presence.subscribe(({ member }) => told.push(member));
    const boss = await join({ token: sandbox.jwt({ "x-ably-clientId": "boss", "ably.room.lobby": "admin" }) });
    await boss.presence.enter({ a: 1 });
    const liar = sandbox.client({ token: sandbox.jwt({ "x-ably-clientId": "liar", "ably.room.other": "admin" }) });
    const message = Ably.Realtime.PresenceMessage.fromValues({ extras: { userClaim: "admin", headers: { b: 1 } } });
    const channel = liar.channels.get("lobby::$chat");
    await channel.attach();
    await channel.presence._enterOrUpdateClient(undefined, undefined, message, "enter");
    await until(() => told.length === 2);
    assert.deepEqual(told.map(({ clientId, userClaim }) => [clientId, userClaim]), [["boss", "admin"], ["liar", undefined]]);
    assert.deepEqual(told[1].extras, { headers: { b: 1 } });
  },

  async "a room of the chat client, with a key as its documentation has it"(sandbox) {
    const key = sandbox.app.keys[2].keyStr;
    const join = async (clientId) => {
      const chat = new ChatClient(sandbox.client({ clientId, key }));
      const room = await chat.rooms.get("lobby");
      await room.attach();
      return room;
    };
    const al = await join("al");
    const told = [];
    const { unsubscribe } = al.presence.subscribe(({ type, member }) => told.push([type, member.clientId, member.data]));
    await al.presence.enter();
    await al.presence.update("text");
    await al.presence.update({ value: 1 });
    await al.presence.leave({ why: "tired" });
    await until(() => told.length === 4);
    assert.deepEqual(told, [["enter", "al", undefined], ["update", "al", "text"], ["update", "al", { value: 1 }], ["leave", "al", { why: "tired" }]]);
    const bo = await join("bo");
    await bo.presence.enter({ x: 1 });
    await until(() => al.presence.isUserPresent("bo"));
    assert.equal(await al.presence.isUserPresent("al"), false);
    assert.deepEqual((await al.presence.get()).map(({ clientId, data }) => [clientId, data]), [["bo", { x: 1 }]]);
    unsubscribe();
    await bo.presence.update({ x: 2 });
    await until(async () => (await al.presence.get())[0].data.x === 2);
    assert.equal(told.length, 5);
  },

  async "an app that is deleted is gone, and its keys with it"(sandbox) {
    const client = sandbox.client();
    await client.connection.whenState("connected");
    const { appId, keys } = sandbox.app;
    const remove = (key) =>
      fetch(`${sandbox.url}/apps/${appId}`, { method: "DELETE", headers: { authorization: `Basic ${btoa(key)}` } });
    assert.equal((await remove(sandbox.server.options.key)).status, 401);
    assert.equal((await remove(keys[1].keyStr)).status, 204);
    const { reason } = await client.connection.once("failed");
    assert.equal(reason.code, 40101);
  },

  async "browsers may ask from anywhere, with credentials"(sandbox) {
    const origin = "http://page.example";
    const asked = await fetch(`${sandbox.url}/channels/room/presence`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "GET", "access-control-request-headers": "authorization,x-ably-version" },
    });
    assert.equal(asked.status, 204);
    assert.equal(asked.headers.get("access-control-allow-headers"), "authorization,x-ably-version");
    const { keyStr } = sandbox.app.keys[0];
    const answer = await fetch(`${sandbox.url}/channels/persisted:fixtures/presence?limit=1&key=${encodeURIComponent(keyStr)}`, { headers: { origin } });
    for (const { headers } of [asked, answer]) {
      assert.equal(headers.get("access-control-allow-origin"), origin);
      assert.equal(headers.get("access-control-allow-credentials"), "true");
      for (const name of ["Link", "X-Ably-Errorcode", "X-Ably-Errormessage"]) {
        assert.ok(headers.get("access-control-expose-headers").split(",").includes(name));
      }
    }
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.match(answer.headers.get("link"), /<\.\/presence\?limit=1&cursor=1>; rel="next"$/);
  },
};

// Each with a server and an app of its own.
export const sandboxChecks = Object.fromEntries(
  Object.entries(checks).map(([name, check]) => [
    name,
    async (format) => {
      const sandbox = await Sandbox.make(format);
      await check(sandbox);
      await sandbox.end();
    },
  ]),
);
