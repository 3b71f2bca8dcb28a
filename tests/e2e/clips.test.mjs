// A clip in a real browser: as a stream by hls.js, and downloaded, by the browser's own demuxer.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asset, putClip, upload, waitForState } from '../support/broadcaster.mjs';
import { launchBrowser, openPage, playsPast } from '../support/browser.mjs';
import { clip } from '../support/media.mjs';
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

test('the download plays in the browser, from the middle too', async (t) => {
  const { download } = await asset(origin, 'demo/goal');
  const page = await openPage(browser, `${origin.url}/watch/demo/goal`);
  t.after(() => page.context().close());
  await page.setContent(`<video src="${origin.url}${download}" muted></video>`);
  const seen = await page.evaluate(async () => {
    const video = document.querySelector('video');
    const happens = (name) => new Promise((resolve, reject) => {
      video.addEventListener(name, resolve, { once: true });
      video.addEventListener('error', () => reject(new Error(video.error.message)), { once: true });
    });
    if (video.readyState < 1) await happens('loadedmetadata');
    video.currentTime = 3;
    await happens('seeked');
    const ended = happens('ended');
    await video.play();
    await ended;
    return { duration_s: video.duration, width: video.videoWidth,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      audioBytes: video.webkitAudioDecodedByteCount };
  });
  assert.ok(Math.abs(seen.duration_s - 4.5) < 0.15, `${seen.duration_s} s`);
  assert.equal(seen.width, 320);
  assert.ok(seen.frames > 10 && seen.audioBytes > 0, JSON.stringify(seen));
});
