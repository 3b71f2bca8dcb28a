// The console in a browser, on a real origin: sign in, drop files, watch them become ready, delete.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage } from '../support/browser.mjs';
import { asset, upload, waitForEnd, waitForState } from '../support/broadcaster.mjs';
import { request } from '../support/http.mjs';
import { clip, photo } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';

let origin;
let browser;

before(async () => {
  origin = await startOrigin({ tenants: { demo: 'demo-key', other: 'other-key' } });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await cleanUp(origin);
});

async function signIn(t, { tenant = 'demo', key = 'demo-key' } = {}) {
  const page = await openPage(browser, `${origin.url}/`);
  t.after(() => page.context().close());
  await page.getByLabel('Tenant').fill(tenant);
  await page.getByLabel('Key').fill(key);
  await page.getByRole('button', { name: 'Open' }).click();
  return page;
}

/** Drops files [{name, type, path}] on the console as a desktop would. */
async function drop(page, files) {
  const loaded = files.map(({ name, type, path }) =>
    ({ name, type, base64: fs.readFileSync(path).toString('base64') }));
  const transfer = await page.evaluateHandle((all) => {
    const data = new DataTransfer();
    for (const { name, type, base64 } of all) {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      data.items.add(new File([bytes], name, { type }));
    }
    return data;
  }, loaded);
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer });
}

/** What the browser complained about, but for the answer to "is there an asset of this name?". */
const surprises = (page) => page.said.filter((line) => !/status of 404/.test(line));

/** The page hears that an upload is done by its own answer, which may come behind what the origin tells others. */
const uploadsAre = (page, count) => until(`${count} uploads in the list`,
  async () => await page.locator('#uploads .item').count() === count);

const row = (page, name) => page.locator(`#assets [data-asset="${name}"]`);

test('a wrong key is refused in words and opens nothing', async (t) => {
  const page = await signIn(t, { key: 'wrong' });
  await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
  assert.equal(await page.locator('#desk').isVisible(), false);
  assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
});

test('dropped files upload with progress and become ready by themselves', async (t) => {
  const page = await signIn(t);
  await page.locator('#desk').waitFor();
  await page.evaluate(() => {
    window.fractions = [];
    new MutationObserver(() => {
      for (const bar of document.querySelectorAll('#uploads progress')) window.fractions.push(bar.value);
    }).observe(document.querySelector('#uploads'), { childList: true, subtree: true, characterData: true });
  });
  await drop(page, [
    { name: 'Final 100m (HD).mp4', type: 'video/mp4', path: clip({ seconds: 6 }) },
    { name: 'Podium.jpg', type: 'image/jpeg', path: photo() },
  ]);
  for (const name of ['Final-100m-HD', 'Podium']) {
    await row(page, name).and(page.locator('[data-state="ready"]')).waitFor({ timeout: 60_000 });
  }
  assert.ok((await page.evaluate(() => window.fractions)).some((fraction) => fraction > 0));
  await uploadsAre(page, 0);
  const thumbnail = row(page, 'Podium').locator('img');
  await until('the thumbnail', () => thumbnail.evaluate((img) => img.naturalWidth > 0));
  assert.equal(await row(page, 'Final-100m-HD').getByRole('link', { name: 'Watch' }).getAttribute('href'),
    '/watch/demo/Final-100m-HD');
  assert.deepEqual(surprises(page), []);
});

test('a file of a name in use replaces the video only when that was said', async (t) => {
  await upload(origin, 'demo/videos/Again', clip({ seconds: 2 }));
  const { version } = await waitForState(origin, 'demo/Again', 'ready');
  const page = await signIn(t);
  await page.locator('#desk').waitFor();
  const file = { name: 'Again.mp4', type: 'video/mp4', path: clip({ seconds: 1 }) };
  await drop(page, [file]);
  await page.locator('#uploads').getByText('“Again” is there already.').waitFor();
  await page.getByRole('button', { name: 'Keep both: “Again-2”' }).click();
  await row(page, 'Again-2').and(page.locator('[data-state="ready"]')).waitFor({ timeout: 60_000 });
  assert.equal((await asset(origin, 'demo/Again')).version, version);
  await drop(page, [file]);
  await page.getByRole('button', { name: 'Keep both: “Again-3”' }).waitFor();
  await page.getByRole('button', { name: 'Replace it' }).click();
  await waitForState(origin, 'demo/Again', (it) => it.version !== version);
  await uploadsAre(page, 0);
  assert.deepEqual(surprises(page), []);
});

