// H.264 with CEA-608 captions in it, which no ffmpeg of Debian 12 writes: they are put between the NAL
// units of a stream that it made (ATSC A/53 part 4, 6.2.3; CEA-608). And what a rendition says.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const nal_slice = 1;
const nal_idr = 5;
const startCode = Buffer.from([0, 0, 0, 1]);
const resumeLoading = [0x14, 0x20];
const endOfCaption = [0x14, 0x2f];
const eraseDisplayed = [0x14, 0x2c];
const row15 = [0x14, 0x70];

/**
 * Path of an MP4 in `folder` whose pictures say `captions` on CC1, one after the other, each shown for
 * `every` pictures; then they are erased.
 * @param {string[]} captions  capitals and digits, of even length
 */
export function captionedClip(folder, { captions, every = 25, rate = 25, size = '320x180', audio = true }) {
  const file = (name) => path.join(folder, name);
  const pictures = (captions.length + 1) * every;
  ffmpeg('-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}`, '-frames:v', String(pictures),
    '-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-bf', '0', '-sc_threshold', '0',
    '-g', String(2 * rate), '-f', 'h264', file('plain.264'));
  const stream = withCaptions(fs.readFileSync(file('plain.264')), pairsOf(captions, every));
  fs.writeFileSync(file('captioned.264'), stream);
  const sound = audio ? ['-f', 'lavfi', '-i', `sine=duration=${pictures / rate}`, '-c:a', 'aac'] : [];
  ffmpeg('-f', 'h264', '-r', String(rate), '-i', file('captioned.264'), ...sound, '-c:v', 'copy',
    file('captioned.mp4'));
  return file('captioned.mp4');
}

/** The lines that a decoder of CC1 shows of a video file. */
export function captionsIn(file) {
  const srt = execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', `movie=${file}[out+subcc]`,
    '-map', '0:s', '-f', 'srt', '-']).toString();
  const isText = (line) => line !== '' && !/^\d+$|-->/.test(line);
  return srt.split(/\r?\n/).filter(isText).map((line) => line.replace(/<[^>]*>|\{[^}]*\}|\\h/g, '').trim());
}

function ffmpeg(...args) {
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args]);
}

/** A pair for each picture. Commands come twice, as they do on the air. */
function pairsOf(captions, every) {
  const pairs = captions.flatMap((text) => {
    const letters = [...text].map((letter) => letter.charCodeAt(0));
    const words = Array.from({ length: letters.length / 2 }, (_, i) => letters.slice(2 * i, 2 * i + 2));
    return padded([resumeLoading, resumeLoading, row15, row15, ...words, endOfCaption, endOfCaption], every);
  });
  return [...pairs, ...padded([eraseDisplayed, eraseDisplayed], every)];
}

function padded(pairs, length) {
  if (pairs.length > length) throw new Error(`${pairs.length} pairs in ${length} pictures`);
  return [...pairs, ...Array(length - pairs.length).fill([0, 0])];
}

function withCaptions(stream, pairs) {
  const out = [];
  let picture = 0;
  for (const unit of unitsOf(stream)) {
    if ([nal_slice, nal_idr].includes(unit[0] & 31)) out.push(startCode, captionUnit(pairs[picture++]));
    out.push(startCode, unit);
  }
  return Buffer.concat(out);
}

function* unitsOf(stream) {
  const mark = Buffer.from([0, 0, 1]);
  for (let at = stream.indexOf(mark); at >= 0;) {
    const next = stream.indexOf(mark, at + 3);
    let end = next < 0 ? stream.length : next;
    while (stream[end - 1] === 0) end -= 1;
    yield stream.subarray(at + 3, end);
    at = next;
  }
}

/** SEI, user data registered by ITU-T T.35: ATSC's "GA94" with one pair of field 1. */
function captionUnit(pair) {
  const data = [0xb5, 0x00, 0x31, ...Buffer.from('GA94'), 3, 0x41, 0xff, 0xfc, ...pair.map(withParity), 0xff];
  return escaped([6, 4, data.length, ...data, 0x80]);
}

/** An odd number of ones. */
function withParity(byte) {
  const ones = byte.toString(2).replaceAll('0', '').length;
  return ones % 2 === 1 ? byte : byte | 0x80;
}

/** With emulation prevention bytes (H.264 7.4.1). */
function escaped(bytes) {
  const out = [];
  for (const byte of bytes) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return Buffer.from(out);
}
