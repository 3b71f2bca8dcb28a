// The watch page against a server that does what the test wants: what a viewer sees and is told.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, playback, playsPast, showsNotice } from '../support/browser.mjs';
import { makeHlsSample } from '../support/hls_sample.mjs';
import { photo } from '../support/media.mjs';
import { addPages } from '../support/page_files.mjs';
import { startStaticServer } from '../support/static_server.mjs';
import { until } from '../support/poll.mjs';
import fs from 'node:fs';

const root = '/demo/sample';
const multivariant = `${root}/index.m3u8`;
const playlist = { 'content-type': 'application/vnd.apple.mpegurl' };
let sample;
let browser;

before(async () => {
  sample = makeHlsSample({ seconds: 20 });
  browser = await launchBrowser();
});
after(() => browser?.close());

/** A server with the pages and the sample, for one test. */
async function serve(t) {
  const server = await startStaticServer(addPages(new Map(sample), ['demo/sample']));
  t.after(() => server.close());
  return server;
}

async function watch(t, server, options) {
  const page = await openPage(browser, `${server.url}/watch/demo/sample`, options);
  t.after(() => page.context().close());
  return page;
}

const text = (file) => file.body.toString();
const problem = (status, members) => ({ status, headers: { 'content-type': 'application/problem+json' },
  body: Buffer.from(JSON.stringify({ status, ...members })) });

/** Cuts a media playlist after `count` segments and leaves it growing. */
function growing(file, count) {
  const lines = text(file).split('\n');
  const end = lines.findIndex((line) => line === `${count}.m4s`);
  const body = lines.slice(0, end - 1).join('\n').replace('TYPE:VOD', 'TYPE:EVENT');
  return { headers: playlist, body: Buffer.from(`${body}\n`) };
}

test('the picture and the sound advance', async (t) => {
  const page = await watch(t, await serve(t));
  await playsPast(page, 1);
  const first = await playback(page);
  await playsPast(page, 3);
  const second = await playback(page);
  assert.ok(first.width > 0 && second.frames > first.frames && second.audioBytes > first.audioBytes,
    JSON.stringify([first, second]));
  assert.equal(second.title, '');
  assert.equal(second.state, 'playing');
  assert.deepEqual(page.said, []);
});

test('the quality menu names what plays and obeys', async (t) => {
  const page = await watch(t, await serve(t));
  await playsPast(page, 0.5);
  const menu = page.getByLabel('Quality');
  const names = await menu.locator('option').allTextContents();
  assert.match(names[0], /^Auto \((144|360)p\)$/);
  assert.deepEqual(names.slice(1), ['360p', '144p']);
  for (const [name, width] of [['144p', 256], ['360p', 640]]) {
    await menu.selectOption({ label: name });
    await page.waitForFunction((wanted) => document.querySelector('video').videoWidth === wanted, width);
  }
  assert.equal(await menu.locator('option:checked').textContent(), '360p');
});

test('keys play, pause, seek and mute', async (t) => {
  const page = await watch(t, await serve(t));
  await playsPast(page, 0.5);
  await page.keyboard.press('Space');
  assert.equal((await playback(page)).paused, true);
  const { time_s } = await playback(page);
  await page.keyboard.press('ArrowRight');
  assert.ok(Math.abs((await playback(page)).time_s - time_s - 5) < 0.5);
  await page.keyboard.press('ArrowLeft');
  assert.ok(Math.abs((await playback(page)).time_s - time_s) < 0.5);
  const muted = () => page.evaluate(() => document.querySelector('video').muted);
  const before = await muted();
  await page.keyboard.press('m');
  assert.equal(await muted(), !before);
  await page.keyboard.press('k');
  assert.equal((await playback(page)).paused, false);
});

test('an unknown address is named as such, and plays once there is something', async (t) => {
  const server = await serve(t);
  const file = server.files.get(multivariant);
  server.files.delete(multivariant);
  const page = await watch(t, server);
  await showsNotice(page, 'There is nothing at this address');
  server.files.set(multivariant, file);
  await page.getByRole('button', { name: 'Try again now' }).click();
  await playsPast(page, 0.5);
});

test('a video that is being prepared is waited for', async (t) => {
  const server = await serve(t);
  const file = server.files.get(multivariant);
  server.files.set(multivariant, problem(404, { kind: 'video', state: 'queued', widths: [] }));
  const page = await watch(t, server);
  await showsNotice(page, 'This video is being prepared');
  server.files.set(multivariant, file);
  await playsPast(page, 0.5);
});

const markup = '<img src=x onerror="window.pwned=1"> & Größe';

test('the title that the playlist tells is shown, as text', async (t) => {
  const server = await serve(t);
  const file = server.files.get(multivariant);
  const told = `#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID="com.apple.hls.title",VALUE="${markup.replaceAll('"', "'")}"\n`;
  server.files.set(multivariant, { ...file, body: Buffer.from(text(file).replace('#EXTM3U\n', told)) });
  const page = await watch(t, server);
  await playsPast(page, 0.5);
  assert.equal(await page.locator('h1').textContent(), markup.replaceAll('"', "'"));
  assert.equal(await page.title(), `${markup.replaceAll('"', "'")} – Torchrelay`);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.deepEqual(page.said, []);
});

