// A camera with its microphone: a moving picture in real time with the number of each frame in it, and a tone,
// pushed by ffmpeg. Both come from here: ffmpeg would hold back the one whose clock began first.

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { paint } from './time_code.mjs';
import { nowMs } from './taps.mjs';

const loop_frames = 50;
const sound_rate = 48_000;

/** Frames of a test picture, yuv420p, in memory. */
function film(folder, width, height, rate) {
  const file = join(folder, `film-${width}x${height}.yuv`);
  const made = spawnSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=s=${width}x${height}:r=${rate}`,
    '-vf', 'noise=alls=5:allf=t', '-frames:v', String(loop_frames), '-pix_fmt', 'yuv420p', '-f', 'rawvideo', file],
  { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`ffmpeg failed: ${made.stderr ?? made.error}`);
  const bytes = readFileSync(file);
  const frame_bytes = bytes.length / loop_frames;
  return Array.from({ length: loop_frames }, (_, i) => bytes.subarray(i * frame_bytes, (i + 1) * frame_bytes));
}

/** Samples of a 440 Hz tone, 16 bits, mono. */
function tone(from, count) {
  const samples = Buffer.alloc(2 * count);
  for (let i = 0; i < count; i++) samples.writeInt16LE(Math.round(3000 * Math.sin(2 * Math.PI * 440 * (from + i) / sound_rate)), 2 * i);
  return samples;
}

/**
 * {taken: [ms at which frame i was handed to the encoder], stop()}
 * @param {string} to rtmp:// or srt://
 */
export function startCamera(to, { folder, size, rate = 25, group = 50, kbit_s = 3000 }) {
  const [width, height] = size.split('x').map(Number);
  const frames = film(folder, width, height, rate);
  const over = to.startsWith('rtmp') ? ['-f', 'flv'] : ['-f', 'mpegts', '-muxdelay', '0', '-muxpreload', '0', '-flush_packets', '1'];
  const encoder = spawn('ffmpeg', ['-v', 'error', '-nostdin', '-fflags', 'nobuffer', '-probesize', '32',
    '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', size, '-framerate', String(rate), '-i', 'pipe:0',
    '-probesize', '32', '-f', 's16le', '-ar', String(sound_rate), '-ac', '1', '-i', 'pipe:3',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', String(group), '-bf', '0',
    '-b:v', `${kbit_s}k`, '-maxrate', `${kbit_s}k`, '-bufsize', `${kbit_s / 4}k`, '-c:a', 'aac', ...over, to],
  { stdio: ['pipe', 'ignore', 'pipe', 'pipe'] });
  let said = '';
  encoder.stderr.on('data', (text) => { said += text; });
  const [picture, , , sound] = encoder.stdio;
  for (const pipe of [picture, sound]) pipe.on('error', () => {});
  const samples = sound_rate / rate;
  const ended = new Promise((resolve) => encoder.on('exit', resolve));
  const taken = [];
  const begun = performance.now();
  let timer;
  const take = () => {
    const number = taken.length;
    const frame = Buffer.from(frames[number % loop_frames]);
    paint(frame, width, height, number);
    taken.push(nowMs());
    picture.write(frame);
    sound.write(tone(number * samples, samples));
    timer = setTimeout(take, Math.max(0, begun + (number + 1) * 1000 / rate - performance.now()));
  };
  take();
  return { taken, pid: encoder.pid, said: () => said,
    stop: async () => {
      clearTimeout(timer);
      encoder.kill('SIGKILL');
      await ended;
    } };
}
