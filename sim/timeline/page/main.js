// Puts the page together: what is chosen, what is in view, and what mouse and keys do to both.
import {makeAxis} from './axis.js';
import {readColours} from './colours.js';
import {element, fillDetails, fillTip, spoken} from './details.js';
import {draw} from './draw.js';
import {KEYS, actionOf} from './keys.js';
import {AXIS_HEIGHT, makeRows} from './layout.js';
import {MARK_LOOKS, drawMark} from './marks.js';
import {lineOf, makeModel, nameOf, whys} from './model.js';
import {makePositions} from './positions.js';
import {makeSearch} from './search.js';
import {makeTable} from './table.js';
import {clock, count, day, plain} from './text.js';

const ZOOM = 1.25;
const MOST_SCALE = 900;  // pixels a unit
const NEAR = 8;          // how far from a mark the pointer still means it
const MOVES_MS = 140;

const $ = (id) => document.getElementById(id);
const model = makeModel(JSON.parse($('session').textContent));
const canvas = $('canvas');
const scroller = $('scroller');
const ctx = canvas.getContext('2d', {alpha: false});
const calm = matchMedia('(prefers-reduced-motion: reduce)');

let axis;
let positions;
let layout;
let colours = readColours();
const view = {width: 0, height: 0, names: 230, x0: 0, scale: 1, scrollY: 0, pixels: 1};
const picked = {selected: null, hovered: null, chain: new Set(), found: new Set()};
let found = [];
let wantedClient = '';
let shown = null;  // the items of the table, unless they must be gathered anew
let spots = null;  // what the last picture came to

// --- What is in view ---

const wantsClient = (client) => wantedClient === '' || client.toLowerCase().includes(wantedClient);
const isShown = (item) => wantedClient === '' || (item.member >= 0 && wantsClient(model.members[item.member].client));

function layOut() {
  layout = makeRows(model, wantsClient);
  $('height').style.height = `${Math.max(0, layout.height + AXIS_HEIGHT + 12 - view.height)}px`;
}

function measure() {
  view.width = scroller.clientWidth;
  view.height = scroller.clientHeight;
  view.names = view.width < 700 ? 130 : 230;
  view.pixels = window.devicePixelRatio || 1;
  canvas.width = Math.round(view.width * view.pixels);
  canvas.height = Math.round(view.height * view.pixels);
  canvas.style.width = `${view.width}px`;
  canvas.style.height = `${view.height}px`;
}

const room = () => Math.max(50, view.width - view.names);
const fitScale = () => room() / (axis.end * 1.02);

function moveTo(x0, scale) {
  view.scale = Math.min(MOST_SCALE, Math.max(fitScale(), scale));
  const wide = room() / view.scale;
  view.x0 = Math.min(Math.max(x0, -wide * 0.01), Math.max(-wide * 0.01, axis.end - wide * 0.99));
  redraw();
}

let moving = 0;
// Moves smoothly, unless the reader wants no motion.
function glideTo(x0, scale) {
  cancelAnimationFrame(moving);
  if (calm.matches) {
    moveTo(x0, scale);
    return;
  }
  const from = {x0: view.x0, scale: view.scale};
  const start = performance.now();
  const step = (now) => {
    const part = Math.min(1, Math.max(0, (now - start) / MOVES_MS));
    const s = from.scale * (scale / from.scale) ** part;
    const k = scale === from.scale ? part : (1 / s - 1 / from.scale) / (1 / scale - 1 / from.scale);
    moveTo(from.x0 + (x0 - from.x0) * k, s);
    if (part < 1) moving = requestAnimationFrame(step);
  };
  moving = requestAnimationFrame(step);
}

function zoomAt(px, factor) {
  cancelAnimationFrame(moving);
  const x = view.x0 + (px - view.names) / view.scale;
  const scale = Math.min(MOST_SCALE, Math.max(fitScale(), view.scale * factor));
  moveTo(x - (px - view.names) / scale, scale);
}

function panBy(pixels) {
  cancelAnimationFrame(moving);
  moveTo(view.x0 + pixels / view.scale, view.scale);
}

function fitItems(items) {
  let from = Infinity;
  let to = -Infinity;
  for (const index of items) {
    from = Math.min(from, positions.ofItem(index));
    to = Math.max(to, positions.ofItem(index));
  }
  const wide = Math.max((to - from) * 1.25, 4);
  const middle = (from + to) / 2;
  glideTo(middle - wide / 2, Math.min(MOST_SCALE, room() / wide));
}

