// The rules of a presence set once more, with a switch for each known fault of the client.
//
// This is how a fault is recognised: with all switches off it must give what `presence replay` gives, and with all switches on
// what the client gives, event by event. So a fault forgives exactly the difference that it causes, in a trace that gives
// rise to it, and nothing else. Each switch is one `this.#faults.X` below.

import { Action, EVENT_NAMES, Flag, Presence } from "./protocol.mjs";

export const FAULTS = {
  a: "a second leave for a leave inside a sync",
  b: "extras lost in synthesized leaves",
  c: "the sync id of a cut sync is kept, and the first page of the next sync starts it once more",
  d: "a page without presence array does nothing, so an empty last page never ends its sync",
  e: "the sweep of a sync comes before the events of its last page",
  f: "who left and came back inside a sync keeps the old place in the order of members",
  g: "one more leave for a second, newer leave inside a sync",
  h: "a sync id with characters other than letters, digits, _ and - ends its sync at every page",
  i: "get() is not answered when what it waits for ends otherwise than by a last page",
};

export const NO_FAULTS = new Set();
export const ALL_FAULTS = new Set(Object.keys(FAULTS));

class Rules {
  #faults;  // {a: true, ...}
  #line = 0;
  #now = 0;
  #records = [];

  #state = "initialized";
  #connected = true;
  #members = new Map();  // key -> {item, left: is a tombstone}, in joining order
  #unseen = null;  // while a sync runs: the members of its start that have not been seen, key -> item
  #syncId;
  #waiting = [];

  constructor(faults) {
    this.#faults = Object.fromEntries([...faults].map((letter) => [letter, true]));
  }

  play(lines) {
    for (const line of lines) {
      ++this.#line;
      this.#now = Math.max(this.#now, line.t ?? 0);
      this.#play(line);
    }
    return { records: this.#records, syncing: this.#unseen !== null, members: this.#visible() };
  }

  #play(line) {
    if (line.recv !== undefined) this.#receive(line.recv);
    else if (line.send?.action === Action.ATTACH) this.#state = "attaching";
    else if (line.state !== undefined) this.#state = line.state;
    else if (line.connection !== undefined) this.#connection(line.connection);
    else if (line.call === "get") this.#get(line.id, line.params ?? {});
  }

