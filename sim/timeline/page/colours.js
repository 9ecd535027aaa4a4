// The colours of the picture are those of the style sheet, light or dark.

const NAMES = ['ground', 'raised', 'text', 'muted', 'rule', 'accent', 'focus', 'pick', 'present', 'own', 'unseen', 'tomb', 'sync',
               'shade', 'enter', 'update', 'leave', 'lost', 'swept', 'stale', 'quiet', 'bad', 'good', 'wait',
               'attached', 'moving', 'off', 'failed'];

// Reads them; to be asked again when the scheme changes.
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

const STATES = {
  attached: 'attached', connected: 'attached', attaching: 'moving', detaching: 'moving', connecting: 'moving',
  suspended: 'failed', failed: 'failed', disconnected: 'moving', detached: 'off', closed: 'off', initialized: 'off',
};
export const colourOfState = (colours, state) => colours[STATES[state] ?? 'off'];
