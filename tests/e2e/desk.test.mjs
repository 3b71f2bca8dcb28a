// The highlight desk in a browser, on a real origin: a channel that ffmpeg pushes is marked by keys or by the
// pointer and published, and the clip plays; what goes wrong is told.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, playsPast } from '../support/browser.mjs';
import { asset, isCut, putClip, upload, waitForState } from '../support/broadcaster.mjs';
import { openChannel, publishTs, quickGrid, waitForAir } from '../support/live.mjs';
import { clip } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';

let origin;
let browser;
let publisher;

before(async () => {
  origin = await startOrigin({ settings: { live: quickGrid } });
  browser = await launchBrowser();
});
after(async () => {
  await publisher?.stop();
  await browser?.close();
  await cleanUp(origin);
});

/** The desk of demo/{name}, signed in. */
async function openDesk(t, name, { key = 'demo-key' } = {}) {
  const page = await openPage(browser, `${origin.url}/desk/demo/${name}`);
  t.after(() => page.context().close());
  await page.getByLabel('Key', { exact: true }).fill(key);
  await page.getByRole('button', { name: 'Open' }).click();
  return page;
}

/** {marks: {in_ms, out_ms}, range: {from_ms, to_ms}, moment_ms}. */
const state = (page) => page.evaluate(() => {
  const { marks, preview } = window.torchrelay;
  return { marks, range: preview?.range ?? null, moment_ms: preview?.moment_ms ?? null };
});

/** Waits until so much can be seen, and stops the picture. */
async function shows(page, length_ms) {
  await until('enough to be seen', async () => {
    const { range } = await state(page);
    return range && range.to_ms - range.from_ms >= length_ms;
  }, { deadline_ms: 60_000 });
  await page.waitForFunction(() => document.querySelector('video').played.length > 0, null, { timeout: 60_000 });
  await page.keyboard.press('k');
  await page.waitForFunction(() => document.querySelector('video').paused);
}

/** Presses keys one after another, each when the picture of the one before shows. */
async function press(page, ...keys) {
  for (const key of keys) {
    await page.keyboard.press(key);
    await shown(page, key);
  }
}

const shown = (page, after) =>
  page.waitForFunction(() => !document.querySelector('video').seeking, null, { timeout: 30_000 })
    .catch(async () => assert.fail(`no picture after ${after}: ${JSON.stringify(await playing(page))}`));

/** What a picture that does not come may be waiting for. */
const playing = (page) => page.evaluate(() => {
  const video = document.querySelector('video');
  const ranges = ({ buffered }) => Array.from(buffered, (_, i) => [buffered.start(i), buffered.end(i)]);
  const { hls } = window.torchrelay.preview.player;
  const { fragments, partList, edge } = hls.latestLevelDetails ?? {};
  return {
    at_s: video.currentTime, readyState: video.readyState, error: video.error?.message, edge,
    buffered: ranges(video), latest: hls.latestLevelDetails?.fragments.at(-1)?.sn,
    segments: fragments?.map(({ sn, start, end }) => [sn, start, end]).slice(-4),
    parts: partList?.map(({ start, end, loaded }) => [start, end, loaded]).slice(-8),
    states: [hls.streamController, hls.audioStreamController].map((one) => one && [one.state, one.fragCurrent?.sn,
      one.nextLoadPosition]),
  };
});

