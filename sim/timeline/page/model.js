// The session that the page holds, with what is drawn worked out once: lanes, the stretches of time
// in which somebody is there, syncs with their pages, calls with their answers.
import {lowerBound} from './axis.js';
import {plain} from './text.js';

// The marks, in the order in which they hide each other where there is no room: the later one is
// the more telling. Of a lane, a channel, its syncs, the calls, the connection.
export const MARKS = [
  'line', 'noted', 'again', 'page', 'tombstone-dropped', 'ignored', 'own', 'update', 'present', 'enter', 'sent', 'waits', 'answered',
  'state', 'sync', 'tombstone', 'leave', 'lost', 'swept', 'stale', 'refused', 'malformed', 'suspicion',
];
const WEIGHT = new Map(MARKS.map((mark, i) => [mark, i]));

const MARK_OF_KIND = {
  'received': 'line', 'sent': 'sent', 'called': 'line', 'owner-moved': 'line', 'connection': 'line',
  'item-dropped': 'stale', 'item-ignored': 'ignored', 'item-malformed': 'malformed', 'frame-ignored': 'ignored',
  'swept': 'swept', 'emptied': 'swept', 'cleared': 'state',
  'tombstone-kept': 'tombstone', 'tombstone-dropped': 'tombstone-dropped',
  'sync-started': 'sync', 'sync-adopted': 'page', 'sync-page': 'page', 'sync-discarded': 'sync',
  'sync-completed': 'sync', 'late-page': 'page',
  'state-changed': 'state', 'channel-updated': 'state', 'sends-attach': 'sent', 'sends-detach': 'sent',
  'warning': 'malformed', 'own-kept': 'own', 'own-dropped': 'own',
  'get-waits': 'waits', 'get-answered': 'answered', 'get-failed': 'refused', 'subscribed': 'answered',
  'subscribe-failed': 'refused', 'operation-queued': 'waits', 'operation-sent': 'sent',
  'operation-resent': 'sent', 'operation-requeued': 'waits', 'operation-done': 'answered',
  'operation-failed': 'refused', 'reentry-sent': 'sent', 'reentry-done': 'answered',
  'reentry-failed': 'refused', 'reentry-skipped': 'waits', 'ack-unknown': 'noted', 'suspicion': 'suspicion',
};

// Which row of its channel an item without a member's lane stands in.
const SYNC_KINDS = /^(sync-|late-page)/;
const CALL_KINDS = /^(get-|subscribe|operation-|reentry-|own-|called$)/;
// What the line itself is; these have no lane, whomever they name.
const LINE_KINDS = /^(received|sent|owner-moved|connection|ack-unknown)$/;
const ANSWERS = /^(get-answered|get-failed|subscribed|subscribe-failed|operation-done|operation-failed|reentry-done|reentry-failed)$/;
// Calls at the same time have rows of their own, up to so many; the others share one more, and are counted there.
const CALL_ROWS = 16;
// A session that starts a sync again and again makes no more of these than this.
const MOST_UNSEEN = 2_000_000;

function markOf(kind, extra) {
  // A page that names a member as it is known says that he is there, and is nothing odd.
  if (kind === 'item-dropped' && extra.same) return 'again';
  if (kind !== 'item-accepted') return MARK_OF_KIND[kind] ?? 'noted';
  if (extra.event === 'leave') return extra.reason === 'lost' ? 'lost' : 'leave';
  return extra.event ?? 'noted';
}

const NOTHING = Object.freeze({});

