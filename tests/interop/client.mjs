// Plays a trace to the published client, unchanged: a whole Ably.Realtime, its connection, transport and channel included.
// Only the ends are ours: the socket, which speaks the trace's frames; the clock, which shows the trace's time; and timers,
// which never fire, because a trace says itself when something happens. Nothing touches a network.

import Ably from "ably";
import { Action } from "./protocol.mjs";
import { memberRecord } from "./record.mjs";

const config = Ably.Realtime.Platform.Config;
let now = 0;
let latestSocket = null;

class Socket {
  sent = [];

  constructor() {
    latestSocket = this;
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {}
}

config.WebSocket = Socket;
config.now = () => now;
config.setTimeout = () => ({});
config.clearTimeout = () => {};

function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

class Player {
  #lines;
  #line = 0;
  #records = [];
  #client;
  #manager;
  #channel;
  #socket = null;
  #capturedAttach = false;  // the ATTACH that the client sends is one that the trace shows as sent

  constructor(lines) {
    this.#lines = lines;
    now = lines[0]?.t ?? 0;
    this.#client = new Ably.Realtime({ key: "app.key:secret", autoConnect: false, useBinaryProtocol: false, logLevel: 0 });
    this.#manager = this.#client.connection.connectionManager;
    const name = lines.map((line) => (line.recv ?? line.send ?? line).channel).find((channel) => channel !== undefined);
    this.#channel = this.#client.channels.get(name ?? "room", { attachOnSubscribe: false });
    this.#channel.on((change) => this.#onChannel(change));
    this.#channel.presence.subscribe((message) => {
      this.#record({ event: message.action, ...memberRecord(message) });
    });
  }

  async play() {
    for (const [index, line] of this.#lines.entries()) {
      this.#line = index + 1;
      now = Math.max(now, line.t ?? 0);
      await this.#playLine(line, this.#lines[index + 1]);
      await this.#idle();
      this.#noteSent(line);
    }
    return {
      records: this.#records,
      state: this.#channel.state,
      syncing: this.#channel.presence.members.syncInProgress,
      members: await this.#members(),
    };
  }

  #playLine(line, next) {
    if (line.recv !== undefined) {
      if (line.recv.action === Action.CONNECTED) return this.#connect(line.recv, next?.send?.action === Action.ATTACH);
      return this.#deliver(line.recv);
    }
    if (line.send !== undefined) {
      // The client sends for itself; only the first ATTACH needs the application.
      if (line.send.action === Action.ATTACH && this.#channel.state === "initialized") this.#attach();
      return undefined;
    }
    if (line.state === "attaching") return this.#attach();
    if (line.state === "detaching") return void this.#channel.detach().catch(() => {});
    if (line.connection?.state === "disconnected") return this.#cut();
    // A client becomes suspended by a timer, and here none fires.
    if (line.connection?.state === "suspended") return this.#manager.notifyState({ state: "suspended" });
    if (line.call === "get") return this.#get(line);
    if ("note" in line) return undefined;
    throw new Error(`line ${this.#line}: the harness cannot play this`);
  }

  #record(record) {
    this.#records.push({ line: this.#line, ...record });
  }

  #onChannel(change) {
    if (change.current !== change.previous) {
      this.#record({ state: change.current });
    } else if (change.reason?.code !== 91004) {  // which is about own members, and they are not judged here
      this.#record({ update: { resumed: change.resumed } });
    }
  }

  #attach() {
    this.#channel.attach().catch(() => {});
  }

  #get({ id, params }) {
    this.#channel.presence.get(params).then(
      (members) => this.#record({ get: id, members: members.map(memberRecord) }),
      (error) => this.#record({ get: id, code: error.code }),
    );
  }

  #deliver(frame) {
    this.#socket.onmessage({ data: JSON.stringify(frame) });
  }

  #cut() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.onclose({ code: 1006 });
  }

  // A CONNECTED while connected is an update, unless the trace goes on with an ATTACH: then the transport was lost unseen, as
  // it is in a capture. For the same connection only that ATTACH tells the replay, so it is where the client's move counts.
  async #connect(frame, attachFollows) {
    this.#capturedAttach = attachFollows && frame.connectionId === this.#manager.connectionId;
    if (this.#capturedAttach) ++this.#line;
    if (this.#socket !== null) {
      if (!attachFollows) return this.#deliver(frame);
      this.#cut();
      await turn();
    }
    latestSocket = null;
    // The client may be waiting for one of the timers that never fire.
    if (this.#manager.state.state === "connecting") this.#manager.startConnect();
    else this.#client.connect();
    for (let i = 0; latestSocket?.onmessage === undefined; ++i) {
      if (i === 100) throw new Error(`line ${this.#line}: the client opens no socket`);
      await turn();
    }
    this.#socket = latestSocket;
    this.#socket.onopen();
    this.#deliver(frame);
    return undefined;
  }

  // Until the client has worked through what it received.
  async #idle() {
    const work = this.#manager.pendingChannelMessagesState;
    do {
      await turn();
    } while (work.isProcessing || work.queue.length > 0);
  }

  // The ATTACH and DETACH that the client sent by itself: not for an owner's move, and not one that the trace shows as sent.
  #noteSent(line) {
    const sent = this.#socket?.sent.splice(0) ?? [];
    if (line.state !== undefined || line.send !== undefined) return;
    for (const { action } of sent) {
      if (action === Action.ATTACH && !(line.recv?.action === Action.CONNECTED && this.#capturedAttach)) {
        this.#record({ sent: "ATTACH" });
      }
      if (action === Action.DETACH) this.#record({ sent: "DETACH" });
    }
  }

  // Through the public call where it answers from what is known; elsewhere it would attach or refuse.
  async #members() {
    const { state, presence } = this.#channel;
    const members = state === "attached" ? await presence.get({ waitForSync: false }) : presence.members.values();
    return members.map(memberRecord);
  }
}

// What the client made of the trace: { records, state, syncing, members }.
export async function playToClient(lines) {
  return new Player(lines).play();
}
