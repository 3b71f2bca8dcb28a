// Scrubbing: I-frame playlists out of the segments that are there anyway, and sheets of thumbnails, of
// videos and of channels with their window.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asset, upload, waitForState } from '../support/broadcaster.mjs';
import { get, request } from '../support/http.mjs';
import { endChannel, openChannel, publishTs, quickGrid, waitForAir } from '../support/live.mjs';
import { clip } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';
import { readInit } from '../tools/fmp4.mjs';
import { jpegSize, pictureIn, readTrickPlaylist } from '../tools/trick_play.mjs';

let origin;

before(async () => {
  // A small window, which noise fills soon.
  origin = await startOrigin({ settings: { live: { ...quickGrid, dvr_size_max: '1MiB' } },
    transcoder: { ladder: [{ width: 640, height: 360, kbit_s: 4000 }, { width: 416, height: 234, kbit_s: 3000 }] } });
});
after(() => cleanUp(origin));

const trick = async (url) => readTrickPlaylist((await get(url)).text, url);

/** The playlists for trick play that an asset's multivariant playlist names. */
async function named(name) {
  const url = `${origin.url}/${name}/index.m3u8`;
  const { text } = await get(url);
  const uris = (tag) => [...text.matchAll(new RegExp(`^#EXT-X-${tag}-STREAM-INF:.*URI="([^"]+)"`, 'gm'))]
    .map(([, uri]) => new URL(uri, url).href);
  return { iFrames: uris('I-FRAME'), images: uris('IMAGE') };
}

/** Every range of the list is a key picture, asked for as a player does. */
async function areKeyPictures(playlist) {
  const init = readInit((await get(playlist.map)).body);
  for (const { url, range: { offset, length } } of playlist.entries.filter(({ gap }) => !gap)) {
    const part = await request(url, { headers: { range: `bytes=${offset}-${offset + length - 1}` } });
    assert.equal(part.status, 206, url);
    assert.ok(pictureIn(part.body, { offset: 0, length }, init).whole, url);
  }
}

async function areSheets(playlist) {
  for (const { url, tiles } of playlist.entries.filter(({ gap }) => !gap)) {
    const { body, headers } = await get(url);
    assert.equal(headers['content-type'], 'image/jpeg');
    assert.deepEqual(jpegSize(body), { width: tiles.columns * tiles.width, height: tiles.rows * tiles.height });
  }
}

test('a video: a key picture a group, a sheet a segment, named in the document', async () => {
  const answer = await upload(origin, 'demo/videos/film', clip({ seconds: 8, size: '640x360' }));
  assert.ok(answer.status < 300, answer.text);
  await waitForState(origin, 'demo/film', 'ready');
  const { iFrames, images } = await named('demo/film');
  assert.ok(iFrames.length >= 2, 'the copy has one, and what was encoded');
  for (const url of iFrames) {
    const playlist = await trick(url);
    assert.ok(playlist.ended && playlist.entries.length >= 4, url);
    await areKeyPictures(playlist);
  }
  const document = await asset(origin, 'demo/film');
  assert.deepEqual(images, [origin.url + document.thumbnails]);
  assert.ok(!document.renditions.some(({ name }) => name === 'thumbnails'), 'nothing to play');
  const sheets = await trick(images[0]);
  assert.ok(sheets.ended);
  // They grew while it was made, and but for additions a playlist must not change (8216bis 6.2.1).
  for (const url of [...document.renditions.map((each) => origin.url + each.url), ...iFrames, ...images]) {
    assert.match((await get(url)).text, /^#EXT-X-PLAYLIST-TYPE:EVENT$/m, url);
  }
  assert.equal(sheets.entries[0].tiles.width, 240);
  await areSheets(sheets);
});

test('what has no picture has neither', async () => {
  await upload(origin, 'demo/videos/radio', clip({ seconds: 3, video: false }));
  await waitForState(origin, 'demo/radio', 'ready');
  assert.deepEqual(await named('demo/radio'), { iFrames: [], images: [] });
  const document = await asset(origin, 'demo/radio');
  assert.equal(document.thumbnails, null);
  const audio = document.renditions[0].url.replace('index.m3u8', 'iframes.m3u8');
  assert.equal((await request(origin.url + audio)).status, 404);
});

test('a channel: both slide with its window, and its recording keeps them', async (t) => {
  await openChannel(origin, 'demo/live');
  const feed = publishTs(origin, 'demo/live', { input: ['-vf', 'noise=alls=80:allf=t'] });
  t.after(() => feed.stop());
  const [media] = Object.values(await waitForAir(origin, 'demo/live'));
  const { iFrames, images } = await named('demo/live');
  for (const url of [...iFrames, ...images]) assert.equal((await request(url)).status, 200, 'named, so it is there');
  const first = await until('a first window', async () => {
    const playlist = await trick(iFrames[0]);
    return playlist.entries.length >= 3 && playlist;
  }, { deadline_ms: 60_000, every_ms: 200 });
  await areKeyPictures(first);
  await t.test('they say what all of the channel do, and wait for what comes next', async () => {
    const control = (text) => text.match(/^#EXT-X-SERVER-CONTROL:.*$/m)?.[0];
    const said = control((await get(media)).text);
    assert.match(said, /CAN-BLOCK-RELOAD=YES/);
    for (const url of [iFrames[0], images[0]]) {
      const { text } = await get(url);
      assert.equal(control(text), said, url);
      const { sequence, entries } = readTrickPlaylist(text, url);
      const waited = await get(`${url}?_HLS_msn=${sequence + entries.length}`);
      const after = readTrickPlaylist(waited.text, url);
      assert.ok(after.sequence + after.entries.length > sequence + entries.length, url);
      assert.match(waited.headers['cache-control'], /max-age=[1-9]\d*/);
      assert.equal((await request(`${url}?_HLS_msn=${sequence + entries.length + 9}`)).status, 400);
    }
  });
  await until('it slides', async () => (await trick(iFrames[0])).sequence > first.sequence,
    { deadline_ms: 60_000, every_ms: 200 });
  const [frames, segments, sheets] = [await trick(iFrames[0]), await trick(media), await trick(images[0])];
  assert.equal(frames.target_s, segments.target_s);
  assert.equal(sheets.target_s, segments.target_s);
  // A group is a segment here, so numbers are the same; dates are whatever the numbers are.
  const dates = new Map(segments.entries.map(({ url, date }) => [url.split('/').at(-1).split('.')[0], date]));
  for (const { url, date } of [...frames.entries, ...sheets.entries]) {
    const there = dates.get(url.split('/').at(-1).split('.')[0]);
    assert.ok(there === undefined || there === date, url);
  }
  await areSheets(sheets);
  assert.equal((await asset(origin, 'demo/live')).thumbnails, new URL(images[0]).pathname);

  await feed.stop();
  assert.ok((await endChannel(origin, 'demo/live')).status < 300);
  await waitForState(origin, 'demo/live', 'ready');
  // What left the window is forgotten a window later, sheets with their segments.
  const left = first.entries[0].url;
  for (const url of [left, left.replace(/[^/]+\/(\d+)\.m4s$/, 'thumbnails/$1.jpg')]) {
    await until(`${url} to be forgotten`, async () => (await request(url)).status === 404, { deadline_ms: 60_000 });
  }
  const kept = await trick(images[0]);
  assert.equal(kept.type, 'VOD');
  await areSheets(kept);
  const keptFrames = await trick(iFrames[0]);
  assert.ok(keptFrames.ended && keptFrames.tags.has('#EXT-X-I-FRAMES-ONLY'));
  await areKeyPictures(keptFrames);
});