// data: what the page holds, see sim/timeline/timeline.h. The model:
//   lines    [{line, t, items: [first, end)}]
//   items    [{index, line (of lines), kind, mark, weight, channel, member, words, rule, point,
//            causes, extra, offset}]; offset: its place within its line, from 0 to 1
//   members  [{client, connection, own, channel: lanes by channel}]
//   channels [{name, states, syncs, items...}]
//   lanes    [{channel, member, items, visible, unseen, tombs}]: items by index, spans as
//            [from line, offset, to line, offset]
export function makeModel(data) {
  const lines = data.lines.map(([line, t]) => ({line, t, first: 0, end: 0}));
  const members = data.members.map(([client, connection]) =>
    ({client: plain(client), connection: plain(connection), own: false}));
  for (const i of data.own) members[i].own = true;
  const channels = data.channels.map((name, index) => ({
    index, name: name === null ? '(no channel named)' : plain(name),
    states: [], syncs: [], marks: [], syncMarks: [], calls: [], callFolds: [], callMarks: [], callRows: 0, lanes: [], end: null,
  }));
  const connection = {states: [], marks: []};
  const frames = {marks: []};
  const lanes = [];
  const laneOf = new Map();

  const items = data.items.map(([line, kind, channel, member, words, rule, causes, extra], index) => {
    const name = data.kinds[kind];
    const more = extra ?? NOTHING;
    const mark = markOf(name, more);
    return {
      index, line, kind: name, mark, weight: WEIGHT.get(mark), channel, member, words: plain(words),
      rule: rule < 0 ? '' : data.rules[rule][0], point: rule < 0 ? '' : data.rules[rule][1],
      causes, extra: more, offset: 0, lane: -1, place: null,
    };
  });
  items.forEach((item, i) => {
    const line = lines[item.line];
    if (line.end === 0) line.first = i;
    line.end = i + 1;
  });
  for (const line of lines) {
    for (let i = line.first; i < line.end; i++) items[i].offset = (i - line.first) / (line.end - line.first);
  }

  const answersSent = (item) => item.kind === 'ack-unknown' && item.causes.length > 0 &&
    items[item.causes[0]].kind === 'sent' && items[item.causes[0]].channel >= 0;
  const setMark = (item, mark) => {
    item.mark = mark;
    item.weight = WEIGHT.get(mark);
  };
  // A page of a sync has a serial, and says so in the first item of its line.
  const isPage = (item) => items[lines[item.line].first].extra.serial !== undefined;

  function lane(channel, member) {
    const key = channel * members.length + member;
    let found = laneOf.get(key);
    if (!found) {
      found = {index: lanes.length, channel, member, items: [], visible: [], unseen: [], tombs: [],
               since: null, notSeen: null, tomb: null};
      laneOf.set(key, found);
      lanes.push(found);
      channels[channel].lanes.push(found);
    }
    return found;
  }
  const span = (from, to, item) => ({from: from.line, fromOffset: from.offset, to: to.line, toOffset: to.offset, item: item.index});
  let unseen = 0;
  const endOf = (name, list, at) => {
    if (list[name] === null) return;
    const target = name === 'since' ? list.visible : name === 'tomb' ? list.tombs : list.unseen;
    if (target === list.unseen) unseen++;
    target.push(span(list[name], at, list[name]));
    list[name] = null;
  };

  const open = new Map();  // by channel, the sync that runs
  const sentSerial = new Map();
  for (const item of items) {
    const {kind, extra} = item;
    const channel = item.channel < 0 ? null : channels[item.channel];
    const hasLane = channel !== null && item.member >= 0 && members[item.member].connection !== '' &&
      !CALL_KINDS.test(kind) && !LINE_KINDS.test(kind) && kind !== 'called';
    if (hasLane) {
      const its = lane(item.channel, item.member);
      item.lane = its.index;
      item.place = its.items;
      if (extra.event === 'leave') {
        endOf('since', its, item);
        endOf('notSeen', its, item);
      } else if (extra.event) {
        if (its.since === null) its.since = item;
        endOf('tomb', its, item);
        endOf('notSeen', its, item);
      } else if (kind === 'item-dropped' && extra.action !== 'leave') {
        endOf('notSeen', its, item);
      }
      if (kind === 'tombstone-kept' && its.tomb === null) its.tomb = item;
      if (kind === 'tombstone-dropped') endOf('tomb', its, item);
    } else if (extra.connection) {
      item.place = connection.marks;
    } else if (answersSent(item)) {
      // A captured client's own operation: what it sent, and the server's answer.
      if (/^NACK/.test(items[lines[item.line].first].words)) setMark(item, 'refused');
      else setMark(item, 'answered');
      item.place = channels[items[item.causes[0]].channel].callMarks;
    } else if (kind === 'sent' && channel !== null && extra.msgSerial !== undefined) {
      item.place = channel.callMarks;
    } else if (channel === null || LINE_KINDS.test(kind)) {
      item.place = frames.marks;
    } else if (CALL_KINDS.test(kind)) {
      item.place = channel.callMarks;
    } else {
      item.place = SYNC_KINDS.test(kind) ? channel.syncMarks : channel.marks;
    }
    item.place.push(item.index);

    if (extra.connection) connection.states.push({from: item.line, fromOffset: item.offset, name: extra.connection, item: item.index});
    if (channel === null) continue;
    if (kind === 'state-changed') channel.states.push({from: item.line, fromOffset: item.offset, name: extra.state, item: item.index});
    if (kind === 'cleared') {
      for (const its of channel.lanes) for (const name of ['since', 'notSeen', 'tomb']) endOf(name, its, item);
    }
    const running = open.get(channel);
    if (kind === 'sync-started') {
      if (running) endSync(running, item, 'discarded');
      const sync = {...span(item, item, item), end: null, how: 'running', pages: [], id: plain(extra.sync ?? '')};
      channel.syncs.push(sync);
      open.set(channel, sync);
      if (isPage(item)) sync.pages.push(item.index);
      if (unseen > MOST_UNSEEN) continue;
      for (const its of channel.lanes) {
        endOf('notSeen', its, item);
        if (its.since !== null) its.notSeen = item;
      }
    } else if (running && /^sync-(adopted|page)$/.test(kind)) {
      addPage(running, item);
      if (extra.sync) running.id = plain(extra.sync);
    } else if (running && (kind === 'sync-completed' || kind === 'sync-discarded')) {
      if (kind === 'sync-completed' && isPage(item)) addPage(running, item);
      if (extra.sync) running.id = plain(extra.sync);
      endSync(running, item, kind === 'sync-completed' ? 'completed' : 'discarded');
      open.delete(channel);
      if (unseen > MOST_UNSEEN) continue;
      for (const its of channel.lanes) endOf('notSeen', its, item);
    }
  }
  // A page that both begins and ends its sync, or adopts it, is one.
  function addPage(sync, item) {
    const before = sync.pages.at(-1);
    if (before === undefined || items[before].line !== item.line) sync.pages.push(item.index);
  }
  function endSync(sync, item, how) {
    sync.to = item.line;
    sync.toOffset = item.offset;
    sync.end = item.index;
    sync.how = how;
  }
  const last = {line: lines.length, offset: 0};
  for (const its of lanes) for (const name of ['since', 'notSeen', 'tomb']) endOf(name, its, last);
  for (const channel of channels) {
    for (const sync of channel.syncs) if (sync.end === null) sync.to = lines.length;
    for (const list of [channel.states]) closeStates(list, lines.length);
  }
  closeStates(connection.states, lines.length);

  addCalls(items, channels);

  // What each item caused, for who looks forward.
  const effects = new Map();
  for (const item of items) {
    for (const cause of item.causes) {
      if (!effects.has(cause)) effects.set(cause, []);
      effects.get(cause).push(item.index);
    }
  }

  for (const channel of channels) channel.lanes = groupByClient(channel.lanes, members);
  return {
    made: data.made, trace: plain(data.trace), only: data.only === null ? null : plain(data.only), cut: data.cut,
    lines, items, members, channels, lanes, connection, frames, effects,
    times: Float64Array.from(lines, (line) => line.t),
    numbers: Float64Array.from(lines, (line) => line.line),
    ends: data.ends,
  };
}

