// A camera: a moving picture in real time with the number of each frame in it, pushed by ffmpeg.

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { paint } from './time_code.mjs';
import { nowMs } from './taps.mjs';

const loop_frames = 50;

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
    '-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', String(group), '-bf', '0',
    '-b:v', `${kbit_s}k`, '-maxrate', `${kbit_s}k`, '-bufsize', `${kbit_s / 4}k`, '-c:a', 'aac', ...over, to],
  { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  encoder.stderr.on('data', (text) => { said += text; });
  encoder.stdin.on('error', () => {});
  const ended = new Promise((resolve) => encoder.on('exit', resolve));
  const taken = [];
  const begun = performance.now();
  let timer;
  const take = () => {
    const number = taken.length;
    const frame = Buffer.from(frames[number % loop_frames]);
    paint(frame, width, height, number);
    taken.push(nowMs());
    encoder.stdin.write(frame);
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
