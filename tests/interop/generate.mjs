// Random traces that a correct server could have caused, as one observer of one channel receives them.
//
// The server holds the truth: who is present on which connection. Members enter, update and leave all the time; what the
// observer is told depends on whether its transport is up and its channel attached. Every trace is a function of its seed.

import { Action, Flag, Presence } from "./protocol.mjs";
import { Random } from "./random.mjs";

const CLIENTS = [
  "alice", "bob", "carol", "dave", "a", "ab", "a:b", "b:", "constructor", "__proto__", "zoë", "漢字 😀", "with space", "7",
];
const CHANNELS = ["room", "my-room::$chat", "räume:1"];

// The traces differ in temper as well as in detail, so that the rare things meet each other in some of them.
function drawTemper(random) {
  return {
    steps: random.weighted([[3, random.int(5, 20)], [4, random.int(20, 60)], [2, random.int(60, 150)]]),
    clients: random.int(2, 8),
    connections: random.int(1, 6),
    pageSize: random.int(1, 4),
    // How pages are made: read from the living set as the cursor comes by; from a snapshot taken when the sync began; or
    // from a snapshot followed by the leaves since.
    pages: random.weighted([[3, "living"], [3, "snapshot"], [2, "snapshot and leaves"]]),
    leavesInPages: random.chance(0.25),  // leaves that the observer missed come as items of a page
    operations: random.pick([3, 6, 12]),  // weight against everything else
    leaves: random.pick([1, 2, 4]),  // weight against enters and updates
    losses: random.pick([0, 0, 1, 2]),
    detaches: random.pick([0, 0, 1]),
    syncs: random.pick([0, 1, 2]),
    emptyLastPages: random.chance(0.15),
    gets: random.pick([0, 0, 1]),
    // Sync ids are opaque; some contain what not everybody expects.
    syncIdMark: random.weighted([[30, ""], [1, "."], [1, "="]]),
    captured: random.chance(0.5),  // written as a capture is: no line about the lost transport, the sent ATTACH instead
    stillClock: random.pick([0.1, 0.5]),
  };
}

class Server {
  #random;
  #temper;
  #lines = [];
  #now = 1_795_500_000_000;
  #channel;
  #connections = [];
  #clients = [];
  #members = new Map();  // JSON of [connectionId, clientId] -> the member's latest message
  #counter = 0;  // for ids of connections, syncs and channel serials
  #calls = 0;

  #observer = { connectionId: "", transport: false, channel: "initialized" };
  #owesSync = false;  // ATTACHED announced one whose first page has not been sent
  #sync = null;
  #muted = false;  // operations happen, and nobody tells the observer
  #backlog = [];  // frames that the observer missed while its transport was lost
  #missedLeaves = [];  // leaves that the observer missed
  #departed = [];  // who left lately: they like to come back

