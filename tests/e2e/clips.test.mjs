// A clip in a real browser: as a stream by hls.js, and downloaded, by the browser's own demuxer.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asset, putClip, upload, waitForState } from '../support/broadcaster.mjs';
import { launchBrowser, openPage, playsPast } from '../support/browser.mjs';
import { clip } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';

let origin;
let browser;

before(async () => {
  origin = await startOrigin({ transcoder: { encoding: { passthrough: false } } });
  browser = await launchBrowser();
  await upload(origin, 'demo/videos/film', clip({ seconds: 13 }));
  await waitForState(origin, 'demo/film', 'ready');
  const made = await putClip(origin, 'demo/goal', { from: 'film', start: 3.5, end: 8 });
  assert.equal(made.status, 201, made.text);
});
after(async () => {
  await browser?.close();
  await cleanUp(origin);
});

test('the watch page plays a clip from its own beginning', async (t) => {
  const page = await openPage(browser, `${origin.url}/watch/demo/goal`);
  t.after(() => page.context().close());
  await playsPast(page, 0.6);
  const played_s = await page.evaluate(() => document.querySelector('video').played.start(0));
  assert.ok(Math.abs(played_s - 0.5) < 0.1, `its segments begin half a second before: ${played_s}`);
  await playsPast(page, 4);
  assert.deepEqual(page.said, []);
});

/** Plays a whole file from `start_s` on, in the browser's own way. */
async function playFile(page, url, start_s) {
  await page.setContent(`<video src="${url}" muted></video>`);
  return page.evaluate(async (start_s) => {
    const video = document.querySelector('video');
    const happens = (name) => new Promise((resolve, reject) => {
      video.addEventListener(name, resolve, { once: true });
      video.addEventListener('error', () => reject(new Error(video.error.message)), { once: true });
    });
    if (video.readyState < 1) await happens('loadedmetadata');
    if (start_s > 0) {
      video.currentTime = start_s;
      await happens('seeked');
    }
    const ended = happens('ended');
    await video.play();
    await ended;
    return { duration_s: video.duration, width: video.videoWidth,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      audioBytes: video.webkitAudioDecodedByteCount };
  }, start_s);
}

test('the download plays in the browser, from the middle too', async (t) => {
  const { download } = await asset(origin, 'demo/goal');
  const page = await openPage(browser, `${origin.url}/watch/demo/goal`);
  t.after(() => page.context().close());
  const seen = await playFile(page, `${origin.url}${download}`, 3);
  assert.ok(Math.abs(seen.duration_s - 4.5) < 0.15, `${seen.duration_s} s`);
  assert.equal(seen.width, 320);
  assert.ok(seen.frames > 10 && seen.audioBytes > 0, JSON.stringify(seen));
});

test('an exact clip plays where its ends have other parameter sets', async (t) => {
  const passing = await startOrigin();
  t.after(() => cleanUp(passing));
  await upload(passing, 'demo/videos/race', clip({ seconds: 7, size: '480x270' }));
  await waitForState(passing, 'demo/race', 'ready');
  await putClip(passing, 'demo/goal', { from: 'race', start: 1.2, end: 5.4, exact: true });
  await until('the edges', async () => (await asset(passing, 'demo/goal')).clip.exact === true);
  const page = await openPage(browser, `${passing.url}/watch/demo/goal`);
  t.after(() => page.context().close());
  await playsPast(page, 0.6);
  const played_s = await page.evaluate(() => document.querySelector('video').played.start(0));
  assert.ok(played_s < 0.1, `it begins with its first picture: ${played_s}`);
  await playsPast(page, 3.9);
  assert.deepEqual(page.said, []);
  const { download } = await asset(passing, 'demo/goal');
  const seen = await playFile(page, `${passing.url}${download}`, 0);
  assert.ok(Math.abs(seen.duration_s - 4.2) < 0.03, `${seen.duration_s} s`);
  assert.ok(seen.frames > 90 && seen.audioBytes > 0, JSON.stringify(seen));
});
