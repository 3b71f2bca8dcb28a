// Where a player begins in a playlist that still grows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beforeGap, startingEarly } from '../../origin/web/beginnings.js';

const text = (...lines) => `${lines.join('\n')}\n`;
const head = ['#EXTM3U', '#EXT-X-TARGETDURATION:1', '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.0',
  '#EXT-X-PART-INF:PART-TARGET=0.500', '#EXT-X-MEDIA-SEQUENCE:7', '#EXT-X-MAP:URI="init.mp4"'];
const parts = (number, ...more) => more.map((gap, i) => `#EXT-X-PART:DURATION=0.5,URI="${number}.${i}.m4s"${gap}`);
const segment = (number, ...more) => ['#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z', ...more, '#EXTINF:1.000000,', `${number}.m4s`];
const whole = (number) => segment(number, ...parts(number, ',INDEPENDENT=YES', ''));
const gap = (number, first = ',GAP=YES') => segment(number, ...parts(number, first, ',GAP=YES'), '#EXT-X-GAP');
const hint = ['#EXT-X-PRELOAD-HINT:TYPE=PART,URI="10.0.m4s"', '#EXT-X-RENDITION-REPORT:URI="a",LAST-MSN=9'];

test('a gap at the end is left out, and with it what is of parts', () => {
  const made = [...head.filter((line) => !/SERVER-CONTROL|PART-INF/.test(line)), ...segment(7)];
  assert.equal(beforeGap(text(...head, ...whole(7), ...gap(8), ...gap(9), ...hint)), text(...made));
  assert.equal(beforeGap(text(...head, ...whole(7), ...gap(8, ''), ...parts(9, ',GAP=YES'))), text(...made), 'one that had begun');
  const earlier = beforeGap(text(...head, ...whole(7), ...gap(8), ...whole(9), ...gap(10)));
  assert.match(earlier, /#EXT-X-GAP\n#EXTINF:1.000000,\n8.m4s\n[^]*\n9.m4s\n$/);
});

test('a playlist that has something behind its gaps, or nothing before them, stays', () => {
  for (const lines of [whole(7), [...whole(7), ...gap(8), ...whole(9)], [...whole(7), ...gap(8), ...parts(9, ',INDEPENDENT=YES')],
    gap(7), [], [...whole(7), ...gap(8), '#EXT-X-ENDLIST'], ['#EXT-X-PLAYLIST-TYPE:EVENT', ...whole(7), ...gap(8)]])
    assert.equal(beforeGap(text(...head, ...lines, ...hint)), null, lines.join('\n'));
});

test('what is still being encoded starts with its first picture', () => {
  assert.match(startingEarly(text(...head, '#EXT-X-PLAYLIST-TYPE:EVENT')), /EVENT\n#EXT-X-START:TIME-OFFSET=0\n/);
  assert.equal(startingEarly(text(...head, ...whole(7))), text(...head, ...whole(7)));
});