  constructor(seed) {
    this.#random = new Random(seed);
    this.#temper = drawTemper(this.#random);
    this.#channel = this.#random.pick(CHANNELS);
    for (let i = 0; i < this.#temper.clients; ++i) this.#clients.push(CLIENTS[(seed + i * 5) % CLIENTS.length]);
    for (let i = 0; i < this.#temper.connections; ++i) this.#connections.push(this.#newConnection());
  }

  run() {
    for (let i = this.#random.int(0, 8); i > 0; --i) this.#operate();
    this.#backlog = [];
    this.#missedLeaves = [];
    this.#connect(this.#newConnection().id);
    this.#send({ action: Action.ATTACH });
    this.#observer.channel = "attaching";
    this.#attached(false);

    for (let i = 0; i < this.#temper.steps; ++i) this.#step();
    if (this.#random.chance(0.7)) this.#settle();
    return this.#lines;
  }

  #step() {
    const { operations, losses, detaches, syncs, gets } = this.#temper;
    const syncing = this.#sync !== null || this.#owesSync;
    this.#random.weighted([
      [operations, () => this.#operate()],
      [syncing ? 4 : 0, () => this.#page()],
      [syncs, () => { this.#loseOperations(); this.#beginSync(); }],
      [1, () => this.#wholeSync()],
      [losses, () => this.#loseTransport()],
      [detaches, () => this.#random.pick([
        () => this.#serverDetaches(),
        () => this.#clientDetaches(),
        () => this.#channelFails(),
      ])()],
      [losses, () => this.#attached(false)],
      [1, () => this.#attached(true)],
      [gets * 2, () => this.#get()],
    ])();
  }

  // Ends the sync that runs, so that most traces end at rest.
  #settle() {
    while (this.#owesSync || this.#sync !== null) this.#page();
  }

  // --- Lines ---

  #tick() {
    if (!this.#random.chance(this.#temper.stillClock)) this.#now += this.#random.int(1, 40);
  }

  #line(line) {
    this.#lines.push({ t: this.#now, ...line });
  }

  #receive(frame) {
    this.#line({ recv: { ...frame, channel: this.#channel } });
  }

  #send(frame) {
    this.#line({ send: { ...frame, channel: this.#channel } });
  }

  #move(state) {
    this.#line({ state, channel: this.#channel });
    this.#observer.channel = state;
  }

  get #listening() {
    return this.#observer.transport && this.#observer.channel === "attached" && !this.#muted;
  }

  #newConnection() {
    // Serials cross from one digit to two soon, which tells numbers from strings.
    return { id: `c${(++this.#counter).toString(36)}_${this.#random.int(10, 99)}-X`, serial: this.#random.int(0, 11) };
  }

  // --- Members ---

  #operate() {
    this.#tick();
    const connection = this.#random.pick(this.#connections);
    const present = [...this.#members.values()].filter((member) => member.connectionId === connection.id);
    const { leaves } = this.#temper;
    const one = (action) => this.#change(connection, [[action, this.#random.pick(present).clientId]]);
    this.#random.weighted([
      [4, () => this.#change(connection, [this.#drawEnter(connection)])],
      [present.length > 0 ? 4 : 0, () => one(Presence.UPDATE)],
      [present.length > 0 ? leaves : 0, () => one(Presence.LEAVE)],
      [present.length > 1 ? 1 : 0, () => this.#change(connection, this.#drawSeveral(present))],
      [1, () => this.#dropConnection(connection)],
    ])();
  }

  #drawEnter(connection) {
    const back = this.#departed.filter(([connectionId]) => connectionId === connection.id);
    const comesBack = back.length > 0 && this.#random.chance(0.5);
    const clientId = comesBack ? this.#random.pick(back)[1] : this.#random.pick(this.#clients);
    // A server broadcasts an ENTER of a present member as UPDATE.
    return [this.#members.has(key(connection.id, clientId)) ? Presence.UPDATE : Presence.ENTER, clientId];
  }

  // One frame about several members of the connection, sometimes about one of them twice.
  #drawSeveral(present) {
    const several = present.slice(0, this.#random.int(2, 4)).map(({ clientId }) => [Presence.UPDATE, clientId]);
    several.at(-1)[0] = this.#random.pick([Presence.UPDATE, Presence.LEAVE]);
    if (this.#random.chance(0.3)) several.unshift([Presence.UPDATE, several.at(-1)[1]]);
    return several;
  }

  // One PRESENCE frame of the connection; changes are [action, clientId].
  #change(connection, changes) {
    const frameId = `${connection.id}:${connection.serial++}`;
    const items = changes.map(([action, clientId], index) => {
      const before = this.#members.get(key(connection.id, clientId));
      // A LEAVE without data carries the last data.
      const payload = action === Presence.LEAVE && this.#random.chance(0.6) ? payloadOf(before) : this.#drawPayload();
      const message = { id: `${frameId}:${index}`, clientId, connectionId: connection.id, timestamp: this.#now, ...payload };
      this.#store(action, message);
      return { action, ...message };
    });
    this.#broadcast({ id: frameId, connectionId: connection.id, timestamp: this.#now }, items);
  }

  #store(action, message) {
    const at = key(message.connectionId, message.clientId);
    if (action !== Presence.LEAVE) {
      this.#members.set(at, message);
      return;
    }
    this.#members.delete(at);
    this.#departed.push([message.connectionId, message.clientId]);
    if (this.#departed.length > 4) this.#departed.shift();
    if (this.#sync !== null) this.#sync.leaves.push(message);
    if (!this.#listening) this.#missedLeaves.push(message);
  }

  // A connection is lost for good: the server makes up the leaves of its members, with an id of its own or none (RTP2b1).
  #dropConnection(connection) {
    const gone = [...this.#members.values()].filter((member) => member.connectionId === connection.id);
    if (gone.length === 0) return;
    const frameId = this.#random.chance(0.5) ? `server-${++this.#counter}:${this.#random.int(0, 20)}` : undefined;
    const items = gone.map((member, index) => {
      const { id: _, ...rest } = member;
      const message = { ...rest, timestamp: this.#now, ...(frameId && { id: `${frameId}:${index}` }) };
      this.#store(Presence.LEAVE, message);
      return { action: Presence.LEAVE, ...message };
    });
    this.#broadcast({ ...(frameId && { id: frameId }), connectionId: connection.id, timestamp: this.#now }, items);
    if (this.#random.chance(0.5)) this.#connections[this.#connections.indexOf(connection)] = this.#newConnection();
  }

  // Items may leave to their frame what the frame says, too (TP3).
  #broadcast(frame, items) {
    const terse = this.#random.chance(0.4);
    const presence = items.map((item) => {
      if (!terse) return item;
      const { id: _id, connectionId: _connectionId, timestamp: _timestamp, ...rest } = item;
      return rest;
    });
    const whole = { action: Action.PRESENCE, ...frame, presence };
    if (this.#listening) {
      this.#receive(whole);
    } else if (!this.#muted) {
      this.#backlog.push(whole);
    }
  }

  #drawPayload() {
    const text = this.#random.pick(["", "hi", "ünï😀", "{not json"]);
    const payload = this.#random.weighted([
      [2, {}],
      [2, { data: text }],
      [4, { data: JSON.stringify({ status: text, n: this.#random.int(0, 99) }), encoding: "json" }],
      [1, { data: Buffer.from(text).toString("base64"), encoding: "base64" }],
      [1, { data: Buffer.from(text).toString("base64"), encoding: "utf-8/base64" }],
      [1, { data: Buffer.from(JSON.stringify([text])).toString("base64"), encoding: "json/utf-8/base64" }],
    ]);
    if (!this.#random.chance(0.25)) return payload;
    return { ...payload, extras: { headers: { n: this.#random.int(0, 9), text } } };
  }

  // --- Sync ---

  // A new sync; one that runs is thereby given up (RTP18a).
  #beginSync() {
    if (!this.#listening) return;
    this.#prepareSync();
    this.#page();
  }

  // A server syncs of its own accord because something went unheard: a node that was to broadcast it died, say.
  #loseOperations() {
    if (!this.#random.chance(0.4)) return;
    this.#muted = true;
    for (let i = this.#random.int(1, 3); i > 0; --i) this.#operate();
    this.#muted = false;
  }

  // What the pages will tell is settled here, though the first of them may be sent later.
  #prepareSync() {
    this.#owesSync = false;
    const missed = this.#temper.leavesInPages ? this.#missedLeaves : [];
    this.#missedLeaves = [];
    this.#sync = {
      id: `s${++this.#counter}${this.#temper.syncIdMark}${this.#random.pick(["", "-a", "_b"])}`,
      pages: 0,
      last: "",  // living pages: the greatest key that was sent
      snapshot: this.#inOrder().map(([, member]) => ({ action: Presence.PRESENT, ...member })),
      missed: this.#asItems(missed),
      leaves: [],  // since it began
    };
  }

  // Leaves as items of a page. A synthesized one has nothing but its timestamp to be compared by, so a server that is
  // careful does not repeat it when the member is back.
  #asItems(leaves) {
    const isBack = ({ connectionId, clientId }) => this.#members.has(key(connectionId, clientId));
    return leaves
      .filter((leave) => leave.id?.startsWith(leave.connectionId) || !isBack(leave))
      .map((message) => ({ action: Presence.LEAVE, ...message }));
  }

  #inOrder() {
    return [...this.#members].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #page() {
    if (!this.#listening) return;
    if (this.#sync === null) {
      if (this.#owesSync) this.#beginSync();
      return;
    }
    this.#tick();
    const sync = this.#sync;
    const items = this.#drawItems(sync);
    let last = this.#isExhausted(sync);
    // A server that looks ahead knows the last page; one that does not sends one more, with nothing in it.
    const emptyPage = last && items.length > 0 && this.#temper.emptyLastPages && !sync.looked;
    if (emptyPage) {
      sync.looked = true;
      last = false;
    }
    const cursor = last ? "" : `${this.#random.pick([this.#observer.connectionId, "p", "a:b"])}:${sync.pages++}`;
    const nothing = items.length === 0 && (this.#temper.emptyLastPages || this.#random.chance(0.03));
    this.#receive({
      action: Action.SYNC, channelSerial: `${sync.id}:${cursor}`, ...(!nothing && { presence: items }),
    });
    if (last) this.#sync = null;
  }

  #drawItems(sync) {
    const { pageSize, pages } = this.#temper;
    if (sync.missed.length > 0) return sync.missed.splice(0, pageSize);
    if (pages === "living") {
      const next = this.#inOrder().filter(([at]) => at > sync.last).slice(0, pageSize);
      if (next.length > 0) sync.last = next.at(-1)[0];
      return next.map(([, member]) => ({ action: Presence.PRESENT, ...member }));
    }
    const items = sync.snapshot.splice(0, pageSize);
    if (pages === "snapshot and leaves" && sync.snapshot.length === 0) {
      items.push(...this.#asItems(sync.leaves.splice(0)));
    }
    return items;
  }

  #isExhausted(sync) {
    if (sync.missed.length > 0) return false;
    return this.#temper.pages === "living" ? this.#inOrder().every(([at]) => at <= sync.last) : sync.snapshot.length === 0;
  }

  // A sync that is one frame, without any channelSerial (RTP18c).
  #wholeSync() {
    if (!this.#listening || this.#members.size > this.#temper.pageSize * 2) return;
    this.#loseOperations();
    this.#tick();
    this.#owesSync = false;
    this.#sync = null;
    this.#missedLeaves = [];
    const presence = this.#inOrder().map(([, member]) => ({ action: Presence.PRESENT, ...member }));
    this.#receive({ action: Action.SYNC, presence });
  }

  // --- The observer's channel and connection ---

  #attached(resumed) {
    if (!this.#observer.transport) return;
    this.#tick();
    const continues = resumed && this.#observer.channel === "attached";
    const flags =
      (this.#members.size > 0 ? Flag.HAS_PRESENCE : 0) |
      (resumed ? Flag.RESUMED : 0) |
      (this.#random.chance(0.9) ? Flag.MODES : 0);
    this.#receive({ action: Action.ATTACHED, channelSerial: `cs${++this.#counter}`, flags });
    this.#observer.channel = "attached";
    if (continues) return;  // the sync, if one runs, goes on
    this.#sync = null;
    this.#owesSync = this.#members.size > 0;
    if (this.#owesSync && this.#random.chance(0.5)) this.#prepareSync();
    // With continuity the observer gets what it missed; otherwise the sync tells.
    if (resumed) {
      for (const frame of this.#backlog) this.#receive(frame);
      this.#missedLeaves = [];
    }
    this.#backlog = [];
  }

  #connect(connectionId) {
    this.#tick();
    this.#observer.connectionId = connectionId;
    this.#observer.transport = true;
    this.#line({
      recv: {
        action: Action.CONNECTED,
        connectionId,
        connectionKey: `${connectionId}!k`,
        connectionDetails: {
          clientId: "observer", connectionKey: `${connectionId}!k`, maxMessageSize: 65536, connectionStateTtl: 120000,
          maxIdleInterval: 15000,
        },
      },
    });
  }

  // The transport is lost, perhaps in the middle of a sync, which is cut short. Things happen; then another transport.
  #loseTransport() {
    if (!this.#observer.transport || this.#observer.channel !== "attached") return;
    this.#tick();
    const { captured } = this.#temper;
    if (!captured) this.#line({ connection: { state: "disconnected" } });
    this.#observer.transport = false;
    for (let i = this.#random.int(0, 5); i > 0; --i) this.#operate();

    const resumed = this.#random.chance(0.5);
    if (!captured && !resumed && this.#random.chance(0.3)) {
      this.#line({ connection: { state: "suspended" } });
      this.#observer.channel = "suspended";
      if (this.#random.chance(0.3)) this.#get();
    }
    this.#connect(resumed ? this.#observer.connectionId : this.#newConnection().id);
    if (captured) this.#send({ action: Action.ATTACH });
    this.#observer.channel = "attaching";
    // A transport can be lost again before the channel is attached.
    if (!captured && this.#random.chance(0.1)) {
      this.#line({ connection: { state: "disconnected" } });
      this.#connect(this.#observer.connectionId);
    }
    this.#attached(resumed && this.#random.chance(0.7));
  }

  // The server takes the channel away; the client attaches again at once (RTL13a).
  #serverDetaches() {
    if (!this.#listening) return;
    this.#tick();
    this.#receive({ action: Action.DETACHED, error: { code: 90198, statusCode: 500, message: "moved" } });
    this.#observer.channel = "attaching";
    for (let i = this.#random.int(0, 3); i > 0; --i) this.#operate();
    this.#attached(false);
  }

  #clientDetaches() {
    if (!this.#listening) return;
    this.#tick();
    this.#move("detaching");
    // What the server sent before it saw the DETACH: here, that the channel is attached (RTL5k).
    if (this.#random.chance(0.2)) this.#receive({ action: Action.ATTACHED, flags: Flag.MODES | Flag.HAS_PRESENCE });
    this.#receive({ action: Action.DETACHED });
    this.#attachAgain();
  }

  #channelFails() {
    if (!this.#listening) return;
    this.#tick();
    this.#receive({ action: Action.ERROR, error: { code: 40160, statusCode: 401, message: "not permitted" } });
    this.#attachAgain();
  }

  #attachAgain() {
    this.#observer.channel = "detached";
    this.#sync = null;
    this.#owesSync = false;
    for (let i = this.#random.int(0, 4); i > 0; --i) this.#operate();
    this.#move("attaching");
    this.#attached(false);
  }

  // The application asks who is there.
  #get() {
    if (this.#observer.channel !== "attached" && this.#observer.channel !== "suspended") return;
    const params = this.#random.weighted([
      [4, undefined],
      [2, { waitForSync: false }],
      [1, { clientId: this.#random.pick(this.#clients) }],
      [1, { connectionId: this.#random.pick(this.#connections).id, waitForSync: false }],
    ]);
    this.#line({ call: "get", id: ++this.#calls, channel: this.#channel, ...(params && { params }) });
  }
}

function key(connectionId, clientId) {
  return JSON.stringify([connectionId, clientId]);
}

function payloadOf({ data, encoding, extras }) {
  return { ...(data !== undefined && { data }), ...(encoding && { encoding }), ...(extras && { extras }) };
}

// The lines of trace number `seed`, as objects.
export function generateTrace(seed) {
  return new Server(seed).run();
}
