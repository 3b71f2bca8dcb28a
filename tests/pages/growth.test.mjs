// When a page reads a multivariant playlist anew.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Growth, variantPaths } from '../../origin/web/growth.js';

const at = 'http://edge/demo/final/index.m3u8';
const variant = (name, more = '') => `#EXT-X-STREAM-INF:BANDWIDTH=9${more}\n1/${name}/index.m3u8\n`;
const sound = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Main",URI="1/audio/index.m3u8"\n';
const path = (name) => `/demo/final/1/${name}/index.m3u8`;

test('the sound alone is no variant to choose, where it is a rendition', () => {
  const both = `#EXTM3U\n${sound}${variant('v720')}${variant('v360')}${variant('audio', ',AUDIO="audio"')}`;
  assert.deepEqual(variantPaths(both, at), [path('v360'), path('v720')]);
  assert.deepEqual(variantPaths(`#EXTM3U\n${variant('audio')}`, at), [path('audio')]);
});

test('what is new is adopted once, also where hls.js leaves it out', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const text = `#EXTM3U\n${variant('v720')}${variant('of_no_use')}`;
  t.mock.method(globalThis, 'fetch', async () => ({ ok: true, url: at, text: async () => text }));
  let adopted = 0;
  const player = { growing: true, levels: [{ key: path('v720') }], adopt: () => { adopted += 1; } };
  const growth = new Growth(player, at);
  growth.start();
  for (let looks = 0; looks < 6; looks += 1) {
    t.mock.timers.tick(5000);
    for (let i = 0; i < 10; i += 1) await Promise.resolve();
    assert.equal(adopted, looks === 0 ? 0 : 1);
  }
  growth.stop();
});
