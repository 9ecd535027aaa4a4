// The keys, once: what they do, and what the help says of them.
export const KEYS = [
  {keys: ['w', '+'], shown: 'W', says: 'zoom in', does: 'zoomIn'},
  {keys: ['s', '-'], shown: 'S', says: 'zoom out', does: 'zoomOut'},
  {keys: ['a'], shown: 'A', says: 'go back in time', does: 'earlier'},
  {keys: ['d'], shown: 'D', says: 'go on in time', does: 'later'},
  {keys: ['f'], shown: 'F', says: 'fit the selection and its whys; without one, everything', does: 'fit'},
  {keys: ['0', 'Home'], shown: '0', says: 'fit everything', does: 'fitAll'},
  {keys: ['/'], shown: '/', says: 'search', does: 'search'},
  {keys: ['n'], shown: 'N', says: 'go to the next that was found (Shift: the one before)', does: 'next'},
  {keys: ['ArrowLeft'], shown: '←', says: 'go to the mark before, in this lane', does: 'markBefore'},
  {keys: ['ArrowRight'], shown: '→', says: 'go to the next mark in this lane', does: 'markAfter'},
  {keys: ['ArrowUp'], shown: '↑', says: 'go to the lane above', does: 'laneAbove'},
  {keys: ['ArrowDown'], shown: '↓', says: 'go to the lane below', does: 'laneBelow'},
  {keys: ['Enter', ' '], shown: 'Enter', says: 'pin, or unpin, the mark', does: 'pin'},
  {keys: ['t'], shown: 'T', says: 'table, or details', does: 'table'},
  {keys: ['Escape'], shown: 'Esc', says: 'let go of the selection', does: 'letGo'},
  {keys: ['?'], shown: '?', says: 'these keys', does: 'help'},
];

// What a pressed key asks for, or undefined.
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return KEYS.find(({keys}) => keys.includes(key))?.does;
}
