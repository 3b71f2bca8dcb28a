// Exact clips: played at once as they are, cut to the frame soon after, with nothing but their ends made
// anew.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { asset, isCut, putClip, remove, upload, waitForState } from '../support/broadcaster.mjs';
import { get, request } from '../support/http.mjs';
import { clip } from '../support/media.mjs';
import { picturesOf, placesIn, probe, range } from '../support/pictures.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';
import { readTrickPlaylist } from '../tools/trick_play.mjs';
import { asLine, validate } from '../tools/validate.mjs';

const toStop = [];
after(() => cleanUp(...toStop));
const kept = (program) => { toStop.push(program); return program; };

const segmentsOf = (text) => text.split('\n').filter((line) => line && !line.startsWith('#'));
const filesIn = (folder) => !fs.existsSync(folder) ? [] :
  fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
const filesOf = (origin, ...folders) => filesIn(path.join(origin.folder, 'state/media', ...folders));
const sourcesOf = (origin, ...folders) => filesIn(path.join(origin.folder, 'state/sources', ...folders));

let origin;
before(async () => {
  origin = kept(await startOrigin({ transcoder: { encoding: { passthrough: false } } }));
});

/** What a clip shows of its source, in pictures of 1/25 s, each of its renditions by itself. */
async function shownOf(origin, path, from = 'demo/race') {
  const [made, source] = [await asset(origin, path), await asset(origin, from)];
  const shown = {};
  for (const { name } of made.renditions.filter((each) => each.width > 0)) {
    const [pictures, all] = await Promise.all([made, source].map(async ({ download }) =>
      picturesOf((await get(`${origin.url}${download}?rendition=${name}`)).body)));
    shown[name] = placesIn(all, pictures);
  }
  return shown;
}

