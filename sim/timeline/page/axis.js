// Where each line of the trace stands on the axis. One unit is a millisecond; lines of the same
// time stand a unit apart, so that what came first is seen; and idle time may be folded.

// An idle time is longer than this many times what three of four lines wait for the one before.
const IDLE_TIMES = 8;
const LEAST_IDLE = 250;

// Finds in sorted numbers the first that is not below x.
export function lowerBound(sorted, x, end = sorted.length) {
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

// times: of each line, in ms, never going back. Returns the axis:
//   at          the position of each line
//   end         where it ends
//   breaks      [{from, to, ms}]: idle times that are folded
//   timeAt(x)   the time at a position, positionOf(t) the first position of a time
export function makeAxis(times, fold) {
  const n = times.length;
  const gaps = [];
  for (let i = 1; i < n; i++) if (times[i] > times[i - 1]) gaps.push(times[i] - times[i - 1]);
  gaps.sort((a, b) => a - b);
  const usual = gaps.length ? gaps[Math.floor(gaps.length * 0.75)] : 0;
  const idle = Math.max(LEAST_IDLE, IDLE_TIMES * usual);
  let active = n;
  let idles = 0;
  for (const gap of gaps) {
    if (gap > idle) idles++;
    else active += gap;
  }
  // All folds together take at most a third of the axis.
  const width = Math.min(idle, Math.max(8, active / Math.max(16, 2 * idles)));

  const at = new Float64Array(n);
  const breaks = [];
  let x = 1;
  for (let i = 0; i < n; i++) {
    const gap = i === 0 ? 0 : times[i] - times[i - 1];
    if (fold && gap > idle) {
      breaks.push({from: x + 1, to: x + width, ms: gap});
      x += width + 1;
    } else if (i > 0) {
      x += Math.max(1, gap);
    }
    at[i] = x;
  }
  const end = x + 2;

  return {
    at,
    end,
    breaks,
    timeAt(position) {
      if (n === 0) return 0;
      const i = lowerBound(at, position);
      if (i === 0) return times[0];
      if (i === n) return times[n - 1];
      const part = (position - at[i - 1]) / (at[i] - at[i - 1]);
      return times[i - 1] + part * (times[i] - times[i - 1]);
    },
    positionOf(t) {
      const i = lowerBound(times, t);
      if (i === 0) return n ? at[0] : 0;
      if (i === n) return at[n - 1];
      const part = (t - times[i - 1]) / (times[i] - times[i - 1]);
      return at[i - 1] + part * (at[i] - at[i - 1]);
    },
  };
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5,
               18e5, 36e5, 72e5, 216e5, 432e5, 864e5];

// Times to write on the axis between two positions, `apart` units or more from each other:
// [{x, t}]. None where the axis is folded or stretched.
export function ticks(axis, from, to, apart) {
  const step = STEPS.find((s) => s >= apart) ?? Math.ceil(apart / 864e5) * 864e5;
  const found = [];
  let last = -Infinity;
  for (let x = Math.max(from, axis.at[0] ?? 0); x <= to; x += apart / 2) {
    const t = Math.ceil(axis.timeAt(x) / step) * step;
    const at = axis.positionOf(t);
    if (at < last + apart * 0.9 || at > to || at < from) continue;
    if (Math.abs(axis.timeAt(at) - t) > step / 100 || inBreak(axis.breaks, at)) continue;
    found.push({x: at, t});
    last = at;
  }
  return found;
}

function inBreak(breaks, x) {
  let low = 0;
  let high = breaks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (breaks[middle].to < x) low = middle + 1;
    else high = middle;
  }
  return low < breaks.length && breaks[low].from < x;
}
