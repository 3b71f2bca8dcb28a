// Captions inside the pictures (CEA-608) on their way to every rendition: each letter once, in order.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { asset, isCut, putClip, upload, waitForState } from '../support/broadcaster.mjs';
import { captionedClip, captionsIn } from '../support/captions.mjs';
import { get } from '../support/http.mjs';
import { clip } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin, temporaryFolder } from '../support/torchrelay.mjs';

const origins = [];
const folders = [];
after(async () => {
  await cleanUp(...origins);
  for (const folder of folders) fs.rmSync(folder, { recursive: true });
});

async function origin(options) {
  const started = await startOrigin(options);
  origins.push(started);
  return started;
}

function folder() {
  folders.push(temporaryFolder('captions'));
  return folders.at(-1);
}

/** Path of a whole rendition as one file. */
async function download(it, { url, name }, into) {
  const playlist = await get(it.url + url);
  const files = ['init.mp4', ...playlist.text.split('\n').filter((line) => line.endsWith('.m4s'))];
  const bodies = [];
  for (const file of files) bodies.push((await get(new URL(file, it.url + url).href)).body);
  const whole = path.join(into, `${name}.mp4`);
  fs.writeFileSync(whole, Buffer.concat(bodies));
  return whole;
}

/** {name: lines} of every rendition with a picture. */
async function captionsOf(it, asset, into) {
  const { renditions } = await waitForState(it, asset, 'ready');
  const lines = {};
  for (const rendition of renditions.filter(({ height }) => height > 0)) {
    lines[rendition.name] = captionsIn(await download(it, rendition, into));
  }
  return lines;
}

const multivariant = async (it, asset) => (await get(`${it.url}/${asset}/index.m3u8`)).text;

test('the clip itself says what the others are measured by', () => {
  const captions = ['FIRST LINE', 'SECOND'];
  assert.deepEqual(captionsIn(captionedClip(folder(), { captions })), captions);
});

test('a source that is published as it is keeps its captions, and so do the encoded ones', async () => {
  const it = await origin();
  const into = folder();
  const captions = ['GOOD EVENING', 'FROM TOKYO', 'AND GOOD NIGHT'];
  await upload(it, 'demo/videos/copied', captionedClip(into, { captions, size: '640x360' }));
  const lines = await captionsOf(it, 'demo/copied', into);
  assert.ok('source' in lines && Object.keys(lines).length > 1, Object.keys(lines).join(' '));
  for (const [name, said] of Object.entries(lines)) assert.deepEqual(said, captions, name);
  const text = await multivariant(it, 'demo/copied');
  assert.match(text, /TYPE=CLOSED-CAPTIONS,GROUP-ID="captions",.*INSTREAM-ID="CC1"/);
  assert.doesNotMatch(text, /INSTREAM-ID="CC[234]"/);
  assert.equal(text.split('CLOSED-CAPTIONS="captions"').length - 1, Object.keys(lines).length);
});

test('an exact clip says what is said in it, where its pictures are encoded again too', async () => {
  const it = await origin();
  const into = folder();
  const captions = ['GOOD EVENING', 'FROM TOKYO', 'AND GOOD NIGHT'];  // a second each
  await upload(it, 'demo/videos/news', captionedClip(into, { captions, size: '480x270' }));
  await waitForState(it, 'demo/news', 'ready');
  await putClip(it, 'demo/part', { from: 'news', start: 0.96, end: 3.8, exact: true });
  assert.equal((await until('the edges', isCut(it, 'demo/part'))).exact, true);
  const { renditions, download: address } = await asset(it, 'demo/part');
  for (const { name } of renditions.filter(({ height }) => height > 0)) {
    const file = path.join(into, `part-${name}.mp4`);
    fs.writeFileSync(file, (await get(`${it.url}${address}?rendition=${name}`)).body);
    assert.deepEqual(captionsIn(file), captions.slice(1), name);
  }
  assert.match(await multivariant(it, 'demo/part'), /INSTREAM-ID="CC1"/);
});

test('renditions at half the rate lose no letter, and repeated pictures double none', async () => {
  const it = await origin({ transcoder: { encoding: { passthrough: false } } });
  for (const { name, size, rate } of [
    { name: 'halved', size: '960x540', rate: 50 }, { name: 'repeated', size: '320x180', rate: 8 }]) {
    const into = folder();
    const captions = ['BOOKKEEPER', 'LLAMA ZOOMS!'];
    const file = captionedClip(into, { captions, size, rate, every: Math.max(20, rate) });
    await upload(it, `demo/videos/${name}`, file);
    const { renditions } = await waitForState(it, `demo/${name}`, 'ready');
    const rates = renditions.filter(({ height }) => height > 0).map(({ frame_rate }) => frame_rate);
    assert.ok(name === 'halved' ? rates.includes(25) && rates.includes(50) : rates.every((one) => one >= 10),
      rates.join(' '));
    for (const [rendition, said] of Object.entries(await captionsOf(it, `demo/${name}`, into))) {
      assert.deepEqual(said, captions, `${name} ${rendition}`);
    }
  }
});

test('nothing is said of captions where there are none', async () => {
  const it = await origin();
  await upload(it, 'demo/videos/silent', clip({ seconds: 2 }));
  await waitForState(it, 'demo/silent', 'ready');
  assert.doesNotMatch(await multivariant(it, 'demo/silent'), /CAPTIONS/);
});
