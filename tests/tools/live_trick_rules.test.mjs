// The rules of I-frame and image playlists are right about good ones that slide, and find each planted fault.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLiveMedia } from './live_playlist.mjs';
import * as rules from './live_trick_rules.mjs';
import { readTrickPlaylist } from './trick_play.mjs';

const begin_ms = Date.parse('2026-02-06T20:00:00.000Z');
const at = 'http://origin/demo/final/v1';
const control = '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=6.0';
const dateOf = (seconds) => `#EXT-X-PROGRAM-DATE-TIME:${new Date(begin_ms + 1000 * seconds).toISOString()}`;
const head = (sequence) => ['#EXTM3U', '#EXT-X-VERSION:6', '#EXT-X-TARGETDURATION:2', `#EXT-X-MEDIA-SEQUENCE:${sequence}`, control];

/** Segments of two seconds from `from` to `to`; segment 9 is a gap. */
function media(from, to) {
  const lines = [...head(from), '#EXT-X-MAP:URI="init.mp4"'];
  for (let n = from; n < to; n++) {
    lines.push(dateOf(2 * n));
    if (n === 9) lines.push('#EXT-X-GAP');
    lines.push('#EXTINF:2.000000,', `${n}.m4s`);
  }
  return readLiveMedia([...lines, ''].join('\n'));
}

/** Two key pictures a segment. */
function frames(from, to) {
  const lines = [...head(2 * from), '#EXT-X-I-FRAMES-ONLY', '#EXT-X-MAP:URI="init.mp4"'];
  for (let k = 2 * from; k < 2 * to; k++) {
    const n = Math.floor(k / 2);
    lines.push(dateOf(k));
    if (n === 9) lines.push('#EXT-X-GAP');
    lines.push('#EXTINF:1.000000,');
    if (n !== 9) lines.push(`#EXT-X-BYTERANGE:500@${1000 * (k % 2)}`);
    lines.push(`${n}.m4s`);
  }
  return [...lines, ''].join('\n');
}

function sheets(from, to) {
  const lines = [...head(from), '#EXT-X-IMAGES-ONLY'];
  for (let n = from; n < to; n++) {
    lines.push(dateOf(2 * n), '#EXTINF:2.000000,', '#EXT-X-TILES:RESOLUTION=240x136,LAYOUT=2x1,DURATION=1.0', `${n}.jpg`);
  }
  return [...lines, ''].join('\n');
}

const kinds = {
  'I-FRAMES': { write: frames, read: (text) => readTrickPlaylist(text, `${at}/v360/iframes.m3u8`) },
  IMAGES: { write: sheets, read: (text) => readTrickPlaylist(text, `${at}/thumbnails/index.m3u8`) },
};
const map = `${at}/v360/init.mp4`;

function found(judge) {
  const names = [];
  judge((rule) => names.push(rule));
  return names;
}

for (const [contents, { write, read }] of Object.entries(kinds)) {
  test(`a good playlist of ${contents} slides without findings`, () => {
    for (let from = 2; from < 12; from++) {
      const [before, after] = [read(write(from - 1, from + 5)), read(write(from, from + 6))];
      assert.deepEqual(found((report) => {
        rules.alone(after, contents, report);
        rules.growth(before, after, report);
        rules.beside(after, media(from, from + 6), map, report);
      }), []);
    }
  });
}

for (const [rule, contents, from, to] of [
  ['EXT-X-I-FRAMES-ONLY', 'I-FRAMES', '#EXT-X-I-FRAMES-ONLY\n', ''],
  ['EXT-X-IMAGES-ONLY', 'IMAGES', '#EXT-X-IMAGES-ONLY\n', ''],
  ['6.2.2 PLAYLIST-TYPE', 'IMAGES', '#EXT-X-IMAGES', '#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-IMAGES'],
  ['4.4.4.3 DISCONTINUITY', 'I-FRAMES', '#EXTINF', '#EXT-X-DISCONTINUITY\n#EXTINF'],
  ['4.4.3.1 EXTINF within target', 'IMAGES', '#EXTINF:2.000000', '#EXTINF:2.600000'],
  ['8.4 PROGRAM-DATE-TIME', 'I-FRAMES', /#EXT-X-PROGRAM.*\n/, ''],
  ['8.4 dates go on', 'I-FRAMES', '20:00:05.000Z', '20:00:05.100Z'],
  ['6.10 EXT-X-BYTERANGE', 'I-FRAMES', /#EXT-X-BYTERANGE.*\n/, ''],
  ['EXT-X-TILES', 'IMAGES', /#EXT-X-TILES.*\n/, ''],
  ['6.11 target duration', 'I-FRAMES', 'TARGETDURATION:2', 'TARGETDURATION:1'],
  ['4.4.3.8 SERVER-CONTROL of all playlists', 'IMAGES', 'HOLD-BACK=6.0', 'HOLD-BACK=5.0'],
  ['I-frames have the init of their pictures', 'I-FRAMES', 'init.mp4', 'other.mp4'],
  ['6.2.4 dates of all renditions', 'IMAGES', '20:00:04.000Z', '20:00:04.001Z'],
  ['as long as its segment', 'IMAGES', '#EXTINF:2.000000', '#EXTINF:1.900000'],
  ['a gap here as there', 'I-FRAMES', /#EXT-X-BYTERANGE.*\n/, '#EXT-X-GAP\n'],
]) {
  test(`a planted fault is found: ${rule}`, () => {
    const { write, read } = kinds[contents];
    const text = write(2, 10);
    const changed = text.replace(from, to);
    assert.notEqual(changed, text);
    const names = found((report) => {
      rules.alone(read(changed), contents, report);
      rules.beside(read(changed), media(2, 10), map, report);
    });
    assert.ok(names.includes(rule), names.join('; '));
  });
}

test('what was listed is neither changed nor taken back, and numbers stay', () => {
  const { read } = kinds['I-FRAMES'];
  const judge = (before, after) => found((report) => rules.growth(read(before), read(after), report));
  const before = frames(2, 10);
  assert.deepEqual(judge(before, before.replace('500@1000', '400@1000')), ['6.2.1 an entry never changes']);
  assert.ok(judge(before, before.replace('SEQUENCE:4', 'SEQUENCE:5')).includes('6.2.1 an entry never changes'));
  assert.ok(judge(before, before.replace('SEQUENCE:4', 'SEQUENCE:3')).includes('6.2.2 media sequence goes back'));
  assert.ok(judge(before, frames(2, 9)).includes('6.2.1 an entry is taken back'));
  assert.deepEqual(judge(before, `${frames(2, 9)}#EXT-X-ENDLIST\n`), [], 'a recording ends before a gap');
  assert.deepEqual(judge(before, frames(8, 10)), ['6.2.2 three targets stay']);
});