function closeStates(states, end) {
  states.forEach((state, i) => {
    const next = states[i + 1];
    state.to = next ? next.from : end;
    state.toOffset = next ? next.fromOffset : 0;
  });
}

// Lanes of one client stand together, clients in the order in which they turned up.
function groupByClient(lanes, members) {
  const groups = new Map();
  for (const lane of lanes) {
    const {client} = members[lane.member];
    if (!groups.has(client)) groups.set(client, []);
    groups.get(client).push(lane);
  }
  return [...groups.values()].flat();
}

// A bar for each call and for each member entered again, from when it was asked for to its answer.
function addCalls(items, channels) {
  const byCall = new Map();
  const barOf = new Map();  // by item
  for (const item of items) {
    if (item.kind === 'ack-unknown' && item.place !== null && item.causes.length > 0 && items[item.causes[0]].place === item.place) {
      const sent = items[item.causes[0]];
      const channel = channels[sent.channel];
      const bar = {from: sent.line, fromOffset: sent.offset, to: item.line, toOffset: item.offset, item: sent.index, end: item.index,
                   how: item.mark, row: 0};
      channel.calls.push(bar);
      item.bar = sent.bar = bar;
      continue;
    }
    if (item.channel < 0 || !CALL_KINDS.test(item.kind) || /^own-/.test(item.kind)) continue;
    const channel = channels[item.channel];
    const id = item.extra.call;
    let bar = id !== undefined ? byCall.get(`${item.channel} ${id}`) : undefined;
    if (bar === undefined) bar = item.causes.map((cause) => barOf.get(cause)).find((found) => found !== undefined && found.end === null);
    if (bar === undefined || bar.end !== null || item.kind === 'called') {
      bar = {from: item.line, fromOffset: item.offset, to: -1, toOffset: 0, item: item.index, end: null, how: 'open', row: 0};
      channel.calls.push(bar);
    }
    if (id !== undefined) byCall.set(`${item.channel} ${id}`, bar);
    barOf.set(item.index, bar);
    if (ANSWERS.test(item.kind)) {
      bar.to = item.line;
      bar.toOffset = item.offset;
      bar.end = item.index;
      bar.how = item.mark === 'refused' ? 'refused' : 'answered';
    }
    item.bar = bar;
  }
  for (const channel of channels) {
    channel.calls.sort((a, b) => a.item - b.item);
    const ends = [];
    for (const bar of channel.calls) {
      if (bar.end === null) bar.to = Infinity;
      let row = ends.findIndex((end) => end < bar.from || (end === bar.from && bar.from !== bar.to));
      if (row < 0) row = ends.length;
      if (row === CALL_ROWS) {
        fold(bar, channel.callFolds);
      } else {
        ends[row] = bar.to;
      }
      bar.row = row;
    }
    channel.callRows = ends.length + (channel.callFolds.length > 0 ? 1 : 0);
  }
}

