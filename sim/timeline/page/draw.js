// Draws what is in view, and nothing else: rows by their height, marks and stretches by a search in
// sorted lists. Where marks would hide each other the most telling one is drawn, and a bar says
// that there are more.
import {ticks} from './axis.js';
import {colourOfState} from './colours.js';
import {AXIS_HEIGHT} from './layout.js';
import {MARK_LOOKS, drawMark} from './marks.js';
import {clock, lasting} from './text.js';

// Marks of one lane nearer than this to each other are drawn as one.
const APART = 5;
// There is no room for an arrow shorter than this.
const SHORT_ARROW = 18;
// Arrows of all marks in view are drawn only if they are no more than this.
const FEW_ARROWS = 60;
// Folds nearer than this to each other are shown as one.
const FOLDS_APART = 84;
// Marks whose causes are worth an arrow before anybody has asked.
const TELLING = new Set(['leave', 'lost', 'swept', 'stale', 'refused', 'answered', 'suspicion', 'tombstone']);
const FONT = '12px system-ui, "DejaVu Sans", sans-serif';
const SMALL = '11px system-ui, "DejaVu Sans", sans-serif';

// view: {width, height, names (width of the names), x0, scale, scrollY, pixels}; places(item) gives
// its position on the axis. picked: {selected, hovered, chain: Set, found: Set}.
export function draw(ctx, {model, axis, layout, view, colours, picked, positions}) {
  const {width, height, names} = view;
  const px = (x) => names + (x - view.x0) * view.scale;
  const left = view.x0;
  const right = view.x0 + (width - names) / view.scale;
  const spots = {drawn: 0, merged: 0, arrows: 0};

  ctx.setTransform(view.pixels, 0, 0, view.pixels, 0, 0);
  ctx.fillStyle = colours.ground;
  ctx.fillRect(0, 0, width, height);

  const first = layout.at(view.scrollY)?.index ?? layout.rows.length;
  const rows = [];
  for (let i = first; i < layout.rows.length; i++) {
    const row = layout.rows[i];
    const y = AXIS_HEIGHT + row.y - view.scrollY;
    if (y > height) break;
    rows.push([row, y]);
  }

  ctx.save();
  ctx.beginPath();
  ctx.rect(names, AXIS_HEIGHT, width - names, height - AXIS_HEIGHT);
  ctx.clip();
  drawSyncShades();
  drawFolds();
  for (const [row, y] of rows) drawRow(row, y);
  drawArrows();
  for (const index of [picked.hovered, picked.selected]) if (index !== null) drawRing(index, index === picked.selected);
  ctx.restore();
  drawAxis();
  drawNames();
  return spots;

  // --- Behind the lanes ---

  function drawSyncShades() {
    for (const channel of model.channels) {
      const own = rows.filter(([row]) => row.channel === channel && row.kind !== 'channel');
      if (own.length === 0) continue;
      const top = own[0][1];
      const [lastRow, lastY] = own[own.length - 1];
      const bottom = lastY + lastRow.height;
      let hidden = -Infinity;
      for (const sync of channel.syncs) {
        const from = px(positions.of(sync.from, sync.fromOffset));
        const to = px(positions.of(sync.to, sync.toOffset));
        if (to < names || from > width) continue;
        if (to < hidden + 1) continue;
        ctx.fillStyle = colours.shade;
        ctx.fillRect(from, top, Math.max(1, to - from), bottom - top);
        hidden = to;
        if (to - from < 12) continue;
        ctx.fillStyle = colours.sync;
        let last = from;
        for (const page of sync.pages) {
          const x = px(positions.ofItem(page));
          if (x < last + 4 || x < names || x > width) continue;
          ctx.globalAlpha = 0.45;
          for (let y = Math.max(top, AXIS_HEIGHT); y < Math.min(bottom, height); y += 6) ctx.fillRect(x, y, 1, 3);
          ctx.globalAlpha = 1;
          last = x;
        }
      }
    }
  }

  function drawFolds() {
    ctx.strokeStyle = colours.rule;
    ctx.lineWidth = 1;
    let free = -Infinity;
    for (const fold of axis.breaks) {
      if (fold.to < left || fold.from > right) continue;
      const x = Math.round((px(fold.from) + px(fold.to)) / 2) + 0.5;
      if (x < free) continue;
      free = x + FOLDS_APART;
      ctx.beginPath();
      for (let y = AXIS_HEIGHT; y < height; y += 8) {
        ctx.lineTo(x - 2, y);
        ctx.lineTo(x + 2, y + 4);
      }
      ctx.stroke();
    }
  }

  // --- Rows ---

  function drawRow(row, y) {
    const middle = y + row.height / 2;
    if (row.kind === 'lane') {
      ctx.fillStyle = colours.rule;
      ctx.globalAlpha = row.first ? 1 : 0.4;
      ctx.fillRect(names, y, width - names, 1);
      ctx.globalAlpha = 1;
      drawLane(row, y);
    } else if (row.kind === 'connection' || row.kind === 'channel') {
      ctx.fillStyle = colours.raised;
      ctx.fillRect(names, y, width - names, row.height);
      const states = row.kind === 'channel' ? row.channel.states : model.connection.states;
      bars(states, (state, from, to) => {
        ctx.fillStyle = colourOfState(colours, state.name);
        ctx.fillRect(from, y + row.height - 5, to - from, 4);
        if (to - Math.max(from, names) < 50) return;
        ctx.fillStyle = colours.muted;
        ctx.font = SMALL;
        ctx.textBaseline = 'alphabetic';
        const begin = Math.max(from, names) + 9;
        ctx.fillText(short(ctx, state.name, to - begin - 3), begin, y + 14);
      });
    } else if (row.kind === 'calls') {
      bars(row.channel.calls, (call, from, to) => {
        if (call.folded) return;
        ctx.fillStyle = call.how === 'refused' ? colours.bad : call.how === 'open' ? colours.wait : colours.good;
        ctx.globalAlpha = 0.35;
        ctx.fillRect(from, y + 5 + 9 * call.row, Math.max(2, to - from), 7);
        ctx.globalAlpha = 1;
      });
      bars(row.channel.callFolds, (fold, from, to) => {
        const top = y + 5 + 9 * (row.channel.callRows - 1);
        ctx.fillStyle = colours.muted;
        ctx.globalAlpha = 0.35;
        ctx.fillRect(from, top, Math.max(2, to - from), 7);
        ctx.globalAlpha = 1;
        if (to - Math.max(from, names) < 60) return;
        ctx.font = SMALL;
        ctx.textBaseline = 'alphabetic';
        const begin = Math.max(from, names) + 9;
        ctx.fillText(short(ctx, `and ${fold.count} more`, to - begin - 3), begin, top + 18);
      });
    } else if (row.kind === 'syncs') {
      bars(row.channel.syncs, (sync, from, to) => {
        ctx.fillStyle = colours.sync;
        ctx.globalAlpha = sync.how === 'discarded' ? 0.3 : 0.6;
        ctx.fillRect(from, middle - 2, Math.max(1, to - from), 4);
        ctx.globalAlpha = 1;
      });
    }
    drawMarks(row, y);
  }

  // Stretches that are in view; those too short to see are drawn once for a pixel.
  function bars(list, each) {
    // Calls overlap, so that their ends are in no order.
    let low = 0;
    let high = list.length > 0 && list[0].row === undefined ? list.length : 0;
    while (low < high) {
      const at = (low + high) >> 1;
      if (positions.of(list[at].to, list[at].toOffset) < left) low = at + 1;
      else high = at;
    }
    let drawnTo = -Infinity;
    for (let i = low; i < list.length; i++) {
      const from = px(positions.of(list[i].from, list[i].fromOffset));
      if (from > width) break;
      const to = list[i].to === Infinity ? width : px(positions.of(list[i].to, list[i].toOffset));
      if (to < names || (to - drawnTo < 1 && list[i].row === undefined)) continue;
      each(list[i], Math.max(from, names - 4), Math.min(Math.max(to, from + 1), width + 4));
      drawnTo = to;
    }
  }

  function drawLane(row, y) {
    const {lane} = row;
    const own = model.members[lane.member].own;
    const top = y + Math.round(row.height * 0.25);
    const tall = Math.round(row.height * 0.5);
    bars(lane.visible, (_, from, to) => {
      ctx.fillStyle = own ? colours.own : colours.present;
      ctx.fillRect(from, top, to - from, tall);
    });
    bars(lane.unseen, (_, from, to) => {
      ctx.fillStyle = colours.ground;
      ctx.globalAlpha = 0.55;
      ctx.fillRect(from, top + 1, to - from, tall - 2);
      ctx.globalAlpha = 1;
      if (to - from < 4) return;
      ctx.strokeStyle = colours.unseen;
      ctx.lineWidth = 1;
      ctx.beginPath();
      const start = from - ((from - names) % 6);
      for (let x = start; x < to; x += 6) {
        const a = Math.max(x, from);
        const b = Math.min(x + tall - 2, to);
        if (b <= a) continue;
        ctx.moveTo(a, top + tall - 1 - (a - x));
        ctx.lineTo(b, top + tall - 1 - (b - x));
      }
      ctx.stroke();
    });
    bars(lane.tombs, (_, from, to) => {
      ctx.fillStyle = colours.tomb;
      const middle = y + row.height / 2;
      for (let x = from; x < to; x += 7) ctx.fillRect(x, middle - 1, Math.min(4, to - x), 2);
    });
  }

  function drawMarks(row, y) {
    const items = row.marks;
    const middle = y + row.height / 2;
    const r = row.height > 20 ? 4.5 : 3.6;
    const low = positions.firstFrom(items, left - 8 / view.scale);
    // By height, the clump of marks that is not drawn yet: calls at the same time stand below each other.
    const clumps = new Map();
    const flush = (at, {best, x, marks}) => {
      const item = model.items[best];
      if (marks > 1) {
        ctx.fillStyle = colours[MARK_LOOKS[item.mark].colour];
        ctx.globalAlpha = 0.55;
        ctx.fillRect(x - r, at + r + 1, Math.min(2 * r, 2 + marks), 2);
        ctx.globalAlpha = 1;
        spots.merged += marks - 1;
      }
      if (picked.found.has(best)) drawHalo(x, at, r + 5);
      drawMark(ctx, item.mark, x, at, r, colours);
      spots.drawn++;
    };
    for (let i = low; i < items.length; i++) {
      const x = px(positions.ofItem(items[i]));
      if (x > width + 8) break;
      const {bar} = model.items[items[i]];
      const at = bar ? y + 8.5 + 9 * bar.row : middle;
      const clump = clumps.get(at);
      if (clump !== undefined && x - clump.to < APART && x - clump.x < 2 * APART) {
        clump.marks++;
        clump.to = x;
        if (rank(items[i]) > rank(clump.best)) clump.best = items[i];
        continue;
      }
      if (clump !== undefined) flush(at, clump);
      clumps.set(at, {best: items[i], x, to: x, marks: 1});
    }
    for (const [at, clump] of clumps) flush(at, clump);
  }

  function rank(index) {
    const chosen = index === picked.selected || picked.chain.has(index) || picked.found.has(index);
    return model.items[index].weight + (chosen ? 100 : 0);
  }

  function drawHalo(x, y, r) {
    ctx.strokeStyle = colours.accent;
    ctx.lineWidth = 2;
    ctx.beginPath();
    ctx.arc(x, y, r, 0, 7);
    ctx.stroke();
  }

  function drawRing(index, pinned) {
    const at = pointOf(index);
    if (at === null) return;
    ctx.setLineDash(pinned ? [] : [3, 2]);
    drawHalo(at.x, at.y, 9);
    ctx.setLineDash([]);
  }

  // --- From cause to effect ---

  function pointOf(index) {
    const item = model.items[index];
    const row = layout.rowOf(item);
    if (row === undefined) return null;
    const y = AXIS_HEIGHT + row.y - view.scrollY + (item.bar ? 8.5 + 9 * item.bar.row : row.height / 2);
    return {x: px(positions.ofItem(index)), y};
  }

  function drawArrows() {
    const about = picked.selected ?? picked.hovered;
    if (about !== null) {
      for (const index of picked.chain) {
        for (const cause of model.items[index].causes) if (picked.chain.has(cause)) arrow(cause, index, colours.accent, 1.75);
      }
      for (const effect of (model.effects.get(about) ?? []).slice(0, 200)) arrow(about, effect, colours.lost, 1.5);
      return;
    }
    // Without a choice: all there are, if that are few.
    const low = positions.firstLine(left);
    const shown = [];
    for (let line = low; line < model.lines.length && positions.of(line, 0) <= right; line++) {
      for (let i = model.lines[line].first; i < model.lines[line].end; i++) {
        if (!TELLING.has(model.items[i].mark)) continue;
        for (const cause of model.items[i].causes) {
          if (model.items[cause].mark === 'line') continue;
          shown.push([cause, i]);
          if (shown.length > FEW_ARROWS) return;
        }
      }
    }
    ctx.globalAlpha = 0.45;
    for (const [cause, effect] of shown) arrow(cause, effect, colours.muted, 1);
    ctx.globalAlpha = 1;
  }

  function arrow(cause, effect, colour, thick) {
    const from = pointOf(cause);
    const to = pointOf(effect);
    if (from === null || to === null) return;
    if (Math.hypot(to.x - from.x, to.y - from.y) < SHORT_ARROW) return;
    spots.arrows++;
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    ctx.lineWidth = thick;
    const bend = Math.min(60, Math.max(14, Math.abs(to.x - from.x) / 2));
    const flat = Math.abs(to.y - from.y) < 2;
    const lift = flat ? -Math.min(16, 6 + Math.abs(to.x - from.x) / 12) : 0;
    const [ax, ay, bx, by] = [from.x + bend, from.y + lift, to.x - bend, to.y + lift];
    ctx.beginPath();
    ctx.moveTo(from.x, from.y);
    const straight = Math.abs(to.x - from.x) < 40 && !flat;
    if (straight) ctx.lineTo(to.x, to.y);
    else ctx.bezierCurveTo(ax, ay, bx, by, to.x, to.y);
    ctx.stroke();
    const angle = straight ? Math.atan2(to.y - from.y, to.x - from.x) : Math.atan2(to.y - by, to.x - bx);
    const [tipX, tipY] = [to.x - 5 * Math.cos(angle), to.y - 5 * Math.sin(angle)];
    ctx.beginPath();
    ctx.moveTo(tipX, tipY);
    ctx.lineTo(tipX - 8 * Math.cos(angle - 0.4), tipY - 8 * Math.sin(angle - 0.4));
    ctx.lineTo(tipX - 8 * Math.cos(angle + 0.4), tipY - 8 * Math.sin(angle + 0.4));
    ctx.closePath();
    ctx.fill();
  }

  // --- Axis and names ---

  function drawAxis() {
    ctx.fillStyle = colours.raised;
    ctx.fillRect(0, 0, width, AXIS_HEIGHT);
    ctx.fillStyle = colours.rule;
    ctx.fillRect(0, AXIS_HEIGHT - 1, width, 1);
    ctx.save();
    ctx.beginPath();
    ctx.rect(names, 0, width - names, height);
    ctx.clip();
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'left';
    ctx.font = SMALL;
    const taken = [];
    let freeFold = -Infinity;
    for (const fold of axis.breaks) {
      if (fold.to < left || fold.from > right) continue;
      const x = (px(fold.from) + px(fold.to)) / 2;
      if (x < freeFold) continue;
      const text = `⋯ ${lasting(fold.ms)}`;
      const wide = 10 + 6.5 * text.length;
      ctx.fillStyle = colours.muted;
      ctx.fillText(text, x - wide / 2 + 4, 10);
      taken.push([x - wide / 2, x + wide / 2]);
      freeFold = x + 1.3 * FOLDS_APART;
    }
    const exact = 60 / view.scale < 1000;
    const wide = exact ? 86 : 62;
    for (const {x, t} of ticks(axis, left, right, 96 / view.scale)) {
      const at = Math.round(px(x));
      if (taken.some(([from, to]) => at < to && from < at + wide)) continue;
      ctx.fillStyle = colours.muted;
      ctx.fillRect(at, 4, 1, 12);
      ctx.fillStyle = colours.text;
      ctx.fillText(clock(t, exact), at + 4, 10);
    }
    // The trace's lines, where there is room for their numbers.
    ctx.fillStyle = colours.muted;
    let free = -Infinity;
    for (let line = positions.firstLine(left); line < model.lines.length; line++) {
      const x = Math.round(px(positions.of(line, 0)));
      if (x > width) break;
      if (x < free) {
        // The next one that can have room, without looking at all between.
        line = Math.max(line, positions.firstLine(left + (free - names) / view.scale) - 1);
        continue;
      }
      ctx.fillRect(x, AXIS_HEIGHT - 6, 1, 5);
      const text = String(model.lines[line].line);
      ctx.fillText(text, x + 3, AXIS_HEIGHT - 10);
      free = x + 12 + 7 * text.length;
    }
    ctx.restore();
    ctx.fillStyle = colours.muted;
    ctx.font = SMALL;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'right';
    ctx.fillText(axis.timeAt(0) > 1e11 ? 'time (UTC)' : 'time', names - 10, 10);
    ctx.fillText('line of the trace', names - 10, AXIS_HEIGHT - 10);
    ctx.textAlign = 'left';
  }

  function drawNames() {
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, AXIS_HEIGHT, names, height - AXIS_HEIGHT);
    ctx.clip();
    ctx.fillStyle = colours.raised;
    ctx.fillRect(0, AXIS_HEIGHT, names, height);
    ctx.direction = 'ltr';
    const clientRoom = Math.round(names * 0.52);
    const chosen = picked.selected ?? picked.hovered;
    const chosenRow = chosen === null ? null : layout.rowOf(model.items[chosen]);
    for (const [row, y] of rows) {
      const middle = y + row.height / 2 + 0.5;
      if (row === chosenRow) {
        ctx.fillStyle = colours.pick;
        ctx.fillRect(0, y, names, row.height);
      }
      ctx.textBaseline = 'middle';
      if (row.kind !== 'lane') {
        ctx.font = row.kind === 'channel' ? `bold ${FONT}` : FONT;
        ctx.fillStyle = row.kind === 'channel' ? colours.text : colours.muted;
        ctx.fillText(short(ctx, row.label, names - 18), 10, middle);
        continue;
      }
      const member = model.members[row.lane.member];
      if (row.first) {
        ctx.fillStyle = colours.rule;
        ctx.fillRect(0, y, names, 1);
      }
      ctx.font = row.height > 20 ? FONT : SMALL;
      // A client's name stands at its first lane, or at the topmost in view.
      if (row.first || row === rows[0][0]) {
        ctx.fillStyle = colours.text;
        ctx.fillText(short(ctx, member.client, clientRoom - 14), 10, middle);
      } else {
        ctx.fillStyle = colours.rule;
        ctx.fillRect(14, y, 2, row.height);
      }
      ctx.fillStyle = colours.muted;
      ctx.font = SMALL;
      ctx.fillText(short(ctx, member.connection, names - clientRoom - 10), clientRoom, middle);
    }
    ctx.restore();
    ctx.fillStyle = colours.rule;
    ctx.fillRect(names - 1, 0, 1, height);
  }
}

// A text that fits, cut with an ellipsis where it must be. Measuring is slow, so it is remembered.
const SHORT = new Map();
function short(ctx, text, room) {
  const key = `${ctx.font} ${room} ${text}`;
  let found = SHORT.get(key);
  if (found === undefined) {
    found = text.length > 400 ? text.slice(0, 400) : text;
    while (found.length > 1 && ctx.measureText(found).width > room) {
      const cut = found.endsWith('…') ? found.slice(0, -2) : found.slice(0, -1);
      found = `${cut}…`;
    }
    if (SHORT.size > 5000) SHORT.clear();
    SHORT.set(key, found);
  }
  return found;
}