/** Waits until a sheet of thumbnails lies under the timeline; its picture's size. */
async function thumbnailsOf(page) {
  const url = await page.waitForFunction(() => [...document.querySelectorAll('#timeline .thumbs div')]
    .map(({ style }) => /url\("([^"]+\.jpg)"\)/.exec(style.backgroundImage)?.[1]).find(Boolean), null, { timeout: 30_000 });
  return page.evaluate(async (src) => {
    const picture = new Image();
    picture.src = src;
    await picture.decode();
    return [picture.naturalWidth, picture.naturalHeight];
  }, url);
}

/** Takes hold of a mark and leaves it at a share of the timeline; the moment that is there. */
async function dragTo(page, mark, share) {
  const handle = await page.getByRole('slider', { name: mark, exact: true }).boundingBox();
  const line = await page.locator('#timeline').boundingBox();
  const [x, y] = [handle.x + handle.width / 2, handle.y + handle.height / 2];
  const { marks } = await state(page);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(line.x + share * line.width, y, { steps: 8 });
  await page.mouse.up();
  const { from_ms, to_ms } = await page.evaluate(() => window.torchrelay.timeline.view);
  // A handle is as wide as some frames: what counts is how far it was drawn from where it was taken.
  const drawn_ms = (share - (x - line.x) / line.width) * (to_ms - from_ms);
  return (mark === 'Beginning' ? marks.in_ms : marks.out_ms) + drawn_ms;
}

const says = (page, words) => page.locator('#says').filter({ hasText: words }).waitFor({ timeout: 30_000 });
const row = (page, name) => page.locator(`#clips [data-asset="${name}"][data-state="ready"]`);

test('a wrong key is told, and opens nothing', async (t) => {
  const page = await openDesk(t, 'final', { key: 'wrong' });
  await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
  assert.equal(await page.locator('#desk').isVisible(), false);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('a goal is marked by keys, published, and plays', async (t) => {
  await openChannel(origin, 'demo/final', { body: { title: 'The final' } });
  publisher = publishTs(origin, 'demo/final', { size: '416x234' });
  await waitForAir(origin, 'demo/final');
  const page = await openDesk(t, 'final');
  await shows(page, 6000);
  const [width, height] = await thumbnailsOf(page);
  assert.ok(width > 200 && height > 100, `${width}x${height}`);
  await press(page, 'p');
  await says(page, 'Mark the beginning (I) and the end (O) first.');
  await press(page, 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'i', 'Shift+ArrowRight', 'ArrowRight', 'ArrowRight', 'o');
  const { marks, range } = await state(page);
  assert.equal(Math.round(marks.out_ms - marks.in_ms), 1120, 'a second, two pictures, and the one that shows');
  assert.ok(marks.in_ms >= range.from_ms && Math.abs(Date.now() - marks.in_ms) < 3_600_000, 'a date of now');
  await page.getByLabel('Title').fill('Goal!');
  await page.keyboard.press('Enter');
  await row(page, 'Goal').waitFor({ timeout: 30_000 });
  await page.locator('#clips [data-asset="Goal"][data-exact="true"]').waitFor({ timeout: 180_000 });

  const { kind, clip: facts } = await asset(origin, 'demo/Goal');
  assert.deepEqual([kind, facts.from], ['clip', 'final']);
  assert.ok(Math.abs(Date.parse(facts.start) - marks.in_ms) <= 1, facts.start);
  assert.ok(Math.abs(Date.parse(facts.end) - marks.out_ms) <= 1, facts.end);
  const address = await row(page, 'Goal').getByRole('link', { name: 'Watch' }).getAttribute('href');
  const viewer = await openPage(browser, address);
  t.after(() => viewer.context().close());
  await playsPast(viewer, 0.8);
  const length_s = await viewer.evaluate(() => document.querySelector('video').duration);
  assert.ok(Math.abs(length_s - 1.12) < 0.05, `${length_s} s: what was marked, but for an AAC frame`);
  assert.deepEqual(page.said.filter((line) => line.startsWith('uncaught')), []);
});

test('a picture before the part that was loaded first comes, too', async (t) => {
  for (let tries = 1; ; ++tries) {
    const page = await openDesk(t, 'final');
    await shows(page, 3000);
    const place_s = await page.evaluate(() => {
      const start = document.querySelector('video').buffered.start(0);
      const { fragments } = window.torchrelay.preview.player.hls.latestLevelDetails;
      const begun = fragments.find((one) => one.start < start - 0.1 && start < one.end);
      return begun ? (begun.start + start) / 2 : null;
    });
    assert.ok(place_s || tries < 8, 'it never joined in the midst of a segment');
    if (!place_s) continue;
    await page.evaluate((to) => { document.querySelector('video').currentTime = to; }, place_s);
    await shown(page, `a seek to ${place_s} s`);
    return;
  }
});

test('a name that is taken is not taken over without a word', async (t) => {
  const { version } = await asset(origin, 'demo/Goal');
  const page = await openDesk(t, 'final');
  await shows(page, 3000);
  await press(page, 'Shift+ArrowLeft', 'i', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'o');
  await page.getByLabel('Name').fill('Goal');
  await page.getByRole('button', { name: 'Publish' }).click();
  await says(page, '“Goal” is there already.');
  await page.getByRole('button', { name: 'Keep both: “Goal-2”' }).click();
  await row(page, 'Goal-2').waitFor({ timeout: 30_000 });
  assert.equal((await asset(origin, 'demo/Goal')).version, version);
  await page.getByLabel('Name').fill('Goal');
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByRole('button', { name: 'Replace it' }).click();
  await waitForState(origin, 'demo/Goal', (it) => it.version !== version);
});

test('from the console to the desk of a video, whose clip is marked in seconds', async (t) => {
  await upload(origin, 'demo/videos/match', clip({ seconds: 6 }));
  await waitForState(origin, 'demo/match', 'ready');
  const page = await openPage(browser, `${origin.url}/`);
  t.after(() => page.context().close());
  await page.getByLabel('Tenant').fill('demo');
  await page.getByLabel('Key').fill('demo-key');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.locator('[data-asset="match"]').getByRole('link', { name: 'Clip' }).click();
  await shows(page, 5900);
  await page.evaluate(() => window.torchrelay.preview.seek(2000));
  await press(page, 'i', 'Shift+ArrowRight', 'o', 'p');
  const name = await page.getByLabel('Name').inputValue();
  await row(page, name).waitFor({ timeout: 30_000 });
  const { clip: facts } = await asset(origin, `demo/${name}`);
  assert.deepEqual([facts.start, facts.end], [2, 3.04]);
  page.on('dialog', (dialog) => dialog.accept());
  await row(page, name).getByRole('button', { name: /Delete/ }).click();
  await row(page, name).waitFor({ state: 'detached' });
});

test('a mark is dragged by the pointer, under which the picture shows', async (t) => {
  await upload(origin, 'demo/videos/dragged', clip({ seconds: 6, size: '640x360' }));
  await waitForState(origin, 'demo/dragged', 'ready');
  const page = await openDesk(t, 'dragged');
  await shows(page, 5900);
  const [width, height] = await thumbnailsOf(page);
  assert.ok(width > 200 && height > 100, `${width}x${height}`);
  await page.evaluate(() => window.torchrelay.preview.seek(2000));
  await press(page, 'i', 'Shift+ArrowRight', 'Shift+ArrowRight', 'o');
  const { marks: before } = await state(page);
  assert.deepEqual([before.in_ms, before.out_ms].map(Math.round), [2000, 4040]);
  const near = (a, b, what) => assert.ok(Math.abs(a - b) < 30, `${what}: ${a}, not ${b}`);  // pixels are of some ms

  const begin = await dragTo(page, 'Beginning', 0.25);
  await shown(page, 'a drag of the beginning');
  const { marks: first, moment_ms } = await state(page);
  near(first.in_ms, begin, 'the beginning');
  assert.equal(first.out_ms, before.out_ms);
  near(moment_ms, begin, 'the picture');
  await page.mouse.move(5, 5);
  assert.deepEqual((await state(page)).marks, first, 'a pointer that is let go moves nothing');

  await dragTo(page, 'End', 0.1);
  await shown(page, 'a drag of the end');
  let { marks } = await state(page);
  assert.equal(Math.round(marks.out_ms - marks.in_ms), 100, 'the end stops a tenth of a second behind the beginning');
  const end = await dragTo(page, 'End', 0.9);
  await shown(page, 'another one');
  ({ marks } = await state(page));
  near(marks.out_ms, end, 'the end');
  near(marks.in_ms, begin, 'the beginning');
});

test('a clip is a source like others, once it is cut', async (t) => {
  await upload(origin, 'demo/videos/half', clip({ seconds: 6 }));
  await waitForState(origin, 'demo/half', 'ready');
  await putClip(origin, 'demo/attack', { from: 'half', start: 0.52, end: 5.48, exact: true });
  await until('the edges', isCut(origin, 'demo/attack'));
  const early = await openPage(browser, `${origin.url}/desk/demo/attack`);
  t.after(() => early.context().close());
  await early.route('**/api/v1/demo/assets/attack', async (route) => {
    const response = await route.fetch();
    const told = await response.json();
    await route.fulfill({ response, json: { ...told, clip: { ...told.clip, exact: 'pending' } } });
  });
  await early.getByLabel('Key', { exact: true }).fill('demo-key');
  await early.getByRole('button', { name: 'Open' }).click();
  await early.getByRole('alert').filter({ hasText: 'still being cut' }).waitFor();
  assert.equal(await early.locator('#desk').isVisible(), false);
  const page = await openDesk(t, 'attack');
  await shows(page, 4900);
  await page.evaluate(() => window.torchrelay.preview.seek(2000));
  await press(page, 'i', 'Shift+ArrowRight', 'o', 'p');
  const name = await page.getByLabel('Name').inputValue();
  await row(page, name).waitFor({ timeout: 30_000 });
  const { clip: facts } = await asset(origin, `demo/${name}`);
  assert.deepEqual([facts.from, facts.start, facts.end], ['attack', 2, 3.04]);
});

test('a click leaves a mark where it is, and a drag moves it by as much as the pointer', async (t) => {
  await upload(origin, 'demo/videos/grabbed', clip({ seconds: 6 }));
  await waitForState(origin, 'demo/grabbed', 'ready');
  const page = await openDesk(t, 'grabbed');
  await shows(page, 5900);
  await page.evaluate(() => window.torchrelay.preview.seek(2000));
  await press(page, 'i', 'Shift+ArrowRight', 'o');
  const { marks: before } = await state(page);
  for (const [name, mark_ms] of [['Beginning', before.in_ms], ['End', before.out_ms]]) {
    const { x, y, width, height } = await page.getByRole('slider', { name, exact: true }).boundingBox();
    for (const share of [0.1, 0.9]) {
      await page.mouse.click(x + share * width, y + height / 2);
      await shown(page, `a click on ${name}`);
      const { marks, moment_ms } = await state(page);
      assert.deepEqual(marks, before, `${name}, at ${share} of its width`);
      assert.ok(Math.abs(moment_ms - mark_ms) < 41, `${name}: the picture at ${moment_ms}`);
    }
    const by_px = 40;
    await page.mouse.move(x + 0.1 * width, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + 0.1 * width + by_px, y + height / 2, { steps: 4 });
    await page.mouse.up();
    const { marks } = await state(page);
    const ms_a_px = await page.evaluate(() => {
      const { view, box } = window.torchrelay.timeline;
      return (view.to_ms - view.from_ms) / box.clientWidth;
    });
    const [side, other] = name === 'Beginning' ? ['in_ms', 'out_ms'] : ['out_ms', 'in_ms'];
    assert.ok(Math.abs(marks[side] - mark_ms - by_px * ms_a_px) <= 2 * ms_a_px, `${name}: ${marks[side]} from ${mark_ms}`);
    if (name === 'Beginning') assert.equal(marks[other], before[other]);
    before[side] = marks[side];
  }
});
