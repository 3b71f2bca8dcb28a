// The live rules are right about a good playlist that grows, and find each fault that is planted.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyDelta, goesBack, readLiveMedia } from './live_playlist.mjs';
import * as rules from './live_rules.mjs';
import { playThrough } from './stalls.mjs';

const begin_ms = Date.parse('2026-02-06T20:00:00.000Z');
const parts_each = 4;

/** Text of a playlist of one-second segments that ends with part `made` of all; the oldest is `from`. */
function text(made, { from = 0, skipped = 0, gaps = [] } = {}) {
  const [open, open_parts] = [Math.floor(made / parts_each), made % parts_each];
  const date = (n) => `#EXT-X-PROGRAM-DATE-TIME:${new Date(begin_ms + 1000 * n).toISOString()}`;
  const part = (n, p) => `#EXT-X-PART:DURATION=0.250000,URI="${n}.${p}.m4s"${p === 0 ? ',INDEPENDENT=YES' : ''}`;
  const missing = (n, p) => part(n, p).replace(/,INDEPENDENT=YES|$/, ',GAP=YES');
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${skipped ? 9 : 6}`, '#EXT-X-TARGETDURATION:1',
    '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.816,HOLD-BACK=3.0,CAN-SKIP-UNTIL=6.0',
    '#EXT-X-PART-INF:PART-TARGET=0.272', `#EXT-X-MEDIA-SEQUENCE:${from}`, '#EXT-X-INDEPENDENT-SEGMENTS',
    skipped ? `#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}` : '#EXT-X-MAP:URI="init.mp4"'];
  for (let n = from + skipped; n < open; n++) {
    lines.push(date(n));
    const is_gap = gaps.includes(n);
    if (n >= open - 3) for (let p = 0; p < parts_each; p++) lines.push(is_gap ? missing(n, p) : part(n, p));
    if (is_gap) lines.push('#EXT-X-GAP');
    lines.push('#EXTINF:1.000000,', `${n}.m4s`);
  }
  if (open_parts > 0) lines.push(date(open));
  for (let p = 0; p < open_parts; p++) lines.push(part(open, p));
  lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${open}.${open_parts}.m4s"`,
    `#EXT-X-RENDITION-REPORT:URI="../audio/index.m3u8",LAST-MSN=${open},LAST-PART=0`, '');
  return lines.join('\n');
}

function found(judge) {
  const names = [];
  judge((rule) => names.push(rule));
  return names;
}

const inOne = (playlist) => found((report) => rules.oneRules.forEach((rule) => rule(playlist, report)));
const edited = (from, to, made = 42) => {
  const before = text(made);
  const after = before.replace(from, to);
  assert.notEqual(after, before, `nothing to change: ${from}`);
  return readLiveMedia(after);
};

test('a good playlist that grows and slides has no findings', () => {
  let before = null;
  for (let made = 40; made < 80; made++) {
    const playlist = readLiveMedia(text(made, { from: Math.max(0, Math.floor(made / parts_each) - 14), gaps: [12] }));
    assert.deepEqual(inOne(playlist), []);
    assert.deepEqual(playlist.next, { msn: Math.floor(made / parts_each), part: made % parts_each });
    if (before) assert.deepEqual(found((report) => rules.growth(before, playlist, report)), []);
    assert.deepEqual(found((report) => rules.reports(playlist, ['audio'], report)), []);
    before = playlist;
  }
});

