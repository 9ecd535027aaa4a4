// Which rows the picture has, from top to bottom, and how high they are.

export const AXIS_HEIGHT = 40;
const HEAD = 24;
const TALL = 24;
const LOW = 18;
// More lanes than this are drawn lower.
const MANY_LANES = 40;

// The rows for a filter: [{kind, channel, lane, y, height, label}]. kind: frames,
// connection, channel, syncs, calls, lane.
export function makeRows(model, wantsClient) {
  const rows = [];
  let y = 0;
  const add = (kind, height, more) => {
    rows.push({kind, y, height, index: rows.length, channel: null, lane: null, first: false, ...more});
    y += height;
  };
  if (model.frames.marks.length > 0) add('frames', HEAD, {label: 'frames and lines', marks: model.frames.marks});
  if (model.connection.marks.length > 0) add('connection', HEAD, {label: 'connection', marks: model.connection.marks});
  const height = model.lanes.length > MANY_LANES ? LOW : TALL;
  for (const channel of model.channels) {
    add('channel', HEAD, {channel, label: channel.name, marks: channel.marks});
    if (channel.syncMarks.length > 0) add('syncs', HEAD, {channel, label: 'syncs', marks: channel.syncMarks});
    if (channel.callMarks.length > 0) {
      add('calls', Math.max(HEAD, 8 + 9 * channel.callRows + (channel.callFolds.length > 0 ? 14 : 0)), {channel, label: 'calls and answers', marks: channel.callMarks});
    }
    let last = null;
    for (const lane of channel.lanes) {
      const member = model.members[lane.member];
      if (!wantsClient(member.client)) continue;
      add('lane', height, {channel, lane, marks: lane.items, first: member.client !== last});
      last = member.client;
    }
  }
  const rowOfLane = new Map();
  const rowOfMarks = new Map();
  for (const row of rows) {
    if (row.lane !== null) rowOfLane.set(row.lane.index, row);
    else rowOfMarks.set(row.marks, row);
  }
  return {
    rows, height: y,
    // The row that an item is drawn in; undefined if the filter hides it.
    rowOf(item) { return item.lane >= 0 ? rowOfLane.get(item.lane) : rowOfMarks.get(item.place); },
    // The row at a height, or undefined.
    at(yOf) {
      let low = 0;
      let high = rows.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (rows[middle].y + rows[middle].height <= yOf) low = middle + 1;
        else high = middle;
      }
      return rows[low];
    },
  };
}