  #receive(frame) {
    switch (frame.action) {
      case Action.CONNECTED:
        if (!this.#connected && ["attached", "suspended"].includes(this.#state)) this.#state = "attaching";
        this.#connected = true;
        return;
      case Action.ATTACHED:
        this.#attached(frame.flags);
        return;
      case Action.DETACHED:
        if (this.#state === "detaching") this.#clear("detached");
        else if (this.#state === "attached") this.#state = "attaching";
        return;
      case Action.ERROR:
        this.#clear("failed");
        return;
      case Action.PRESENCE:
        this.#apply(frame).forEach((event) => this.#record(event));
        return;
      case Action.SYNC:
        this.#page(frame);
    }
  }

  #record(record) {
    this.#records.push({ line: this.#line, ...record });
  }

  // --- Channel states (RTL13, RTL3, RTP5, RTP19a) ---

  #attached(flags) {
    if (this.#state === "detaching" || (this.#state === "attached" && flags & Flag.RESUMED)) return;
    this.#state = "attached";
    if (!this.#faults.c) this.#syncId = undefined;
    if (flags & Flag.HAS_PRESENCE) {
      this.#startSync();
      return;
    }
    for (const item of this.#visible()) this.#record(this.#synthesizedLeave(item));
    this.#members.clear();
    this.#unseen = null;
    if (!this.#faults.i) this.#answer();
  }

  #clear(state) {
    this.#state = state;
    this.#members.clear();
    this.#unseen = null;
    if (!this.#faults.c) this.#syncId = undefined;
    if (!this.#faults.i) this.#refuse(90001);
  }

  #connection({ state }) {
    this.#connected = false;
    if (state !== "suspended") return;
    this.#state = "suspended";
    if (!this.#faults.i) this.#refuse(91005);
  }

  // --- Items (RTP2) ---

  // Applies the frame's items; returns their events.
  #apply(frame) {
    const events = [];
    for (const [index, item] of (frame.presence ?? []).entries()) {
      const { action, ...message } = item;
      message.id ??= frame.id && `${frame.id}:${index}`;
      message.connectionId ??= frame.connectionId;
      message.timestamp ??= frame.timestamp;
      if (action === Presence.ABSENT) continue;
      if (action === Presence.LEAVE ? this.#leave(message) : this.#put(message)) {
        events.push({ event: EVENT_NAMES[action], ...message });
      }
    }
    return events;
  }

  #put(item) {
    const key = keyOf(item);
    this.#unseen?.delete(key);
    const stored = this.#members.get(key);
    if (stored !== undefined && !isNewer(item, stored.item)) return false;
    if (stored?.left && !this.#faults.f) this.#members.delete(key);  // joins anew, at the end
    this.#members.set(key, { item, left: false });
    return true;
  }

  #leave(item) {
    const key = keyOf(item);
    const stored = this.#members.get(key);
    if (stored !== undefined && !isNewer(item, stored.item)) return false;
    if (this.#unseen === null) {
      this.#members.delete(key);
    } else {
      this.#members.set(key, { item, left: true });
      if (!this.#faults.a) this.#unseen.delete(key);
    }
    return stored !== undefined && (!stored.left || this.#faults.g === true);
  }

  // --- Sync (RTP18, RTP19) ---

  #page(frame) {
    if (frame.presence === undefined && this.#faults.d) return;
    const { id, last } = this.#parseSerial(frame.channelSerial);
    if (this.#unseen === null || (this.#syncId !== undefined && id !== this.#syncId)) this.#startSync();
    if (id !== undefined) this.#syncId = id;
    const events = this.#apply(frame);
    const sweep = last ? this.#endSync() : [];
    const inOrder = this.#faults.e ? [...sweep, ...events] : [...events, ...sweep];
    inOrder.forEach((event) => this.#record(event));
    if (last) this.#answer();
  }

  #parseSerial(serial) {
    if (!serial) return { last: true };
    if (this.#faults.h) {
      const match = serial.match(/^([\w-]+):(.*)$/);
      return match === null ? { last: true } : { id: match[1], last: match[2] === "" };
    }
    const colon = serial.indexOf(":");
    return colon === -1 ? { id: serial, last: true } : { id: serial.slice(0, colon), last: colon === serial.length - 1 };
  }

  #startSync() {
    this.#unseen = new Map();
    for (const [key, { item, left }] of this.#members) {
      if (!left) this.#unseen.set(key, item);
    }
  }

  #endSync() {
    for (const [key, { left }] of this.#members) {
      if (left) this.#members.delete(key);
    }
    for (const key of this.#unseen.keys()) this.#members.delete(key);
    const sweep = [...this.#unseen.values()].map((item) => this.#synthesizedLeave(item));
    this.#unseen = null;
    this.#syncId = undefined;
    return sweep;
  }

  #synthesizedLeave({ id: _, extras, ...message }) {
    return { event: "leave", ...message, timestamp: this.#now, ...(!this.#faults.b && { extras }) };
  }

  // --- get (RTP11) ---

  #get(id, params) {
    const { waitForSync = true } = params;
    if (this.#state === "suspended" && waitForSync) {
      this.#record({ get: id, code: 91005 });
    } else if (waitForSync && this.#unseen !== null) {
      this.#waiting.push([id, params]);
    } else {
      this.#record({ get: id, members: this.#visible(params) });
    }
  }

  #answer() {
    for (const [id, params] of this.#waiting.splice(0)) this.#record({ get: id, members: this.#visible(params) });
  }

  #refuse(code) {
    for (const [id] of this.#waiting.splice(0)) this.#record({ get: id, code });
  }

  #visible({ clientId, connectionId } = {}) {
    return [...this.#members.values()]
      .filter(({ left }) => !left)
      .map(({ item }) => item)
      .filter((item) => (!clientId || item.clientId === clientId) && (!connectionId || item.connectionId === connectionId));
  }
}

function keyOf({ connectionId, clientId }) {
  return JSON.stringify([connectionId, clientId]);
}

// RTP2b. The ids of generated traces all parse.
function isNewer(item, stored) {
  if (isSynthesized(item) || isSynthesized(stored)) return item.timestamp >= stored.timestamp;
  const [serial, index] = versionOf(item);
  const [storedSerial, storedIndex] = versionOf(stored);
  return serial === storedSerial ? index > storedIndex : serial > storedSerial;
}

function isSynthesized({ id, connectionId }) {
  return !id?.startsWith(connectionId);
}

function versionOf({ id, connectionId }) {
  return id.slice(connectionId.length + 1).split(":").map(Number);
}

// What the rules make of the trace, with these faults: { records, syncing, members }, payloads as on the wire.
export function playToRules(lines, faults) {
  return new Rules(faults).play(lines);
}
