// The keys of the highlight desk. Pure but for the DOM event that actionFor() is shown.

/** [keys as they are shown, what they do, action, keys as events tell them] */
export const keyTable = [
  ['I', 'mark the beginning', 'markIn', ['i']],
  ['O', 'mark the end', 'markOut', ['o']],
  ['X', 'forget the marks', 'clear', ['x']],
  ['Space K', 'play or pause', 'toggle', [' ', 'k']],
  ['J', 'play backwards, faster with every press', 'backwards', ['j']],
  ['L', 'play, faster with every press', 'forwards', ['l']],
  ['←', 'a picture back', 'pictureBack', ['ArrowLeft']],
  ['→', 'a picture on', 'pictureOn', ['ArrowRight']],
  ['Shift ←', 'a second back', 'secondBack', ['Shift+ArrowLeft']],
  ['Shift →', 'a second on', 'secondOn', ['Shift+ArrowRight']],
  ['Home', 'go to the beginning mark', 'goIn', ['Home']],
  ['End', 'go to the end mark', 'goOut', ['End']],
  ['R', 'repeat what is marked', 'loop', ['r']],
  ['G', 'go live', 'goLive', ['g']],
  ['M', 'sound', 'mute', ['m']],
  ['+ −', 'zoom the timeline', 'zoomIn', ['+', '=']],
  ['', '', 'zoomOut', ['-']],
  ['0', 'see all of the timeline', 'zoomAll', ['0']],
  ['N', 'name the clip', 'name', ['n']],
  ['Enter P', 'publish', 'publish', ['Enter', 'p']],
  ['?', 'these keys', 'help', ['?']],
];

const actions = new Map(keyTable.flatMap(([, , action, keys]) => keys.map((key) => [key, action])));

/** The action of a keydown event, or null: in a field, keys write; Enter on a button presses it. */
export function actionFor(event) {
  if (event.repeat && !event.key.startsWith('Arrow')) return null;
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.target.closest?.('input, select, textarea, dialog')) return null;
  if (['Enter', ' '].includes(event.key) && event.target.closest?.('button, a, summary')) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const shifted = event.shiftKey && key.length > 1 ? `Shift+${key}` : key;
  return actions.get(shifted) ?? null;
}
