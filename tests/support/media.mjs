// Small media made by the ffmpeg command, once a run and a recipe: a moving picture with a tone, so
// that both the picture and the sound can be seen to advance.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repository } from './program.mjs';

const cache = path.join(os.tmpdir(), `torchrelay-media-${process.getuid()}`);

/**
 * Path of a clip. `video: false` or `audio: false` leaves a track out; `h264: false` makes MPEG-2,
 * which can't be passed through.
 */
export function clip({ seconds = 6, size = '320x180', rate = 25, audio = true, video = true,
  h264 = true, keyframe_seconds = 2 } = {}) {
  const gop = Math.round(keyframe_seconds * rateOf(rate));
  const name = `clip_${seconds}s_${size}_${String(rate).replace('/', '-')}_${audio ? 'a' : ''}${video ? 'v' : ''}_` +
    `${h264 ? 'h264' : 'mpeg2'}_${keyframe_seconds}.${h264 ? 'mp4' : 'ts'}`;
  const codec = h264
    ? ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-x264-params',
      `keyint=${gop}:min-keyint=${gop}:scenecut=0`]
    : ['-c:v', 'mpeg2video', '-q:v', '4'];
  return made(name, [
    ...(video ? ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`] : []),
    ...(audio ? ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`] : []),
    ...(video ? codec : []), ...(audio ? ['-c:a', 'aac', '-b:a', '96k'] : []),
  ]);
}

/** Path of a JPEG with a picture that has edges and gradients. */
export function photo({ size = '1600x900' } = {}) {
  return made(`photo_${size}.jpg`, ['-f', 'lavfi', '-i', `testsrc2=size=${size}`, '-frames:v', '1']);
}

/** Path of a private test file, or null where the collection is not beside the checkout. */
export function shared(name) {
  const file = path.join(repository, '../shared/media', name);
  return fs.existsSync(file) ? file : null;
}

function made(name, args) {
  const file = path.join(cache, name);
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(cache, { recursive: true });
  const unfinished = path.join(cache, `${process.pid}_${name}`);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, unfinished]);
  fs.renameSync(unfinished, file);
  return file;
}

/** 25 or "30000/1001" as a number. */
function rateOf(rate) {
  const [frames, seconds = 1] = String(rate).split('/').map(Number);
  return frames / seconds;
}
