// A viewer at edge 2 of a real fleet: hls.js plays what other edges own, through the death of an owner,
// and while the asset is still being encoded.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, playback, playsPast, showsNotice } from '../support/browser.mjs';
import { asset, upload, waitForEnd, waitForState } from '../support/broadcaster.mjs';
import { request } from '../support/http.mjs';
import { clip } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { startFleet } from '../support/torchrelay.mjs';

let fleet;
let browser;

before(async () => {
  fleet = await startFleet(3);
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await fleet?.cleanUp();
});

async function publish(name, options, query = '') {
  const answer = await upload(fleet.origin, `demo/videos/${name}${query}`, clip(options));
  assert.ok(answer.status < 300, answer.text);
}

async function watch(t, name) {
  const page = await openPage(browser, `${fleet.edges[1].url}/watch/demo/${name}`);
  t.after(() => page.context().close());
  return page;
}

test('it plays from edge 2: the picture, the frames and the sound advance', async (t) => {
  await publish('plain', { seconds: 12 });
  await waitForState(fleet.origin, 'demo/plain', 'ready');
  const page = await watch(t, 'plain');
  await playsPast(page, 1);
  const first = await playback(page);
  await playsPast(page, 4);
  const second = await playback(page);
  assert.ok(first.width > 0);
  assert.ok(second.frames > first.frames, JSON.stringify([first, second]));
  assert.ok(second.audioBytes > first.audioBytes, JSON.stringify([first, second]));
  await page.waitForFunction(() => document.querySelector('video').ended, null, { timeout: 30_000 });
  assert.deepEqual(page.said.filter((line) => line.startsWith('uncaught')), []);
});

test('the title travels through the edges, and a new one replaces it', async (t) => {
  const title = 'The “final” <b>100 m</b> & more';
  await publish('titled', { seconds: 4 }, `?title=${encodeURIComponent(title)}`);
  await waitForState(fleet.origin, 'demo/titled', 'ready');
  const page = await watch(t, 'titled');
  await page.getByRole('heading', { name: title, exact: true }).waitFor();
  assert.equal(await page.title(), `${title} – Torchrelay`);
  const changed = await request(`${fleet.origin.url}/api/v1/demo/assets/titled`, { method: 'PATCH',
    headers: fleet.origin.authorization(), body: JSON.stringify({ title: 'Heat 2' }) });
  assert.equal(changed.status, 200, changed.text);
  await until('the new title at the edge', async () =>
    /VALUE="Heat 2"/.test((await request(`${fleet.edges[1].url}/demo/titled/index.m3u8`)).text));
  await page.reload();
  await page.getByRole('heading', { name: 'Heat 2', exact: true }).waitFor();
});

for (const frames of [1, 2, 3, 4, 5]) {
  test(`a clip of ${frames} frames with sound comes to its end`, async (t) => {
    await publish(`tiny-${frames}`, { seconds: frames / 25 });
    await waitForState(fleet.origin, `demo/tiny-${frames}`, 'ready');
    const page = await watch(t, `tiny-${frames}`);
    await until('the end', async () => (await playback(page)).state === 'ended', { deadline_ms: 15_000 });
    const { title, paused } = await playback(page);
    assert.equal(title, '');
    assert.equal(paused, true, 'the controls offer to play it again');
  });
}

/** Edges 1 and 3 own all that edge 2 does not: whatever it asks an owner for, the owner is dead. */
async function killOwners(t) {
  const owners = [fleet.edges[0], fleet.edges[2]];
  for (const edge of owners) edge.kill();
  await Promise.all(owners.map((edge) => edge.exited));
  t.after(async () => {
    [fleet.edges[0], fleet.edges[2]] = await Promise.all(owners.map((edge) => edge.restart()));
  });
}

test('kill -9 of the owners in mid-play costs less than a segment', async (t) => {
  await publish('survivor', { seconds: 60, size: '256x144' });
  await waitForState(fleet.origin, 'demo/survivor', 'ready');
  const page = await watch(t, 'survivor');
  // A short buffer, so that the death falls into the loading of segments.
  await page.waitForFunction(() => window.torchrelay.hls?.levels.length > 0);
  await page.evaluate(() => {
    Object.assign(window.torchrelay.hls.config, { maxBufferLength: 4, maxMaxBufferLength: 4 });
    const video = document.querySelector('video');
    window.longestStall_ms = 0;
    let [at, since] = [video.currentTime, performance.now()];
    setInterval(() => {
      if (video.currentTime !== at || video.paused) [at, since] = [video.currentTime, performance.now()];
      else window.longestStall_ms = Math.max(window.longestStall_ms, performance.now() - since);
    }, 50);
  });
  await playsPast(page, 5);
  await killOwners(t);
  const { time_s } = await playback(page);
  await playsPast(page, Math.min(time_s + 25, 55), { deadline_ms: 60_000 });
  const stall_ms = await page.evaluate(() => window.longestStall_ms);
  assert.ok(stall_ms < 6000, `stood still for ${stall_ms} ms`);
});

test('an asset that is still being encoded plays', async (t) => {
  await publish('growing', { seconds: 40, size: '1280x720', h264: false });
  await waitForState(fleet.origin, 'demo/growing', ({ playback: path }) => Boolean(path));
  const page = await watch(t, 'growing');
  await playsPast(page, 1.5, { deadline_ms: 60_000 });
  assert.equal((await asset(fleet.origin, 'demo/growing')).state, 'processing');
  const { frames, audioBytes } = await playback(page);
  assert.ok(frames > 0 && audioBytes > 0);
  await waitForState(fleet.origin, 'demo/growing', 'ready');
});

test('a video uploaded while the page waits starts by itself', async (t) => {
  const page = await watch(t, 'later');
  await showsNotice(page, 'There is nothing at this address');
  await publish('later', { seconds: 6 });
  await playsPast(page, 1, { deadline_ms: 60_000 });
});

test('the page tells why a broken file cannot be watched', async (t) => {
  const answer = await upload(fleet.origin, 'demo/videos/broken', Buffer.from('this is no video\n'.repeat(100)));
  assert.ok(answer.status < 300, answer.text);
  const { state, error } = await waitForEnd(fleet.origin, 'demo/broken');
  assert.equal(state, 'failed');
  const page = await watch(t, 'broken');
  await showsNotice(page, 'This video could not be prepared');
  await showsNotice(page, error);
});