test('before there is a playlist, and of a photo, the title is known too', async (t) => {
  const server = await serve(t);
  server.files.set(multivariant,
    problem(404, { kind: 'video', state: 'queued', widths: [], asset_title: markup }));
  const page = await watch(t, server);
  await page.locator('h1').filter({ hasText: markup }).waitFor();
  assert.equal(await page.evaluate(() => window.pwned), undefined);
});

test('a video that could not be prepared tells the reason', async (t) => {
  const server = await serve(t);
  const detail = 'The file has no picture and no sound.';
  server.files.set(multivariant, problem(404, { kind: 'video', state: 'failed', detail, widths: [] }));
  const page = await watch(t, server);
  await showsNotice(page, 'This video could not be prepared');
  await showsNotice(page, detail);
});

for (const [status, title] of [[403, 'You may not watch this'], [410, 'This broadcast was taken down'],
  [503, 'The server has a problem (503)']]) {
  test(`an answer with ${status} is told in words`, async (t) => {
    const server = await serve(t);
    server.files.set(multivariant, problem(status, {}));
    await showsNotice(await watch(t, server), title);
  });
}

test('a server in trouble is retried, and said so', async (t) => {
  const server = await serve(t);
  const file = server.files.get(multivariant);
  server.files.set(multivariant, problem(500, {}));
  const page = await watch(t, server);
  await showsNotice(page, 'Trying again');
  server.files.set(multivariant, file);
  await playsPast(page, 0.5);
});

test('segments that stop coming in mid-play are said and retried', async (t) => {
  const server = await serve(t);
  const missing = [...server.files.keys()].filter((path) => /\/[4-9]\.m4s$/.test(path));
  const kept = missing.map((path) => [path, server.files.get(path)]);
  for (const path of missing) server.files.set(path, problem(502, {}));
  const page = await watch(t, server);
  await playsPast(page, 0.5);
  await showsNotice(page, 'The server has a problem (502)', { deadline_ms: 40_000 });
  for (const [path, file] of kept) server.files.set(path, file);
  await playsPast(page, 10, { deadline_ms: 40_000 });
  assert.equal((await playback(page)).title, '');
});

test('a network that goes away is said, and playback starts when it is back', async (t) => {
  const server = await serve(t);
  const file = server.files.get(multivariant);
  server.files.set(multivariant, problem(404, { kind: 'video', state: 'queued', widths: [] }));
  const page = await watch(t, server);
  await showsNotice(page, 'This video is being prepared');
  await page.context().setOffline(true);
  await showsNotice(page, 'You are offline');
  server.files.set(multivariant, file);
  await page.context().setOffline(false);
  await playsPast(page, 0.5);
});

/** A page that plays and keeps little ahead. */
async function playsTheBeginning(t) {
  const server = await serve(t);
  const page = await watch(t, server);
  await page.waitForFunction(() => window.torchrelay.hls?.levels.length > 0);
  await page.evaluate(() => Object.assign(window.torchrelay.hls.config, { maxBufferLength: 3, maxMaxBufferLength: 3 }));
  await playsPast(page, 0.5);
  return page;
}

test('who goes offline and seeks is told so, and playback goes on by itself', async (t) => {
  const page = await playsTheBeginning(t);
  await page.context().setOffline(true);
  await page.evaluate(() => { document.querySelector('video').currentTime = 15; });
  await showsNotice(page, 'You are offline');
  assert.equal((await playback(page)).state, 'offline');
  await page.context().setOffline(false);
  await playsPast(page, 15.5);
  assert.equal((await playback(page)).title, '');
  assert.equal((await playback(page)).state, 'playing');
});

test('who goes offline plays what is loaded, is told at its end, and goes on by himself', async (t) => {
  const page = await playsTheBeginning(t);
  await page.context().setOffline(true);
  assert.equal((await playback(page)).title, '');
  await showsNotice(page, 'You are offline', { deadline_ms: 30_000 });
  const { time_s } = await playback(page);
  await page.context().setOffline(false);
  await playsPast(page, time_s + 1);
  assert.equal((await playback(page)).title, '');
});

/** Segments `from` and more, below `to`, of all renditions become gaps. */
function leaveOut(server, from, to) {
  for (const name of ['low', 'high', 'audio']) {
    const path = `${root}/1/${name}/index.m3u8`;
    const body = text(server.files.get(path)).replace(/#EXTINF[^\n]*\n(\d+)\.m4s/g, (lines, number) =>
      (Number(number) >= from && Number(number) < to ? `#EXT-X-GAP\n${lines}` : lines));
    assert.match(body, /EXT-X-GAP/);
    server.files.set(path, { headers: playlist, body: Buffer.from(body) });
  }
}

