// A live channel in Chromium, from an edge: pushed by ffmpeg over RTMP, played by the watch page with
// hls.js in its low-latency mode, through the return of its publisher, a stall of the network and the
// viewer's own wish to see something again; and by hls.js as an ordinary player. Meanwhile the playlists of
// that edge are held to every rule.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, playback, playsPast } from '../support/browser.mjs';
import { endChannel, followLive, openChannel, publish, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { startFleet } from '../support/torchrelay.mjs';
import { LiveWatch } from '../tools/live_watch.mjs';
import { asLine } from '../tools/validate.mjs';

let fleet;
let browser;
let publisher;
let rules;

before(async () => {
  const [rtmp] = await freePorts(1);
  fleet = await startFleet(3, { origin: { settings: { live: { rtmp: `127.0.0.1:${rtmp}`, srt: '' } } } });
  browser = await launchBrowser();
});
after(async () => {
  await publisher?.stop();
  await rules?.stop();
  await browser?.close();
  await fleet?.cleanUp();
});

const feed = { size: '416x234', group: 50 };  // one rung

/** A viewer's page once it plays; `page.seeks` are [from, to] of every jump, `page.rates` all rates. */
async function watch(t) {
  const page = await openPage(browser, `${fleet.edges[1].url}/watch/demo/final`);
  t.after(() => page.context().close());
  await page.waitForFunction(() => document.querySelector('video').played.length > 0, null, { timeout: 60_000 });
  await page.evaluate(() => {
    const video = document.querySelector('video');
    Object.assign(window, { seeks: [], rates: [], place: video.currentTime });
    video.addEventListener('timeupdate', () => { if (!video.seeking) window.place = video.currentTime; });
    video.addEventListener('seeking', () => window.seeks.push([window.place, video.currentTime]));
    video.addEventListener('ratechange', () => window.rates.push(video.playbackRate));
  });
  return page;
}

/** Where the viewer stands: {delay_s, follows, rate, place_s, window_s: [from, to], seeks, rates}. */
const edge = (page) => page.evaluate(() => {
  const video = document.querySelector('video');
  const { delay_s, follows } = window.torchrelay.player.live;
  return { delay_s, follows, rate: video.playbackRate, place_s: video.currentTime,
    window_s: [video.seekable.start(0), video.seekable.end(0)], seeks: window.seeks, rates: window.rates };
});

const untilEdge = (page, what, test) => until(what, async () => {
  const now = await edge(page);
  return test(now) ? now : Promise.reject(new Error(JSON.stringify(now)));
}, { deadline_ms: 60_000 });

/** Holds back parts and segments until the page has nothing to play and is late. */
async function starve(page) {
  const held = [];
  let holds = true;
  await page.route('**/*.m4s', (route) => (holds ? held.push(route) : route.continue()));
  await page.waitForFunction(() => document.querySelector('video').readyState < 3, null, { timeout: 60_000 });
  await untilEdge(page, 'the stall to make it late', ({ delay_s }) => delay_s > 4);
  holds = false;
  for (const route of held) await route.continue().catch(() => {});  // given up by the player
}

test('a viewer at edge 2 is seconds behind, and stays through the publisher\'s return', async (t) => {
  const { ingest } = await openChannel(fleet.origin, 'demo/final', { body: { title: 'The final' } });
  publisher = publish(ingest.rtmp, feed);
  await waitForAir(fleet.edges[1], 'demo/final');
  rules = await new LiveWatch({ 'edge-2': fleet.edges[1].url }, 'demo/final').start();
  const page = await watch(t);
  const begin = await playback(page);
  await playsPast(page, begin.time_s + 5);
  const later = await playback(page);
  assert.ok(later.frames > begin.frames && later.audioBytes > begin.audioBytes, JSON.stringify([begin, later]));
  const config = await page.evaluate(() => window.torchrelay.hls.lowLatencyMode);
  assert.equal(config, true);
  assert.match(await page.locator('#live').innerText(), /Live\s+\d+\.\d s/i);
  t.diagnostic(`the viewer is ${(await edge(page)).delay_s.toFixed(2)} s behind the live edge`);

  await publisher.stop();
  publisher = publish(ingest.rtmp, feed);
  const gone = (await playback(page)).time_s;
  await playsPast(page, gone + 8, { deadline_ms: 60_000 });
  assert.deepEqual(page.said.filter((line) => line.startsWith('uncaught')), []);
});

test('who joins later is at the live edge, and comes back to it after a stall without a step back', async (t) => {
  const page = await watch(t);
  const joined = await edge(page);
  const [from, to] = joined.window_s;
  assert.ok(to - joined.place_s < joined.place_s - from, JSON.stringify(joined));
  await starve(page);
  const late = await untilEdge(page, 'a higher rate', ({ rate }) => rate > 1);
  await untilEdge(page, 'less delay', ({ delay_s }) => delay_s < late.delay_s - 1);
  const { seeks, follows } = await edge(page);
  assert.equal(follows, true);
  assert.deepEqual(seeks.filter(([before, after]) => after < before - 0.1), []);
});

test('who goes back on purpose is left there, until he wants to be live again', async (t) => {
  const page = await watch(t);
  for (let i = 0; i < 2; i += 1) await page.keyboard.press('ArrowLeft');
  const back = await untilEdge(page, 'the step back', ({ follows }) => !follows);
  await page.evaluate(() => { window.rates = []; });
  await playsPast(page, back.place_s + 2, { deadline_ms: 60_000 });
  const later = await edge(page);
  assert.equal(later.follows, false);
  assert.deepEqual([later.rate, ...later.rates.filter((rate) => rate > 1)], [1]);
  assert.ok(later.delay_s > back.delay_s - 0.5, JSON.stringify([back, later]));
  await page.getByRole('button', { name: 'Go live' }).click();
  await untilEdge(page, 'the live edge', ({ delay_s, follows }) => follows && delay_s < later.delay_s - 4);
  await page.getByRole('button', { name: 'Go live' }).waitFor({ state: 'hidden' });
  await page.keyboard.press('k');
  await untilEdge(page, 'the pause to be taken as meant', ({ follows }) => !follows);
});

/** hls.js without low latency, in a page that plays nothing itself; what it asks for is in `asked`. */
async function watchOrdinarily(t, asked) {
  const page = await openPage(browser, `${fleet.edges[1].url}/watch/demo/nothing`);
  t.after(() => page.context().close());
  page.on('response', (response) => {
    const { pathname, search } = new URL(response.url());
    const name = pathname.split('/').at(-1) + search;
    if (/^\/demo\/final\//.test(pathname)) asked.push({ name, status: response.status() });
  });
  await page.evaluate(() => {
    const hls = new window.Hls({ lowLatencyMode: false });
    window.ordinary = { hls, errors: [] };
    hls.on(window.Hls.Events.ERROR, (_, { details, fatal }) => { if (fatal) window.ordinary.errors.push(details); });
    hls.loadSource('/demo/final/index.m3u8');
    hls.attachMedia(document.querySelector('video'));
    document.querySelector('video').play();
  });
  return page;
}

test('an ordinary player plays the same address by whole segments', async (t) => {
  const asked = [];
  const page = await watchOrdinarily(t, asked);
  const segments = () => new Set(asked.map(({ name }) => name).filter((name) => /^\d+\.m4s$/.test(name))).size;
  await until('six segments', () => segments() >= 6, { deadline_ms: 90_000 });
  const begin = await playback(page);
  await playsPast(page, begin.time_s + 5, { deadline_ms: 60_000 });
  assert.ok((await playback(page)).frames > begin.frames);
  assert.deepEqual(await page.evaluate(() => window.ordinary.errors), []);
  assert.deepEqual(asked.filter(({ name, status }) => status !== 200 || /^\d+\.\d+\.m4s$/.test(name)), []);
});

test('when the channel ends, behind gaps that its recording has not, the page comes to its end', async (t) => {
  const page = await watch(t);
  await publisher.stop();
  const [url] = Object.values(await waitForAir(fleet.edges[1], 'demo/final'));
  await followLive(url, ({ segments }) => segments.at(-1)?.gap);
  assert.equal((await endChannel(fleet.origin, 'demo/final')).status, 200);
  await until('the end', async () => (await playback(page)).ended, { deadline_ms: 60_000 });
});

test('no rule was broken in all that time', async (t) => {
  t.diagnostic(JSON.stringify(rules.counts));
  assert.ok(rules.counts.versions > 0 && rules.counts.deltas > 0);
  assert.deepEqual((await rules.stop()).map(asLine), []);
});
