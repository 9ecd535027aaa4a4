// Texts of a session for people: what was written to fool the eye is shown as what it is.

const DECEIVING = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

// The text with control characters and those that turn the direction of writing as escapes.
export function plain(text) {
  return text.replace(DECEIVING, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
}

const two = (n) => String(n).padStart(2, '0');
const three = (n) => String(n).padStart(3, '0');

// Before this a time is no date but counted from the beginning of the trace.
const DATES_FROM = 1e11;

// A moment, as the text output of a replay writes it: 23:32:22.177, in UTC.
export function clock(t, exact = true) {
  if (Math.abs(t) < DATES_FROM || Math.abs(t) > 8e15) return `${t} ms`;
  const d = new Date(t);
  const seconds = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
  return exact ? `${seconds}.${three(d.getUTCMilliseconds())}` : seconds;
}

// The day of a moment, or nothing if it is none.
export function day(t) {
  if (Math.abs(t) < DATES_FROM || Math.abs(t) > 8e15) return '';
  return new Date(t).toISOString().slice(0, 10);
}

// How long something took: 45 ms, 3.2 s, 12 min, 5 h, 3 d.
export function lasting(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${+(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

// "1 member", "2 members".
export function count(n, one, many = one + 's') {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}
