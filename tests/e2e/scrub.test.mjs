// A viewer points at the seek bar and sees what is there, before seeking.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isCut, putClip, upload, waitForState } from '../support/broadcaster.mjs';
import { launchBrowser, openPage, playsPast } from '../support/browser.mjs';
import { clip } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';

let origin;
let browser;

before(async () => {
  origin = await startOrigin();
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await cleanUp(origin);
});

/** Of a page that plays: `point` moves the pointer to a share of the bar, so far above its lower edge. */
async function seekBar(page) {
  await playsPast(page, 0.2);
  const stage = await page.locator('#stage').boundingBox();
  const point = (share, above) =>
    page.mouse.move(stage.x + 16 + share * (stage.width - 32), stage.y + stage.height - above);
  return { point, preview: page.locator('#preview'), stage };
}

test('the seek bar shows a thumbnail of the moment under the pointer', async () => {
  const answer = await upload(origin, 'demo/videos/film', clip({ seconds: 10, size: '640x360' }));
  assert.ok(answer.status < 300, answer.text);
  await waitForState(origin, 'demo/film', 'ready');
  const page = await openPage(browser, `${origin.url}/watch/demo/film`);
  const { point, preview, stage } = await seekBar(page);

  const seen = [];
  for (const share of [0.1, 0.8]) {
    await point(share, 20);
    await preview.waitFor({ state: 'visible' });
    await page.waitForFunction(([wanted]) => {
      const { seconds } = document.getElementById('preview').dataset;
      return Math.abs(Number(seconds) - wanted) < 2;
    }, [share * 10 - 1], { timeout: 15_000 });
    seen.push(await preview.evaluate(({ style }) => style.backgroundImage + style.backgroundPosition));
  }
  assert.notEqual(seen[0], seen[1]);
  const sheet = /url\("([^"]+\.jpg)"\)/.exec(seen[1])[1];
  const [width, height] = await page.evaluate(async (url) => {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    return [picture.naturalWidth, picture.naturalHeight];
  }, sheet);
  assert.ok(width >= 240 && height > 100, `${width}x${height}`);

  await point(0.5, stage.height / 2);
  await preview.waitFor({ state: 'hidden' });
  await page.evaluate(() => { document.querySelector('video').currentTime = 6; });
  await preview.waitFor({ state: 'visible' });
  assert.deepEqual(page.said.filter((line) => line.startsWith('uncaught')), []);
});

test('a clip shows the thumbnails of its source, of its own moments', async () => {
  await putClip(origin, 'demo/goal', { from: 'film', start: 1.6, end: 9, exact: true });
  assert.equal((await until('the edges', isCut(origin, 'demo/goal'))).exact, true);
  const page = await openPage(browser, `${origin.url}/watch/demo/goal`);
  const { point, preview } = await seekBar(page);
  const film = await openPage(browser, `${origin.url}/watch/demo/film`);
  const { point: pointAtFilm, preview: previewOfFilm } = await seekBar(film);
  const shown = ({ style }) => style.backgroundImage + style.backgroundPosition;
  for (const share of [0.1, 0.7]) {
    await point(share, 20);
    await preview.waitFor({ state: 'visible' });
    await pointAtFilm((1.6 + 7.4 * share) / 10, 20);
    await previewOfFilm.waitFor({ state: 'visible' });
    await until('the same tile', async () => await preview.evaluate(shown) === await previewOfFilm.evaluate(shown));
  }
  assert.deepEqual(page.said.filter((line) => line.startsWith('uncaught')), []);
});
