// A small correct HLS presentation made by the ffmpeg command: two video rungs and one audio
// rendition, as files for a static server. What our own packager makes must be at least as good.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { boxes, readInit, readSegment } from '../tools/fmp4.mjs';

const playlist = { 'content-type': 'application/vnd.apple.mpegurl' };
const immutable = { 'cache-control': 'public, max-age=31536000, immutable' };

/** Map of path → file under `/demo/sample/`; `seconds` should be a multiple of 2. */
export function makeHlsSample({ seconds = 8 } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torchrelay-hls-'));
  try {
    const rungs = { low: ['256x144', 'main', '12'], high: ['640x360', 'high', '31'] };
    for (const [name, [size, profile, level]] of Object.entries(rungs)) {
      make(folder, name, ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25:duration=${seconds}`,
        '-c:v', 'libx264', '-preset', 'superfast', '-profile:v', profile, '-level', level, '-bf', '0',
        '-g', '50', '-keyint_min', '50', '-sc_threshold', '0', '-pix_fmt', 'yuv420p']);
    }
    // A little shorter, so that the last AAC frame does not become a segment of its own.
    make(folder, 'audio', ['-f', 'lavfi', '-i', `sine=sample_rate=48000:duration=${seconds - 0.03}`,
      '-c:a', 'aac', '-ac', '2', '-b:a', '96k']);
    return collect(folder, seconds);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function make(folder, name, args) {
  fs.mkdirSync(path.join(folder, name));
  execFileSync('ffmpeg', ['-v', 'error', ...args, '-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod',
    '-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'init.mp4', '-hls_flags', 'independent_segments',
    '-hls_segment_filename', path.join(folder, name, '%d.m4s'), path.join(folder, name, 'index.m3u8')]);
}

function collect(folder, seconds) {
  const files = new Map();
  const rates = {};
  for (const name of ['low', 'high', 'audio']) {
    for (const file of fs.readdirSync(path.join(folder, name))) {
      const body = fs.readFileSync(path.join(folder, name, file));
      files.set(`/demo/sample/1/${name}/${file}`, { body, headers: headersOf(file) });
    }
    rates[name] = ratesOf(files, name, seconds);
    if (name !== 'audio') rates[name].keys = addIFrames(files, name);
  }
  files.set('/demo/sample/index.m3u8', { headers: playlist, body: Buffer.from(multivariant(rates)) });
  return files;
}

function headersOf(file) {
  if (file.endsWith('.m3u8')) return playlist;
  return { 'content-type': file.endsWith('.mp4') ? 'video/mp4' : 'video/iso.segment', ...immutable };
}

function ratesOf(files, name, seconds) {
  const sizes = [...files].filter(([file]) => file.startsWith(`/demo/sample/1/${name}/`) && file.endsWith('.m4s'))
    .map(([, { body }]) => 8 * body.length);
  return { average: sizes.reduce((a, b) => a + b, 0) / seconds, peak: Math.max(...sizes) / 2 };
}

/** An I-frame a segment, which begins with it; returns their peak rate. */
function addIFrames(files, name) {
  const folder = `/demo/sample/1/${name}`;
  const init = readInit(files.get(`${folder}/init.mp4`).body);
  let peak = 0;
  const text = files.get(`${folder}/index.m3u8`).body.toString().replace(/(.+)\n(\d+\.m4s)/g, (_, line, file) => {
    const { body } = files.get(`${folder}/${file}`);
    const [first] = readSegment(body, init).samples;
    const { start } = boxes(body).find(({ type }) => type === 'moof');
    const length = first.offset + first.size - start;
    peak = Math.max(peak, 8 * length / 2);
    return `${line}\n#EXT-X-BYTERANGE:${length}@${start}\n${file}`;
  });
  files.set(`${folder}/iframes.m3u8`, { headers: playlist,
    body: Buffer.from(text.replace('#EXT-X-PLAYLIST-TYPE', '#EXT-X-I-FRAMES-ONLY\n#EXT-X-PLAYLIST-TYPE')) });
  return peak;
}

function multivariant({ low, high, audio }) {
  const variant = (name, rate, codec, size) => `#EXT-X-STREAM-INF:BANDWIDTH=${Math.round(rate.peak + audio.peak)},` +
    `AVERAGE-BANDWIDTH=${Math.round(rate.average + audio.average)},CODECS="${codec},mp4a.40.2",` +
    `RESOLUTION=${size},FRAME-RATE=25.000,AUDIO="audio"\n1/${name}/index.m3u8\n`;
  const iFrames = (name, rate, codec, size) => `#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=${Math.round(rate.keys)},` +
    `CODECS="${codec}",RESOLUTION=${size},URI="1/${name}/iframes.m3u8"\n`;
  const sound = `#EXT-X-STREAM-INF:BANDWIDTH=${Math.round(audio.peak)},AVERAGE-BANDWIDTH=${Math.round(audio.average)},` +
    'CODECS="mp4a.40.2",AUDIO="audio"\n1/audio/index.m3u8\n';
  return '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n' +
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Main",LANGUAGE="und",DEFAULT=YES,URI="1/audio/index.m3u8"\n' +
    variant('low', low, 'avc1.4d400c', '256x144') + variant('high', high, 'avc1.64001f', '640x360') + sound +
    iFrames('low', low, 'avc1.4d400c', '256x144') + iFrames('high', high, 'avc1.64001f', '640x360');
}
