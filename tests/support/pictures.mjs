// What a video shows, picture by picture, as ffmpeg decodes it: small and grey, enough to tell which
// picture of a source one is.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

const [width, height] = [80, 45];

/** The pictures of a whole file, in the order of their showing. What ffmpeg complains of throws. */
export function picturesOf(bytes) {
  const { stdout, stderr } = spawnSync('ffmpeg', ['-v', 'warning', '-i', '-', '-map', '0:v:0', '-fps_mode', 'passthrough',
    '-vf', `scale=${width}:${height}`, '-pix_fmt', 'gray', '-f', 'rawvideo', '-'], { input: bytes, maxBuffer: 1 << 28 });
  assert.equal(stderr.toString(), '');
  const one = width * height;
  return Array.from({ length: stdout.length / one }, (_, i) => stdout.subarray(i * one, (i + 1) * one));
}

function distance(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}

/** Of which picture of `of` each of `pictures` is a copy, however coarse: the most similar one. */
export function placesIn(of, pictures) {
  return pictures.map((picture) => {
    const distances = of.map((other) => distance(picture, other));
    return distances.indexOf(Math.min(...distances));
  });
}

/** `count` whole numbers from `first` on. */
export const range = (first, count) => Array.from({ length: count }, (_, i) => first + i);

/** What ffmpeg makes of a whole file: it decodes everything, and says nothing. */
export function probe(bytes) {
  const options = { input: bytes, maxBuffer: 1 << 26 };
  const errors = spawnSync('ffmpeg', ['-v', 'warning', '-i', '-', '-f', 'null', '-'], options);
  assert.equal(errors.stderr.toString(), '');
  const seen = JSON.parse(spawnSync('ffprobe', ['-v', 'error', '-count_frames', '-show_streams',
    '-show_format', '-of', 'json', '-'], options).stdout);
  const video = seen.streams.find((one) => one.codec_type === 'video');
  return { kinds: seen.streams.map((one) => one.codec_type).sort(),
    duration_s: Number(seen.format.duration), frames: Number(video?.nb_read_frames) };
}
