// A viewer in Chromium: which frame is on the screen when, and whether it stands still.

import { blocks, readBlocks, strip } from './time_code.mjs';

const still_ms = 250;  // without going on: a stall

/** Runs in the page: notes every frame that is shown. */
function watchScreen({ read, count, height, stall_ms }) {
  const readBlocksHere = new Function(`return ${read}`)();
  const video = document.querySelector('video');
  const canvas = new OffscreenCanvas(count, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const seen = window.seen = { frames: [], stalls: [], unread: 0, by_date: [] };
  const onFrame = (now, { expectedDisplayTime }) => {
    video.requestVideoFrameCallback(onFrame);
    context.drawImage(video, 0, video.videoHeight * height / 3, video.videoWidth, video.videoHeight * height / 3, 0, 0, count, 1);
    const { data } = context.getImageData(0, 0, count, 1);
    const number = readBlocksHere(Array.from({ length: count }, (_, i) => data[4 * i + 1]), count);
    if (number === null) seen.unread += 1;
    else seen.frames.push([number, performance.timeOrigin + Math.max(now, expectedDisplayTime)]);
  };
  video.requestVideoFrameCallback(onFrame);
  let last = video.currentTime, since = performance.now(), standing = null;
  setInterval(() => {
    const now = performance.now();
    const date = window.torchrelay?.hls?.playingDate;
    if (date) seen.by_date.push(Date.now() - date.getTime());
    if (video.currentTime !== last) {
      [last, since, standing] = [video.currentTime, now, null];
    } else if (now - since >= stall_ms) {
      if (!standing) seen.stalls.push(standing = { at_s: video.currentTime, ms: 0 });
      standing.ms = now - since;
    }
  }, 50);
}

export const startWatching = (page) => page.evaluate(watchScreen,
  { read: readBlocks.toString(), count: blocks, height: strip, stall_ms: still_ms });

/** {frames: [[number, ms]], stalls: [{at_s, ms}], unread, by_date: [ms behind, by the playlist's dates]} */
export const whatWasSeen = (page) => page.evaluate(() => window.seen);
