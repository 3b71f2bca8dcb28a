// A live channel in Chromium, from an edge: pushed by ffmpeg over RTMP, played by the watch page with
// hls.js in its low-latency mode, through the return of its publisher.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, playback, playsPast } from '../support/browser.mjs';
import { endChannel, openChannel, publish, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { startFleet } from '../support/torchrelay.mjs';

let fleet;
let browser;
let publisher;

before(async () => {
  const [rtmp] = await freePorts(1);
  fleet = await startFleet(3, { origin: { settings: { live: { rtmp: `127.0.0.1:${rtmp}`, srt: '' } } } });
  browser = await launchBrowser();
});
after(async () => {
  await publisher?.stop();
  await browser?.close();
  await fleet?.cleanUp();
});

/** What hls.js thinks of its place behind the live edge, seconds. */
const latency = (page) => page.evaluate(() => window.torchrelay.hls.latency);

test('a viewer at edge 2 is seconds behind, and stays through the publisher\'s return', async (t) => {
  const { ingest } = await openChannel(fleet.origin, 'demo/final', { body: { title: 'The final' } });
  publisher = publish(ingest.rtmp, { size: '640x360', group: 50 });
  await waitForAir(fleet.edges[1], 'demo/final');
  const page = await openPage(browser, `${fleet.edges[1].url}/watch/demo/final`);
  t.after(() => page.context().close());
  await page.waitForFunction(() => document.querySelector('video').currentTime > 0, null, { timeout: 60_000 });
  const begin = await playback(page);
  await playsPast(page, begin.time_s + 5);
  const later = await playback(page);
  assert.ok(later.frames > begin.frames && later.audioBytes > begin.audioBytes, JSON.stringify([begin, later]));
  const config = await page.evaluate(() => window.torchrelay.hls.lowLatencyMode);
  assert.equal(config, true);
  t.diagnostic(`hls.js is ${(await latency(page)).toFixed(2)} s behind the live edge`);

  await publisher.stop();
  publisher = publish(ingest.rtmp, { size: '640x360', group: 50 });
  const gone = (await playback(page)).time_s;
  await playsPast(page, gone + 8, { deadline_ms: 60_000 });
  assert.deepEqual(page.said.filter((line) => line.startsWith('uncaught')), []);
});

test('when the channel ends the page comes to its end', async (t) => {
  const page = await openPage(browser, `${fleet.edges[1].url}/watch/demo/final`);
  t.after(() => page.context().close());
  await page.waitForFunction(() => document.querySelector('video').currentTime > 0, null, { timeout: 60_000 });
  await publisher.stop();
  assert.equal((await endChannel(fleet.origin, 'demo/final')).status, 200);
  await until('the end', async () => (await playback(page)).ended, { deadline_ms: 60_000 });
});
