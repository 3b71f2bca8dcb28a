// Which tile of which sheet was to be seen at a moment.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Thumbnails, thumbnailsIn } from '../../origin/web/thumbnails.js';

const address = 'http://edge/demo/final/v1/thumbnails/index.m3u8';
const tiles = (columns) => `#EXT-X-TILES:RESOLUTION=240x136,LAYOUT=${columns}x1,DURATION=2.000000`;
const video = ['#EXTM3U', '#EXT-X-IMAGES-ONLY', '#EXTINF:1.000000,', tiles(1), '0.jpg', '#EXTINF:6.000000,', tiles(3),
  '1.jpg', '#EXTINF:2.500000,', tiles(2), '2.jpg', '#EXT-X-ENDLIST', ''].join('\n');

test('a video is asked by its seconds', () => {
  const thumbnails = new Thumbnails(video, address);
  const place = (seconds) => {
    const found = thumbnails.at(seconds);
    return found && [found.url.split('/').at(-1), found.x];
  };
  assert.deepEqual(place(0), ['0.jpg', 0]);
  assert.deepEqual(place(1), ['1.jpg', 0]);
  assert.deepEqual(place(4.9), ['1.jpg', 240]);
  assert.deepEqual(place(6.99), ['1.jpg', 480]);
  assert.deepEqual(place(9.4), ['2.jpg', 240]);
  assert.equal(place(9.5), null);
  assert.equal(thumbnails.at(4.9).url, 'http://edge/demo/final/v1/thumbnails/1.jpg');
  assert.equal(thumbnails.at(4.9).sheetWidth, 720);
  assert.equal(thumbnails.ended, true);
});

test('a clip may begin within a sheet of its source', () => {
  const clip = ['#EXTM3U', '#EXT-X-IMAGES-ONLY', '#EXTINF:4.500000,', `${tiles(3)},X-SKIP=1.500000`, '../../../race/v2/thumbnails/1.jpg',
    '#EXTINF:3.000000,', tiles(3), '../../../race/v2/thumbnails/2.jpg', '#EXT-X-ENDLIST', ''].join('\n');
  const thumbnails = new Thumbnails(clip, address);
  const places = [0, 0.4, 0.6, 2.6, 4.4, 4.6].map((seconds) => thumbnails.at(seconds)).map(({ x, time_s }) => [x, time_s]);
  assert.deepEqual(places, [[0, 0], [0, 0], [240, 0.5], [480, 2.5], [480, 2.5], [0, 4.5]]);
  assert.equal(thumbnails.at(0).url, 'http://edge/demo/race/v2/thumbnails/1.jpg');
});

test('a channel is asked by the date, and a gap has nothing to show', () => {
  const live = ['#EXTM3U', '#EXT-X-MEDIA-SEQUENCE:7', '#EXT-X-IMAGES-ONLY',
    '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z', '#EXTINF:4.000000,', tiles(2), '7.jpg',
    '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z', '#EXT-X-GAP', '#EXTINF:4.000000,', '8.jpg', ''].join('\n');
  const thumbnails = new Thumbnails(live, address);
  const begin = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(thumbnails.atDate(begin + 3500).x, 240);
  assert.equal(thumbnails.atDate(begin + 5000), null);
  assert.equal(thumbnails.atDate(begin - 1), null);
  assert.equal(thumbnails.ended, false);
});

test('the multivariant playlist tells where they are', () => {
  const text = '#EXTM3U\n#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=9,CODECS="jpeg",URI="v1/thumbnails/index.m3u8"\n';
  assert.equal(thumbnailsIn(text, 'http://edge/demo/final/index.m3u8'), address);
  assert.equal(thumbnailsIn('#EXTM3U\n', 'http://edge/demo/final/index.m3u8'), null);
});