function fitAll() { glideTo(0, fitScale()); }
function fit() { if (picked.selected === null) fitAll(); else fitItems(picked.chain); }

// Moves no more than is needed to see an item.
function reveal(index) {
  const row = layout.rowOf(model.items[index]);
  if (row !== undefined) {
    const top = row.y - scroller.scrollTop;
    const inner = view.height - AXIS_HEIGHT;
    if (top < 0) scroller.scrollTop = row.y;
    else if (top + row.height > inner) scroller.scrollTop = row.y + row.height - inner + 4;
    view.scrollY = scroller.scrollTop;
  }
  const x = view.names + (positions.ofItem(index) - view.x0) * view.scale;
  const border = Math.min(40, room() / 8);
  if (x < view.names + border || x > view.width - border) glideTo(positions.ofItem(index) - room() / view.scale / 2, view.scale);
}

let asked = false;
function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    drawNow();
  });
}
function drawNow() {
  spots = draw(ctx, {model, axis, layout, view, colours, picked, positions});
}

function setFold(fold) {
  const middle = axis && view.x0 + room() / view.scale / 2;
  const t = axis?.timeAt(middle);
  axis = makeAxis(model.times, fold);
  positions = makePositions(model, axis);
  if (t === undefined) moveTo(0, 0);
  else moveTo(axis.positionOf(t) - room() / view.scale / 2, view.scale);
}

// --- What is chosen ---

function choose(index, {show = true, remember = true} = {}) {
  picked.selected = index;
  picked.chain = new Set(index === null ? [] : whys(model, index).chain);
  fillDetails($('details'), model, index, {select: (other) => choose(other), only: onlyThisClient, fit});
  table.select(index);
  if (index !== null) {
    $('said').textContent = spoken(model, model.items[index]);
    if (show) reveal(index);
  }
  if (remember) {
    const fragment = index === null ? '' : `#${nameOf(model, model.items[index])}`;
    if (location.hash !== fragment) history.replaceState(null, '', fragment || location.pathname + location.search);
  }
  redraw();
}