for (const [rule, from, to] of [
  ['4.4.1.1 EXTM3U', '#EXTM3U\n', ''],
  ['8 VERSION', 'VERSION:6', 'VERSION:10'],
  ['14.3 PART-HOLD-BACK', 'PART-HOLD-BACK=0.816', 'PART-HOLD-BACK=0.6'],
  ['14.3 CAN-SKIP-UNTIL', 'CAN-SKIP-UNTIL=6.0', 'CAN-SKIP-UNTIL=5.0'],
  ['B.1 CAN-BLOCK-RELOAD', 'CAN-BLOCK-RELOAD=YES,', ''],
  ['6.2.2 PLAYLIST-TYPE', '#EXT-X-MAP', '#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MAP'],
  ['4.4.3.1 EXTINF within target', '#EXTINF:1.000000', '#EXTINF:1.600000'],
  ['8.4 PROGRAM-DATE-TIME', /#EXT-X-PROGRAM.*\n/, ''],
  ['8.4 dates go on', '20:00:05.000Z', '20:00:05.100Z'],
  ['4.4.4.3 DISCONTINUITY', '#EXTINF:1.000000,\n6.m4s', '#EXT-X-DISCONTINUITY\n#EXTINF:1.000000,\n6.m4s'],
  ['4.4.4.9 part within target', 'DURATION=0.250000,URI="10.1', 'DURATION=0.280000,URI="10.1'],
  ['4.4.4.9 part at least 85 %', 'DURATION=0.250000,URI="10.1', 'DURATION=0.200000,URI="10.1'],
  ['7.4 a segment begins independently', 'URI="9.0.m4s",INDEPENDENT=YES', 'URI="9.0.m4s"'],
  ['numbers of parts', '9.1.m4s', '9.2.m4s'],
  ['parts make their segment', /.*"9.2.m4s"\n/, ''],
  ['6.2.2 parts of three targets', /.*"8.*m4s".*\n/g, ''],
  ['4.4.4.9 GAP of a part', 'URI="9.1.m4s"', 'URI="9.1.m4s",GAP=YES'],
  ['4.4.5.3 one hint of a type', /(#EXT-X-PRELOAD.*\n)/, '$1$1'],
  ['4.4.5.3 the hint is what comes next', /(PRELOAD.*)10.2/, '$110.3'],
]) {
  test(`a planted fault is found: ${rule}`, () => {
    assert.ok(inOne(edited(from, to)).includes(rule), inOne(edited(from, to)).join('; '));
  });
}

for (const [rule, from, to] of [
  ['6.2.1 target_s never changes', 'TARGETDURATION:1', 'TARGETDURATION:2'],
  ['4.4.3.8 SERVER-CONTROL never changes', 'HOLD-BACK=3.0', 'HOLD-BACK=4.0'],
  ['6.2.2 media sequence goes back', 'SEQUENCE:2', 'SEQUENCE:1'],
  ['6.2.1 duration_s of a segment never changes', '#EXTINF:1.000000', '#EXTINF:1.100000'],
  ['6.2.1 gap of a segment never changes', '#EXTINF:1.000000', '#EXT-X-GAP\n#EXTINF:1.000000'],
  ['6.2.1 date_ms of a segment never changes', '20:00:10.000Z', '20:00:10.001Z'],
  ['6.2.1 a part never changes', 'URI="10.0.m4s",INDEPENDENT=YES', 'URI="10.0.m4s"'],
  ['6.2.1 a segment is taken back', '#EXTINF:1.000000,\n9.m4s\n', ''],
]) {
  test(`a fault from one version to the next is found: ${rule}`, () => {
    const before = readLiveMedia(text(42, { from: 2 }));
    const good = text(43, { from: 2 });
    const after = good.replace(from, to);
    assert.notEqual(after, good);
    const names = found((report) => rules.growth(before, readLiveMedia(after), report));
    assert.ok(names.includes(rule), names.join('; '));
  });
}

test('too little may not be left of a playlist', () => {
  const names = found((report) => rules.growth(readLiveMedia(text(42, { from: 2 })), readLiveMedia(text(42, { from: 8 })), report));
  assert.deepEqual(names, ['8.11 six segments stay', '6.2.2 three targets stay']);
});

test('a channel that ends may take back the gaps at its end, and nothing else', () => {
  const before = readLiveMedia(text(44, { from: 2, gaps: [10] }));
  const ended = (from) => readLiveMedia(from.replace(/#EXT-X-PROGRAM[^\n]*\n(#EXT-X-PART[^\n]*\n)*(#EXT-X-GAP\n)?#EXTINF[^\n]*\n10[^]*/, '#EXT-X-ENDLIST\n'));
  const judge = (first, last) => found((report) => rules.growth(first, last, report));
  const after = ended(text(44, { from: 2, gaps: [10] }));
  assert.ok(after.ended && after.segments.at(-1).number === 9);
  assert.deepEqual(judge(before, after), []);
  assert.ok(!goesBack(before, after) && goesBack(before, { ...after, ended: false }));
  assert.deepEqual(judge(readLiveMedia(text(44, { from: 2 })), after), ['6.2.1 a segment is taken back']);
});

test('a delta update stands for the whole, or is found not to', () => {
  const [before, whole] = [text(60), text(62)].map(readLiveMedia);
  const update = readLiveMedia(text(62, { skipped: 8 }));
  assert.deepEqual(applyDelta(before, update).segments.map(({ uri }) => uri), whole.segments.map(({ uri }) => uri));
  const judge = (delta, client = before) => found((report) => rules.delta(whole, client, delta, report));
  assert.deepEqual(judge(update), []);
  assert.deepEqual(judge(readLiveMedia(text(62, { skipped: 12 }))), ['4.4.5.2 skip boundary']);
  assert.deepEqual(judge(update, readLiveMedia(text(60, { from: 3 }))), ['6.2.5.1 delta']);
  assert.deepEqual(judge(readLiveMedia(text(62, { skipped: 8, gaps: [13] }))), ['6.2.5.1 delta']);
});

test('renditions are of one timeline, and report each other', () => {
  const [video, audio] = [text(42), text(43)].map(readLiveMedia);
  assert.deepEqual(found((report) => rules.together({ video, audio }, report)), []);
  const late = readLiveMedia(text(43).replaceAll('20:00:0', '20:00:1'));
  assert.ok(found((report) => rules.together({ video, late }, report)).includes('6.2.4 dates of all renditions'));
  const slow = readLiveMedia(text(43).replace('TARGETDURATION:1', 'TARGETDURATION:2'));
  assert.deepEqual(found((report) => rules.together({ video, slow }, report)), ['6.2.4 target_s of all renditions']);
  assert.deepEqual(found((report) => rules.reports(video, ['audio', 'v240'], report)), ['B.1 rendition reports']);
  const wrong = readLiveMedia(text(42).replace('LAST-MSN=10', 'LAST-MSN=4'));
  assert.deepEqual(found((report) => rules.reports(wrong, ['audio'], report)), ['4.4.5.4 rendition report']);
});

test('a viewer stands where nothing comes, and goes over gaps', () => {
  const piece = (at_ms, from_ms, seconds = 0.5, gap = false) => ({ at_ms, from_ms, to_ms: from_ms + 1000 * seconds, gap });
  const steady = Array.from({ length: 8 }, (_, i) => piece(500 * i, 10_000 + 500 * i));
  assert.deepEqual(playThrough(steady, 1.5, 3800), { stalls: [], stall_s: 0, gap_s: 0 });
  const late = [...steady, piece(6500, 14_000)];
  assert.equal(playThrough(late, 1.5, 6800).stall_s, 1.5);
  assert.equal(playThrough(late, 1.5, 6800).stalls.length, 1);
  const missing = [...steady, piece(4400, 14_000, 0.5, true), piece(4500, 14_500), piece(5000, 15_000)];
  assert.equal(playThrough(missing, 1.5, 5400).gap_s, 0.5);
});
