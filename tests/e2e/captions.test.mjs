// Captions inside the pictures (CEA-608) reach the viewer's menu and screen.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, playsPast } from '../support/browser.mjs';
import { upload, waitForState } from '../support/broadcaster.mjs';
import { captionedClip } from '../support/captions.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin, temporaryFolder } from '../support/torchrelay.mjs';

const folder = temporaryFolder('captions');
let origin;
let browser;

before(async () => {
  origin = await startOrigin({ transcoder: { encoding: { passthrough: false } } });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await cleanUp(origin);
  fs.rmSync(folder, { recursive: true });
});

/** [{label, texts}] of the page's caption tracks. */
const tracks = (page) => page.evaluate(() => [...document.querySelector('video').textTracks]
  .filter(({ kind }) => kind === 'captions')
  .map((track) => {
    if (track.mode === 'disabled') track.mode = 'hidden';
    return { label: track.label, texts: [...track.cues ?? []].map(({ text }) => text.trim()) };
  }));

test('hls.js offers a track of captions and shows their words', async (t) => {
  const captions = ['GOOD EVENING', 'FROM TOKYO'];
  await upload(origin, 'demo/videos/spoken', captionedClip(folder, { captions }));
  await waitForState(origin, 'demo/spoken', 'ready');
  // A known limit: in some loads (2 of 75) hls.js reads the words and its track stays empty.
  let found = null;
  let page;
  for (let load = 0; load < 3 && !found; load += 1) {
    page = await openPage(browser, `${origin.url}/watch/demo/spoken`);
    t.after(page.context().close.bind(page.context()));
    await playsPast(page, 1);
    found = await until('the captions', async () => {
      const [track, ...others] = await tracks(page);
      return track?.texts.length >= captions.length && others.length === 0 ? track : null;
    }, { deadline_ms: 10_000 }).catch(() => null);
  }
  assert.ok(found, 'no load of three showed the captions');
  assert.equal(found.label, 'CC1');
  assert.deepEqual([...new Set(found.texts)], captions);
  assert.deepEqual(page.said, []);
});
