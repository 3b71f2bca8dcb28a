// Pages that are opened while nobody publishes on a channel: they show what was sent last, say why it stands,
// can be sought in, and play on when the feed is back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, playback, playsPast } from '../support/browser.mjs';
import { followLive, openChannel, publishTs, quickGrid, waitForAir } from '../support/live.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';

const segments_min = 6, gaps_min = 8;

let origin;
let browser;
let publisher;
let watching;

before(async () => {
  origin = await startOrigin({ settings: { live: quickGrid } });
  browser = await launchBrowser();
  await openChannel(origin, 'demo/final');
  publisher = publishTs(origin, 'demo/final', { size: '416x234' });
  const [url] = Object.values(await waitForAir(origin, 'demo/final'));
  await followLive(url, ({ segments }) => segments.length >= segments_min);
  await publisher.stop();
  await followLive(url, ({ segments }) => segments.length > gaps_min && segments.slice(-gaps_min).every(({ gap }) => gap));
});
after(async () => {
  await publisher?.stop();
  await browser?.close();
  await cleanUp(origin);
});

const showsPicture = (page) => page.waitForFunction(() => {
  const video = document.querySelector('video');
  return video.readyState >= video.HAVE_CURRENT_DATA && !video.seeking;
}, null, { timeout: 60_000 });

test('the watch page shows the last picture, and says that nothing is sent', async () => {
  watching = await openPage(browser, `${origin.url}/watch/demo/final`);
  await showsPicture(watching);
  await watching.getByText('Nothing is being sent at the moment').waitFor({ timeout: 60_000 });
  assert.ok((await playback(watching)).frames > 0);
});

test('the desk goes to what was sent before', async (t) => {
  const page = await openPage(browser, `${origin.url}/desk/demo/final`);
  t.after(() => page.context().close());
  await page.getByLabel('Key', { exact: true }).fill('demo-key');
  await page.getByRole('button', { name: 'Open' }).click();
  await showsPicture(page);
  const before = (await playback(page)).time_s;
  for (let i = 0; i < 3; i += 1) await page.keyboard.press('Shift+ArrowLeft');
  await page.waitForFunction((latest_s) => document.querySelector('video').currentTime < latest_s, before - 2);
  await showsPicture(page);
});

test('it plays on when the feed is back', async (t) => {
  t.after(() => watching.context().close());
  const { time_s } = await playback(watching);
  publisher = publishTs(origin, 'demo/final', { size: '416x234' });
  await playsPast(watching, time_s + gaps_min + 3, { deadline_ms: 60_000 });
  await watching.getByText('Nothing is being sent at the moment').waitFor({ state: 'hidden' });
});