test('a row says what was wrong with a file, and that viewers keep the version before', async (t) => {
  const cut = path.join(origin.folder, 'cut.mp4');
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', clip({ seconds: 8 }), '-c', 'copy', '-movflags', '+faststart', cut]);
  fs.truncateSync(cut, Math.floor(fs.statSync(cut).size / 2));
  await upload(origin, 'demo/videos/Cut', cut);
  const page = await signIn(t);
  await row(page, 'Cut').and(page.locator('[data-state="ready"]')).waitFor({ timeout: 60_000 });
  assert.match(await row(page, 'Cut').locator('.warning').textContent(), /^the file ends early: .* of the 8\.0 s/);
  await upload(origin, 'demo/videos/Cut', Buffer.from('no video'));
  await row(page, 'Cut').getByText(/^the version before is shown; the new file: failed: \w/).waitFor({ timeout: 60_000 });
  assert.equal(await row(page, 'Cut').locator('.warning').count(), 1, 'it is of what is shown');
  assert.deepEqual(surprises(page), []);
});

test('what cannot be replaced is not offered to be', async (t) => {
  await upload(origin, 'demo/photos/Medal', photo());
  const page = await signIn(t);
  await page.locator('#desk').waitFor();
  await drop(page, [{ name: 'Medal.mp4', type: 'video/mp4', path: clip({ seconds: 1 }) }]);
  await page.getByRole('button', { name: 'Keep both: “Medal-2”' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Replace it' }).count(), 0);
  await page.locator('#uploads').getByRole('button', { name: 'Cancel' }).click();
  await uploadsAre(page, 0);
});

test('two files of one name at once do not replace each other', async (t) => {
  const page = await signIn(t);
  await page.locator('#desk').waitFor();
  // That the name is free is told to the second file only once the first is there.
  let asked = 0;
  await page.route('**/api/v1/demo/assets/Twice', async (route) => {
    asked += 1;
    if (asked !== 2) return route.continue();
    const answer = await route.fetch();
    await waitForState(origin, 'demo/Twice', 'ready');
    await uploadsAre(page, 1);
    return route.fulfill({ response: answer });
  });
  await drop(page, [
    { name: 'Twice.mp4', type: 'video/mp4', path: clip({ seconds: 1 }) },
    { name: 'Twice.mov', type: 'video/quicktime', path: clip({ seconds: 2 }) },
  ]);
  await page.getByRole('button', { name: 'Keep both: “Twice-2”' }).click();
  for (const name of ['Twice', 'Twice-2']) await waitForState(origin, `demo/${name}`, 'ready');
  const lengths = [(await asset(origin, 'demo/Twice')).duration, (await asset(origin, 'demo/Twice-2')).duration];
  assert.deepEqual(lengths.map(Math.round).sort(), [1, 2]);
});

test('a name whose file failed is free again', async (t) => {
  await upload(origin, 'demo/videos/Broken', Buffer.from('no video'));
  await waitForEnd(origin, 'demo/Broken');
  const page = await signIn(t);
  await page.locator('#desk').waitFor();
  await drop(page, [{ name: 'Broken.mp4', type: 'video/mp4', path: clip({ seconds: 1 }) }]);
  await row(page, 'Broken').and(page.locator('[data-state="ready"]')).waitFor({ timeout: 60_000 });
});

test('titles are text, never markup', async (t) => {
  const title = '<img src=x onerror="window.pwned=1">';
  await upload(origin, `demo/photos/markup?title=${encodeURIComponent(title)}`, photo());
  const page = await signIn(t);
  await row(page, 'markup').getByText(title).waitFor();
  assert.equal(await page.evaluate(() => window.pwned), undefined);
});

test('search finds by name, and delete removes from the origin', async (t) => {
  await upload(origin, 'demo/photos/keep', photo());
  await upload(origin, 'demo/photos/drop-me', photo());
  await waitForState(origin, 'demo/drop-me', 'ready');
  const page = await signIn(t);
  await page.getByLabel('Search').fill('drop-me');
  await row(page, 'keep').waitFor({ state: 'detached' });
  page.on('dialog', (dialog) => dialog.accept());
  await row(page, 'drop-me').getByRole('button', { name: /Delete/ }).click();
  await row(page, 'drop-me').waitFor({ state: 'detached' });
  const answer = await request(`${origin.url}/api/v1/demo/assets/drop-me`, { headers: origin.authorization() });
  assert.equal(answer.status, 404);
});

test('a refused upload says why', async (t) => {
  const page = await signIn(t);
  await page.locator('#desk').waitFor();
  const problem = (words) => page.locator('#uploads .problem').filter({ hasText: words }).waitFor();
  await page.route('**/photos/cut*', (route) => route.abort());
  await drop(page, [{ name: 'cut.jpg', type: 'image/jpeg', path: photo() }]);
  await problem(/connection was lost/);
  await origin.stop();
  t.after(async () => { origin = await origin.restart(); });
  await drop(page, [{ name: 'late.jpg', type: 'image/jpeg', path: photo() }]);
  await problem(/origin does not answer/);
});

test('signing out forgets the key', async (t) => {
  const page = await signIn(t);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.locator('#sign-in').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});