// Adds a call to the stretches of those that have no row, each with how many it holds.
function fold(bar, folds) {
  const last = folds[folds.length - 1];
  bar.folded = true;
  if (last !== undefined && bar.from <= last.to) {
    last.count++;
    if (bar.to > last.to || (bar.to === last.to && bar.toOffset > last.toOffset)) {
      last.to = bar.to;
      last.toOffset = bar.toOffset;
    }
  } else {
    folds.push({from: bar.from, fromOffset: bar.fromOffset, to: bar.to, toOffset: bar.toOffset, count: 1});
  }
}

// The item that stored what this one was compared with, or that this one made go: of the same member, who came or changed
// by it. -1: none.
function storedBy(model, item) {
  const found = item.causes.find((index) => {
    const cause = model.items[index];
    return cause.kind === 'item-accepted' && cause.extra.action !== 'leave' && item.member >= 0 &&
      cause.member === item.member && cause.channel === item.channel;
  });
  return found ?? -1;
}

// The chain of the whys, in the order of the trace. Of an item about a member who was there: what he came with, what was
// stored of him last, what else it took, and the item; `passed` counts his changes in between. Of any other: the item, what
// made it so, what made that so. No more than `most`; {chain, more, passed}.
export function whys(model, index, most = 40) {
  const item = model.items[index];
  const stored = storedBy(model, item);
  if (stored >= 0) {
    let came = stored;
    let steps = 0;
    for (let before = storedBy(model, model.items[came]); before >= 0; before = storedBy(model, model.items[came])) {
      came = before;
      steps++;
    }
    const passed = Math.max(steps - 1, 0);
    return {chain: [...new Set([came, ...item.causes, index])].sort((a, b) => a - b), more: false, passed};
  }
  const seen = new Set([index]);
  const queue = [index];
  for (let i = 0; i < queue.length && seen.size <= most; i++) {
    for (const cause of model.items[queue[i]].causes) {
      if (!seen.has(cause) && seen.size <= most) {
        seen.add(cause);
        queue.push(cause);
      }
    }
  }
  const chain = [...seen].sort((a, b) => a - b);
  return {chain: chain.slice(-most), more: chain.length > most, passed: 0};
}

// A line of lines by its number in the trace, or -1.
export function lineOf(model, number) {
  const i = lowerBound(model.numbers, number);
  return i < model.lines.length && model.numbers[i] === number ? i : -1;
}

// What to call an item's place in the page: the line's number, and its place among the line's.
export function nameOf(model, item) {
  const line = model.lines[item.line];
  return `L${line.line}.${item.index - line.first + 1}`;
}

// The member of an item, as text: alice (nGdAWzQZ1p).
export function memberName(model, item) {
  if (item.member < 0) return '';
  const {client, connection} = model.members[item.member];
  return connection === '' ? client : `${client} (${connection})`;
}