/** Segments `from` and more, of a rendition that begins with `init`, come so much later. */
function delay(server, name, from, by_s) {
  const init = server.files.get(`${root}/1/${name}/init.mp4`).body;
  const mdhd = init.indexOf('mdhd') + 4;
  const timescale = init.readUInt32BE(mdhd + (init[mdhd] === 1 ? 20 : 12));
  for (const [path, file] of server.files) {
    const number = path.match(new RegExp(`^${root}/1/${name}/(\\d+)\\.m4s$`))?.[1];
    if (number === undefined || Number(number) < from) continue;
    const body = Buffer.from(file.body);
    for (let at = body.indexOf('tfdt'); at >= 0; at = body.indexOf('tfdt', at + 4)) {
      assert.equal(body[at + 4], 1, '64 bits');
      body.writeBigUInt64BE(body.readBigUInt64BE(at + 8) + BigInt(by_s * timescale), at + 8);
    }
    server.files.set(path, { ...file, body });
  }
}

test('a gap of minutes is stepped over', async (t) => {
  const server = await serve(t);
  leaveOut(server, 2, 3);
  for (const name of ['low', 'high', 'audio']) {
    delay(server, name, 3, 300);
    const path = `${root}/1/${name}/index.m3u8`;
    const gaps = Array.from({ length: 150 }, (_, i) => `#EXTINF:2.000000,\n#EXT-X-GAP\nlost-${i}.m4s\n`).join('');
    const body = text(server.files.get(path)).replace(/(#EXT-X-GAP\n#EXTINF[^\n]*\n2\.m4s\n)/, `$1${gaps}`);
    server.files.set(path, { headers: playlist, body: Buffer.from(body) });
  }
  const page = await watch(t, server);
  await playsPast(page, 308);
});

test('what ends with a gap ends before it', async (t) => {
  const server = await serve(t);
  leaveOut(server, 2, 1000);
  const page = await watch(t, server);
  await page.waitForFunction(() => document.querySelector('video').ended, null, { timeout: 30_000 });
  assert.equal((await playback(page)).title, '');
});

test('bytes that no decoder takes are said', async (t) => {
  const server = await serve(t);
  for (const [path, file] of server.files) {
    if (!/\/(low|high)\/\d\.m4s$/.test(path)) continue;
    const body = Buffer.from(file.body);
    body.fill(0x5a, body.indexOf('mdat') + 4);
    server.files.set(path, { ...file, body });
  }
  const page = await watch(t, server);
  await showsNotice(page, 'This device cannot decode the video', { deadline_ms: 30_000 });
});

test('a growing presentation is played on, and gains a rendition without a visible jump', async (t) => {
  const server = await serve(t);
  const whole = new Map(server.files);
  const oneRung = text(server.files.get(multivariant)).replace(/#EXT-X-STREAM-INF[^\n]*RESOLUTION=640.*\n.*\n/, '');
  server.files.set(multivariant, { headers: playlist, body: Buffer.from(oneRung) });
  for (const name of ['low', 'high', 'audio']) {
    const path = `${root}/1/${name}/index.m3u8`;
    server.files.set(path, growing(whole.get(path), 6));
  }
  const page = await watch(t, server);
  await playsPast(page, 1);
  await page.evaluate(() => {
    window.jumps = [];
    for (const name of ['seeking', 'emptied', 'pause']) {
      document.querySelector('video').addEventListener(name, () => window.jumps.push(name));
    }
  });
  server.files.set(multivariant, whole.get(multivariant));
  await until('the page to adopt the second rendition',
    () => page.evaluate(() => window.torchrelay.hls.levels.length === 2));
  for (const name of ['low', 'high', 'audio']) {
    const path = `${root}/1/${name}/index.m3u8`;
    server.files.set(path, whole.get(path));
  }
  await page.waitForFunction(() => document.querySelector('video').ended, null, { timeout: 60_000 });
  assert.deepEqual(await page.evaluate(() => window.jumps.filter((name) => name !== 'pause')), []);
  const { width, frames } = await playback(page);
  assert.equal(width, 640);
  assert.ok(frames >= 480, `${frames} of 500 frames were shown`);
});

test('a photo is shown in the widths that it has', async (t) => {
  const server = await serve(t);
  server.files.set(multivariant, problem(404, { kind: 'photo', state: 'ready', widths: [320, 640] }));
  const body = fs.readFileSync(photo({ size: '640x360' }));
  for (const width of [320, 640]) {
    server.files.set(`${root}/w${width}`, { body, headers: { 'content-type': 'image/jpeg' } });
  }
  const page = await watch(t, server, { viewport: { width: 390, height: 800 } });
  const picture = page.getByRole('img', { name: 'sample' });
  await picture.waitFor();
  await until('the picture to be loaded', () => picture.evaluate((img) => img.naturalWidth > 0));
  assert.equal(await picture.getAttribute('srcset'), `${root}/w320 320w, ${root}/w640 640w`);
  assert.equal(await page.locator('video').isVisible(), false);
});

test('on a phone nothing is wider than the screen', async (t) => {
  const page = await watch(t, await serve(t), { viewport: { width: 360, height: 740 } });
  await playsPast(page, 0.5);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
});
