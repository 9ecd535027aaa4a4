// Positions of lines and items on an axis. Items of one line follow each other closely, in their
// order, and take less than a unit together.
import {lowerBound} from './axis.js';

const SPREAD = 0.7;

export function makePositions(model, axis) {
  const {at, end} = axis;
  const of = (line, offset) => (line < at.length ? at[line] + SPREAD * offset : end);
  const ofItems = Float64Array.from(model.items, (item) => of(item.line, item.offset));
  return {
    of,
    ofItem: (index) => ofItems[index],
    // The first of some items, in their order, that is not before x: its place in the list.
    firstFrom(items, x) {
      let low = 0;
      let high = items.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (ofItems[items[middle]] < x) low = middle + 1;
        else high = middle;
      }
      return low;
    },
    firstLine: (x) => lowerBound(at, x),
  };
}
