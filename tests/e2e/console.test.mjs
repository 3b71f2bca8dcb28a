// The console in a browser, on a real origin: sign in, drop files, watch them become ready, delete.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage } from '../support/browser.mjs';
import { upload, waitForState } from '../support/broadcaster.mjs';
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
  assert.equal(await page.locator('#uploads .item').count(), 0);
  const thumbnail = row(page, 'Podium').locator('img');
  await until('the thumbnail', () => thumbnail.evaluate((img) => img.naturalWidth > 0));
  assert.equal(await row(page, 'Final-100m-HD').getByRole('link', { name: 'Watch' }).getAttribute('href'),
    '/watch/demo/Final-100m-HD');
  assert.deepEqual(page.said, []);
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
  await origin.stop();
  t.after(async () => { origin = await origin.restart(); });
  await drop(page, [{ name: 'a.jpg', type: 'image/jpeg', path: photo() }]);
  await page.locator('#uploads .problem').filter({ hasText: /connection was lost/ }).waitFor();
});

test('signing out forgets the key', async (t) => {
  const page = await signIn(t);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.locator('#sign-in').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});