function hover(index, px, py) {
  if (picked.hovered !== index) {
    picked.hovered = index;
    if (picked.selected === null) picked.chain = new Set(index === null ? [] : whys(model, index).chain);
    redraw();
  }
  const tip = $('tip');
  tip.hidden = index === null;
  if (index === null) return;
  fillTip(tip, model, model.items[index]);
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(px + 14, view.width - box.width - 8))}px`;
  tip.style.top = `${py + 18 + box.height > view.height ? Math.max(4, py - box.height - 12) : py + 18}px`;
}

// Shows the tip of an item at its mark, for who goes by keys.
function hoverByKey(index) {
  reveal(index);
  const at = pointOf(index);
  hover(index, at.x, at.y);
  $('said').textContent = spoken(model, model.items[index]);
}

function pointOf(index) {
  const item = model.items[index];
  const row = layout.rowOf(item);
  if (row === undefined) return null;
  return {
    x: view.names + (positions.ofItem(index) - view.x0) * view.scale,
    y: AXIS_HEIGHT + row.y - view.scrollY + (item.bar ? 8.5 + 9 * item.bar.row : row.height / 2),
  };
}

// The item that a point of the picture means: the nearest mark; else, of a lane, what made the
// member be there or be remembered; of others what last changed.
function itemAt(px, py) {
  if (px < view.names || py < AXIS_HEIGHT) return null;
  const row = layout.at(py - AXIS_HEIGHT + view.scrollY);
  if (row === undefined) return null;
  const {marks} = row;
  const x = view.x0 + (px - view.names) / view.scale;
  let best = null;
  let bestAway = Infinity;
  for (let i = positions.firstFrom(marks, x - NEAR / view.scale); i < marks.length; i++) {
    const item = model.items[marks[i]];
    const away = Math.abs(positions.ofItem(marks[i]) - x) * view.scale;
    if (positions.ofItem(marks[i]) > x && away > NEAR) break;
    // Within reach the more telling one of marks that hide each other.
    const cost = away + (item.bar ? Math.abs(py - (AXIS_HEIGHT + row.y - view.scrollY + 8.5 + 9 * item.bar.row)) : 0) - item.weight * 0.15;
    if (away <= NEAR && cost < bestAway) {
      best = marks[i];
      bestAway = cost;
    }
  }
  if (best !== null) return best;
  const spans = row.kind === 'lane' ? [...row.lane.visible, ...row.lane.tombs] : row.kind === 'syncs' ? row.channel.syncs :
    row.kind === 'channel' ? row.channel.states : row.kind === 'connection' ? model.connection.states : [];
  const span = spans.find((s) => positions.of(s.from, s.fromOffset) <= x && x <= positions.of(s.to, s.toOffset));
  if (span === undefined) return null;
  if (row.kind !== 'lane') return span.item;
  const before = marks[positions.firstFrom(marks, x) - 1];
  return before ?? span.item;
}

function onlyThisClient() {
  const {client} = model.members[model.items[picked.selected].member];
  $('client').value = client;
  setClient(client);
}

function setClient(text) {
  wantedClient = text.trim().toLowerCase();
  shown = null;
  layOut();
  view.scrollY = scroller.scrollTop;
  search();
  table.refresh();
  redraw();
}

const find = makeSearch(model);
function search() {
  const typed = $('search').value;
  found = find(typed, isShown);
  picked.found = new Set(found);
  shown = null;
  $('found').textContent = typed.trim() === '' ? '' : count(found.length, 'hit');
  table.refresh();
  redraw();
}

function goToFound(step) {
  if (found.length === 0) return;
  const from = picked.selected ?? -1;
  let next;
  if (step > 0) next = found.find((index) => index > from) ?? found[0];
  else next = found.findLast((index) => index < from) ?? found[found.length - 1];
  choose(next);
  $('found').textContent = `${found.indexOf(next) + 1} of ${count(found.length, 'hit')}`;
}

const table = makeTable($('table'), model, {
  wanted: () => (shown ??= picked.found.size > 0 || $('search').value.trim() !== '' ? found :
    model.items.filter(isShown).map((item) => item.index)),
  select: (index) => choose(index),
});

// --- Keys and mouse ---

function step(by) {
  const current = picked.hovered ?? picked.selected;
  if (current === null) {
    const row = layout.rows.find((one) => one.marks.length > 0);
    if (row !== undefined) hoverByKey(row.marks[0]);
    return;
  }
  const {marks} = layout.rowOf(model.items[current]) ?? {marks: []};
  const next = marks[marks.indexOf(current) + by];
  if (next !== undefined) hoverByKey(next);
}

function stepLane(by) {
  const current = picked.hovered ?? picked.selected;
  if (current === null) {
    step(1);
    return;
  }
  const row = layout.rowOf(model.items[current]);
  for (let i = (row?.index ?? -1) + by; i >= 0 && i < layout.rows.length; i += by) {
    const {marks} = layout.rows[i];
    if (marks.length === 0) continue;
    const at = positions.firstFrom(marks, positions.ofItem(current));
    const near = [marks[at - 1], marks[at]].filter((index) => index !== undefined);
    near.sort((a, b) => Math.abs(positions.ofItem(a) - positions.ofItem(current)) - Math.abs(positions.ofItem(b) - positions.ofItem(current)));
    hoverByKey(near[0]);
    return;
  }
}

function showPane(which) {
  for (const name of ['details', 'table']) {
    $(name).hidden = name !== which;
    $(`tab-${name}`).setAttribute('aria-selected', String(name === which));
    $(`tab-${name}`).tabIndex = name === which ? 0 : -1;
  }
  document.querySelector('.side').classList.toggle('wide', which === 'table');
}

const ACTIONS = {
  zoomIn: () => zoomAt(view.names + room() / 2, ZOOM),
  zoomOut: () => zoomAt(view.names + room() / 2, 1 / ZOOM),
  earlier: () => panBy(-room() / 8),
  later: () => panBy(room() / 8),
  fit,
  fitAll,
  search: () => $('search').select(),
  next: (event) => goToFound(event.shiftKey ? -1 : 1),
  markBefore: () => step(-1),
  markAfter: () => step(1),
  laneAbove: () => stepLane(-1),
  laneBelow: () => stepLane(1),
  pin: () => choose(picked.hovered !== null && picked.hovered !== picked.selected ? picked.hovered : null),
  table: () => showPane($('table').hidden ? 'table' : 'details'),
  letGo: () => {
    hover(null);
    choose(null);
  },
  help: () => $('keys').showModal(),
};
// Keys that mean something of their own to what has the focus.
const NEEDS_PICTURE = new Set(['markBefore', 'markAfter', 'laneAbove', 'laneBelow', 'pin', 'fitAll']);

document.addEventListener('keydown', (event) => {
  if ($('keys').open) return;
  const typing = event.target instanceof HTMLInputElement && event.target.type === 'search';
  if (typing) {
    if (event.target === $('search') && event.key === 'Enter') goToFound(event.shiftKey ? -1 : 1);
    if (event.key === 'Escape') scroller.focus();
    return;
  }
  const action = actionOf(event);
  if (action === undefined || (NEEDS_PICTURE.has(action) && document.activeElement !== scroller && document.activeElement !== document.body)) return;
  ACTIONS[action](event);
  event.preventDefault();
});

scroller.addEventListener('wheel', (event) => {
  const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? view.height : 1;
  const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
  const box = scroller.getBoundingClientRect();
  const px = event.clientX - box.left;
  if (px < view.names && !event.ctrlKey) return;  // the names scroll
  event.preventDefault();
  if (event.shiftKey) {
    scroller.scrollTop += dy || dx;
  } else if (Math.abs(dx) > Math.abs(dy)) {
    panBy(dx);
  } else {
    zoomAt(px, Math.exp(-Math.max(-120, Math.min(120, dy)) * (event.ctrlKey ? 0.01 : 0.002)));
  }
}, {passive: false});

scroller.addEventListener('scroll', () => {
  view.scrollY = scroller.scrollTop;
  redraw();
});

const pointers = new Map();
let drag = null;
scroller.addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || event.offsetX > scroller.clientWidth) return;
  const at = pointAt(event);
  pointers.set(event.pointerId, at);
  drag = pointers.size === 1 ? {...at, x0: view.x0, scroll: scroller.scrollTop, moved: false} : null;
  scroller.setPointerCapture(event.pointerId);
});
scroller.addEventListener('pointermove', (event) => {
  const at = pointAt(event);
  const before = pointers.get(event.pointerId);
  if (before !== undefined && pointers.size === 2) {
    // Two fingers: their distance is the zoom.
    const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
    const was = Math.max(10, Math.abs(before.x - other.x));
    const is = Math.max(10, Math.abs(at.x - other.x));
    zoomAt((at.x + other.x) / 2, is / was);
    pointers.set(event.pointerId, at);
    return;
  }
  if (drag !== null) {
    if (!drag.moved && Math.hypot(at.x - drag.x, at.y - drag.y) < 4) return;
    drag.moved = true;
    scroller.classList.add('dragging');
    hover(null);
    scroller.scrollTop = drag.scroll - (at.y - drag.y);
    view.scrollY = scroller.scrollTop;
    moveTo(drag.x0 - (at.x - drag.x) / view.scale, view.scale);
    return;
  }
  hover(itemAt(at.x, at.y), at.x, at.y);
});
const letGo = (event) => {
  pointers.delete(event.pointerId);
  if (drag !== null && !drag.moved && event.type === 'pointerup') {
    const at = pointAt(event);
    const index = itemAt(at.x, at.y);
    choose(index === picked.selected ? null : index, {show: false});
    if (index !== null) showPane('details');
  }
  drag = null;
  scroller.classList.remove('dragging');
};
scroller.addEventListener('pointerup', letGo);
scroller.addEventListener('pointercancel', letGo);
scroller.addEventListener('pointerleave', () => { if (drag === null) hover(null); });
scroller.addEventListener('blur', () => hover(null));

function pointAt(event) {
  const box = scroller.getBoundingClientRect();
  return {x: event.clientX - box.left, y: event.clientY - box.top};
}

let later = 0;
$('search').addEventListener('input', () => {
  clearTimeout(later);
  later = setTimeout(search, 60);
});
$('client').addEventListener('input', () => setClient($('client').value));
$('fold').addEventListener('change', () => setFold($('fold').checked));
$('fit').addEventListener('click', fit);
$('help').addEventListener('click', ACTIONS.help);
$('keys-close').addEventListener('click', () => $('keys').close());
$('skip').addEventListener('click', (event) => {
  event.preventDefault();
  showPane('table');
  $('table').focus();
});
for (const name of ['details', 'table']) {
  const tab = $(`tab-${name}`);
  tab.addEventListener('click', () => showPane(name));
  tab.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    const other = name === 'table' ? 'details' : 'table';
    showPane(other);
    $(`tab-${other}`).focus();
  });
}

// --- The fragment ---

// "#L36.7": the seventh item of line 36; "#L36": the line.
function followFragment() {
  const match = /^#L(\d{1,15})(?:\.(\d{1,9}))?$/.exec(location.hash);
  if (match === null) {
    choose(null, {remember: false});
    return;
  }
  const at = lineOf(model, Number(match[1]));
  if (at < 0) {
    $('said').textContent = `line ${match[1]} is not in this picture`;
    return;
  }
  const {first, end} = model.lines[at];
  const index = Math.min(end - 1, first + Math.max(0, Number(match[2] ?? 1) - 1));
  showPane('details');
  choose(index, {remember: false});
  fitItems(picked.chain);
}
window.addEventListener('hashchange', followFragment);

// --- Legend, help, title ---

function fillLegend() {
  const there = new Set(model.items.map((item) => item.mark));
  const bands = [
    ['here', () => colours.present, null, model.lanes.length > 0],
    ['here, on the own connection', () => colours.own, null, model.lanes.some((lane) => model.members[lane.member].own)],
    ['here, not seen yet in the sync', () => colours.present, 'hatch', model.lanes.some((lane) => lane.unseen.length > 0)],
    ['a sync runs', () => colours.shade, null, model.channels.some((channel) => channel.syncs.length > 0)],
  ].filter(([, , , used]) => used).map(([says, colour, how]) => legendEntry(says, (pen) => {
    pen.fillStyle = colour();
    pen.fillRect(0, 4, 18, 8);
    if (how !== 'hatch') return;
    pen.globalAlpha = 0.55;
    pen.fillStyle = colours.ground;
    pen.fillRect(0, 5, 18, 6);
    pen.globalAlpha = 1;
    pen.strokeStyle = colours.unseen;
    pen.beginPath();
    for (let x = -4; x < 18; x += 6) {
      pen.moveTo(x, 11);
      pen.lineTo(x + 6, 5);
    }
    pen.stroke();
  }));
  const marks = Object.entries(MARK_LOOKS).filter(([mark, {says}]) => says && there.has(mark))
    .map(([mark, {says}]) => legendEntry(says, (pen) => drawMark(pen, mark, 9, 8, 4.5, colours)));
  $('legend').replaceChildren(...bands, ...marks);
}

function legendEntry(says, paint) {
  const small = element('canvas', {width: 18 * view.pixels, height: 16 * view.pixels, 'aria-hidden': 'true'});
  small.style.width = '18px';
  small.style.height = '16px';
  const pen = small.getContext('2d');
  pen.scale(view.pixels, view.pixels);
  paint(pen);
  return element('span', {}, small, says);
}

function fillHead() {
  const title = model.only ?? (model.channels.length === 1 ? model.channels[0].name : model.trace);
  document.title = `${title} – presence timeline`;
  $('title').textContent = title;
  $('title').title = title;
  const first = model.times[0] ?? 0;
  const last = model.times[model.times.length - 1] ?? 0;
  const from = day(first) === '' ? '' : `, ${day(first)} ${clock(first, false)} to ${clock(last, false)} UTC`;
  $('about').title = $('about').textContent = `${title === model.trace ? '' : `${model.trace}, `}${count(model.lanes.length, 'member')}, ` +
    `${count(model.items.length, 'item')}${from}`;
  if (model.cut !== null) {
    document.querySelector('.bar').append(element('p', {className: 'cut', role: 'alert'}, plain(model.cut)));
  }
  const names = [...new Set(model.members.map((member) => member.client))].slice(0, 1000);
  $('clients').replaceChildren(...names.map((value) => element('option', {value})));
  $('keys-list').replaceChildren(element('table', {}, element('tbody', {},
    ...KEYS.map(({shown: key, says}) => element('tr', {}, element('td', {}, element('kbd', {}, key)), element('td', {}, says))),
    ...[['Wheel', 'zoom; over the names, or with Shift, go up and down'], ['Drag', 'go anywhere'], ['Click', 'pin a mark and see why']]
      .map(([key, says]) => element('tr', {}, element('td', {}, element('kbd', {}, key)), element('td', {}, says))))));
}

// --- Start ---

function refreshColours() {
  colours = readColours();
  fillLegend();
  redraw();
}
for (const query of ['(prefers-color-scheme: dark)', '(prefers-contrast: more)']) {
  matchMedia(query).addEventListener('change', refreshColours);
}
new ResizeObserver(() => {
  const fitted = view.width > 0 && axis && Math.abs(view.scale - fitScale()) < 1e-9;
  measure();
  layOut();
  if (!axis) return;
  moveTo(view.x0, fitted ? fitScale() : view.scale);
  drawNow();
}).observe(scroller);

fillHead();
measure();
layOut();
setFold(true);
fillLegend();
measure();
layOut();
moveTo(0, fitScale());
table.refresh();
followFragment();

// What the tests of this page ask it.
window.presenceTimeline = {
  model, view, picked, pointOf, itemAt, drawNow,
  layout: () => layout,
  axis: () => axis,
  spots: () => spots,
  fitAll: () => moveTo(0, fitScale()),
  nameOf: (index) => nameOf(model, model.items[index]),
};
