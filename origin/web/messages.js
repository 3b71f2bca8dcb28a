// What the viewer is told, in words, when something is wrong. Pure.

/** A notice: `title`, `text`, and whether it may stand over a picture that still shows. */
const notice = (title, text) => ({ title, text });

export const messages = {
  loading: () => notice('Loading', 'One moment.'),
  missing: () => notice('There is nothing at this address',
    'The link may be wrong, or the broadcast is not there any more.'),
  removed: () => notice('This broadcast was taken down', 'It is not available any more.'),
  denied: () => notice('You may not watch this',
    'The rights-holder does not allow it here or at this time.'),
  processing: () => notice('This video is being prepared',
    'It starts by itself as soon as its first seconds are ready.'),
  failed: (reason) => notice('This video could not be prepared',
    reason || 'Its source could not be used.'),
  preparingNext: () => notice('The next seconds are still being prepared',
    'Playback goes on by itself.'),
  interrupted: () => notice('Nothing is being sent at the moment',
    'It goes on by itself when the broadcast does.'),
  unsupported: () => notice('This browser cannot play the video',
    'It has no support for streaming. A current Chrome, Edge, Firefox or Safari has.'),
  undecodable: () => notice('This device cannot decode the video',
    'Another browser or device may. A lower quality may help too.'),
  offline: () => notice('You are offline', 'It goes on by itself when the network is back.'),
  buffering: () => notice('Waiting for the network', 'Playback goes on by itself.'),
  unreachable: (seconds) => notice('The server does not answer', retrying(seconds)),
  serverTrouble: (status, seconds) =>
    notice(`The server has a problem (${status})`, retrying(seconds)),
};

function retrying(seconds) {
  return seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again now.';
}

/** Seconds until try number `attempt` (0, 1, 2 …): 1, 2, 4, 8, 15, 15 … */
export function backOff(attempt) {
  return Math.min(15, 2 ** attempt);
}