test('an exact clip', async (t) => {
  await upload(origin, 'demo/videos/race', clip({ seconds: 13 }));
  await waitForState(origin, 'demo/race', 'ready');
  const url = `${origin.url}/demo/goal/index.m3u8`;
  let rough;
  let rough_file;

  await t.test('is playable at once, over whole segments', async () => {
    const answer = await putClip(origin, 'demo/goal', { from: 'race', start: 3.48, end: 12.2, exact: true });
    assert.equal(answer.status, 201, answer.text);
    rough = answer.json();
    assert.equal(rough.state, 'ready');
    assert.equal(rough.clip.exact, 'pending');
    rough_file = (await get(origin.url + rough.download)).body;
    for (const { url: playlist } of rough.renditions) {
      assert.ok(segmentsOf((await get(origin.url + playlist)).text).every((uri) => uri.startsWith('../')));
    }
  });

  await t.test('is cut to the frame in the background, in every rendition', async () => {
    assert.equal((await until('the edges', isCut(origin, 'demo/goal'))).exact, true);
    const made = await asset(origin, 'demo/goal');
    assert.equal(made.clip.lead_in, 0);
    assert.equal(made.duration, 8.72);
    for (const [name, places] of Object.entries(await shownOf(origin, 'demo/goal'))) {
      assert.deepEqual(places, range(87, 218), `${name}: from 3.48 s to 12.2 s`);
    }
  });

  await t.test('is its own only at its ends', async () => {
    const made = await asset(origin, 'demo/goal');
    const own = filesOf(origin, 'demo/goal').sort();
    assert.deepEqual(own, made.renditions.flatMap(({ name }) =>
      [0, 1].map((n) => `${made.version}/${name}/${n}.m4s`)).sort(), 'and the encoder agrees with itself');
    for (const { url: playlist } of made.renditions) {
      const { text } = await get(origin.url + playlist);
      const uris = segmentsOf(text);
      assert.deepEqual([uris[0], uris.at(-1)], ['0.m4s', '1.m4s']);
      assert.ok(uris.slice(1, -1).every((uri) => uri.startsWith('../../../race/')), text);
      assert.doesNotMatch(text, /EXT-X-(START|DISCONTINUITY)/);
    }
  });

  await t.test('conforms, with its I-frames', async () => {
    assert.deepEqual((await validate(url)).map(asLine), []);
    assert.match((await get(url)).text, /EXT-X-I-FRAME-STREAM-INF/);
  });

  await t.test('has thumbnails from its first picture on', async () => {
    const { thumbnails } = await asset(origin, 'demo/goal');
    const { entries } = readTrickPlaylist((await get(origin.url + thumbnails)).text, origin.url + thumbnails);
    assert.deepEqual(entries.map(({ duration_s, tiles }) => [duration_s, tiles.skip_s]), [[1.52, 0.48], [6, 0], [1.2, 0]]);
    assert.ok(entries.every(({ url }) => url.startsWith(`${origin.url}/demo/race/`)), 'the sheets are the source\'s');
  });

  await t.test('is downloaded with nothing else in it', async () => {
    const seen = probe((await get(origin.url + (await asset(origin, 'demo/goal')).download)).body);
    assert.equal(seen.frames, 218);
    assert.ok(Math.abs(seen.duration_s - 8.72) < 1024 / 48_000, `${seen.duration_s} s`);
  });

  await t.test('leaves the version before to who plays it', async () => {
    for (const { url: playlist } of rough.renditions) {
      assert.equal((await request(origin.url + playlist)).status, 200);
    }
    assert.ok((await get(origin.url + rough.download)).body.equals(rough_file));
  });

  await t.test('may lie between two key frames', async () => {
    const answer = await putClip(origin, 'demo/short-one', { from: 'race', start: 5.4, end: 5.8, exact: true });
    assert.equal(answer.status, 201, answer.text);
    assert.equal((await until('the edge', isCut(origin, 'demo/short-one'))).exact, true);
    for (const places of Object.values(await shownOf(origin, 'demo/short-one'))) {
      assert.deepEqual(places, range(135, 10));
    }
    assert.deepEqual((await validate(`${origin.url}/demo/short-one/index.m3u8`)).map(asLine), []);
  });

  await t.test('tells where the pictures are that it shows, not where it was asked to be cut', async () => {
    const wish = { from: 'race', start: 5.43, end: 5.81, exact: true };
    const told = async () => {
      await until('the edge', isCut(origin, 'demo/between'));
      const { clip: { start, end }, duration } = await asset(origin, 'demo/between');
      return [start, end, duration];
    };
    const { clip: { start, end } } = (await putClip(origin, 'demo/between', wish)).json();
    assert.deepEqual([start, end], [5.43, 5.81], 'not cut yet');
    assert.deepEqual(await told(), [5.4, 5.84, 0.44]);
    await putClip(origin, 'demo/between', { from: 'race', start: 5.4, end: 5.84, exact: true });
    assert.deepEqual(await told(), [5.4, 5.84, 0.44], 'and asked for again they come to the same');
  });

  await t.test('is exact at once where its segments fit', async () => {
    const answer = await putClip(origin, 'demo/whole', { from: 'race', start: 1, end: 5, exact: true });
    assert.equal(answer.json().clip.exact, true);
    assert.deepEqual(filesOf(origin, 'demo').filter((name) => name.startsWith('whole')), []);
  });

  await t.test('is taken up again when the origin was killed', async () => {
    assert.equal((await putClip(origin, 'demo/late', { from: 'race', start: 2.2, end: 9.6, exact: true })).status, 201);
    origin.kill();
    await origin.exited;
    origin = kept(await origin.restart());
    assert.equal((await request(`${origin.url}/demo/late/index.m3u8`)).status, 200);
    assert.equal((await until('the edges', isCut(origin, 'demo/late'))).exact, true);
    for (const places of Object.values(await shownOf(origin, 'demo/late'))) {
      assert.deepEqual(places, range(55, 185));
    }
  });

  await t.test('has only the groups that are cut encoded again', async () => {
    const [{ version, renditions }, race] = [await asset(origin, 'demo/late'), await asset(origin, 'demo/race')];
    const folder = `${version}/${renditions[0].name}`;
    const piece = (await get(`${origin.url}/demo/late/${folder}/1.m4s`)).body;  // 5 s to 9.6 s of 5 s to 11 s
    const from = (await get(`${origin.url}/demo/race/${race.version}/${renditions[0].name}/3.m4s`)).body;
    const holds = (part) => piece.includes(from.subarray(part * from.length, part * from.length + 300));
    assert.deepEqual([0.1, 0.3, 0.5, 0.95].map(holds), [true, true, true, false]);
  });

  await t.test('that is replaced or deleted meanwhile leaves nothing behind', async () => {
    const body = { from: 'race', start: 2.2, end: 9.6, exact: true };
    assert.equal((await putClip(origin, 'demo/gone', body)).status, 201);
    assert.equal((await putClip(origin, 'demo/gone', { ...body, end: 4 })).status, 200);
    await until('the edges', isCut(origin, 'demo/gone'));
    assert.equal((await asset(origin, 'demo/gone')).duration, 1.8);
    await until('the sources of both jobs to go', () => sourcesOf(origin, 'demo/gone').length === 0);
    assert.equal((await putClip(origin, 'demo/gone', body)).status, 200);
    assert.equal((await remove(origin, 'demo/gone')).status, 200);
    await until('its files to go', () => [...filesOf(origin, 'demo/gone'), ...sourcesOf(origin, 'demo/gone')].length === 0);
    assert.equal((await request(`${origin.url}/demo/gone/index.m3u8`)).status, 404);
  });

  await t.test('stays as it is when its edge cannot be made, and says why', async () => {
    const { version, renditions } = await asset(origin, 'demo/race');
    const file = path.join(origin.folder, 'state/media/demo/race', version, renditions[0].name, '2.m4s');
    const bytes = fs.readFileSync(file);
    fs.writeFileSync(file, bytes.fill(0, 60));
    const answer = await putClip(origin, 'demo/broken', { from: 'race', start: 4, end: 9, exact: true });
    assert.equal(answer.status, 201, answer.text);
    const { exact, exact_error } = await until('the verdict', isCut(origin, 'demo/broken'));
    assert.equal(exact, false);
    assert.match(exact_error, /at the clip's edge/);
    const now = await asset(origin, 'demo/broken');
    assert.equal(now.version, answer.json().version);
    assert.equal(now.state, 'ready');
  });
});

test('an exact clip of a video that is published as it came', async () => {
  const passing = kept(await startOrigin());
  await upload(passing, 'demo/videos/race', clip({ seconds: 7, size: '480x270' }));
  await waitForState(passing, 'demo/race', 'ready');
  const answer = await putClip(passing, 'demo/goal', { from: 'race', start: 1.2, end: 5.4, exact: true });
  assert.equal(answer.status, 201, answer.text);
  assert.equal((await until('the edges', isCut(passing, 'demo/goal'))).exact, true);
  const made = await asset(passing, 'demo/goal');
  assert.ok(made.renditions.length > 2, 'the source and a rung');
  for (const { url, name } of made.renditions) {
    const { text } = await get(passing.url + url);
    const map = /EXT-X-MAP:URI="(.*)"/.exec(text)[1];
    assert.equal(map === 'init.mp4', name === 'source', 'another encoder made it: one init for both');
    assert.doesNotMatch(text, /DISCONTINUITY/);
  }
  for (const [name, places] of Object.entries(await shownOf(passing, 'demo/goal'))) {
    assert.deepEqual(places, range(30, 105), name);
  }
  assert.deepEqual((await validate(`${passing.url}/demo/goal/index.m3u8`)).map(asLine), []);
});
