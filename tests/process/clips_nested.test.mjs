// Clips of clips: their playlists name the segments that the first source has, and pieces of the clips in
// between, which stay as long as somebody plays them.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { asset, isCut, putClip, remove, upload, waitForState } from '../support/broadcaster.mjs';
import { get, request } from '../support/http.mjs';
import { endChannel, followLive, openChannel, publishTs, quickGrid, waitForAir } from '../support/live.mjs';
import { clip } from '../support/media.mjs';
import { picturesOf, placesIn, probe, range } from '../support/pictures.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';
import { readTrickPlaylist } from '../tools/trick_play.mjs';
import { asLine, validate } from '../tools/validate.mjs';

const toStop = [];
after(async () => {
  for (const publisher of toStop.filter((each) => !each.folder)) await publisher.stop();
  await cleanUp(...toStop.filter((each) => each.folder));
});
const kept = (program) => { toStop.push(program); return program; };

const segmentsOf = (text) => text.split('\n').filter((line) => line && !line.startsWith('#'));
const mapOf = (text) => /EXT-X-MAP:URI="(.*)"/.exec(text)[1];
const filesOf = (origin, ...folders) => {
  const folder = path.join(origin.folder, 'state/media', ...folders);
  return fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }) : [];
};
const conforms = async (origin, name) =>
  assert.deepEqual((await validate(`${origin.url}/${name}/index.m3u8`)).map(asLine), []);

async function make(origin, name, body) {
  const answer = await putClip(origin, name, body);
  assert.ok(answer.status === 200 || answer.status === 201, answer.text);
  return answer.json();
}

async function makeExact(origin, name, body) {
  await make(origin, name, { ...body, exact: true });
  const { exact, exact_error } = await until('the edges', isCut(origin, name));
  assert.equal(exact, true, exact_error);
  return asset(origin, name);
}

/** Of each playlist of a clip what it names, as paths: {v180: ['/demo/race/…/3.m4s', …], …}. */
async function namedBy(origin, { renditions }) {
  const named = {};
  for (const { name, url } of renditions) {
    const { text } = await get(origin.url + url);
    named[name] = [mapOf(text), ...segmentsOf(text)].map((uri) => new URL(uri, origin.url + url).pathname);
  }
  return named;
}

/** What of the pictures of `source` the clip shows, in each of its renditions. */
async function showsOf(origin, made, source, wanted) {
  for (const { name } of made.renditions.filter(({ width }) => width > 0)) {
    const [pictures, all] = await Promise.all([made, source].map(async ({ download }) =>
      picturesOf((await get(`${origin.url}${download}?rendition=${name}`)).body)));
    assert.deepEqual(placesIn(all, pictures), wanted, name);
  }
}

let origin;
before(async () => {
  origin = kept(await startOrigin({ transcoder: { encoding: { passthrough: false } }, settings: {
    live: { rtmp: '', srt: '', ...quickGrid, dvr_size_max: '64KiB' } } }));
});

test('a clip of a clip', async (t) => {
  await upload(origin, 'demo/videos/race', clip({ seconds: 13 }));
  const race = await waitForState(origin, 'demo/race', 'ready');
  const goal = await makeExact(origin, 'demo/goal', { from: 'race', start: 3.48, end: 12.2 });
  const made = {};

  await t.test('names the first source\'s segments, and the pieces of the clip', async () => {
    made.part = await make(origin, 'demo/part', { from: 'goal', start: 1, end: 5, title: 'replay' });
    assert.equal(made.part.clip.from, 'goal');
    assert.equal(made.part.clip.from_version, goal.version);
    assert.equal(made.part.renditions.length, race.renditions.length);
    for (const [name, paths] of Object.entries(await namedBy(origin, made.part))) {
      const [film, piece] = [`/demo/race/${race.version}/${name}`, `/demo/goal/${goal.version}/${name}`];
      assert.deepEqual(paths, [`${film}/init.mp4`, `${piece}/0.m4s`, `${film}/3.m4s`]);
    }
    assert.deepEqual(filesOf(origin, 'demo/part'), [], 'no byte was copied');
    await conforms(origin, 'demo/part');
    assert.match((await get(`${origin.url}/demo/part/index.m3u8`)).text, /EXT-X-I-FRAME-STREAM-INF/);
    await showsOf(origin, made.part, race, range(87 + 25, 100));
    const { headers } = await get(`${origin.url}/demo/part/index.m3u8`);
    assert.equal(headers['cache-tag'], 'demo, demo/part, demo/goal, demo/race');
  });

  await t.test('has the first source\'s thumbnails, from its own beginning on', async () => {
    const skips = async (name) => {
      const { thumbnails } = await asset(origin, name);
      const { entries } = readTrickPlaylist((await get(origin.url + thumbnails)).text, origin.url + thumbnails);
      return entries.map(({ url, tiles }) => [new URL(url).pathname, tiles.skip_s]);
    };
    const sheets = (...numbers) => numbers.map((n) => `/demo/race/${race.version}/thumbnails/${n}.jpg`);
    assert.deepEqual(await skips('demo/part'), [[sheets(2)[0], 0.48], [sheets(3)[0], 0]]);
    await makeExact(origin, 'demo/inner', { from: 'goal', start: 0.2, end: 1 });
    assert.deepEqual(await skips('demo/inner'), [[sheets(2)[0], 0.68]]);
    assert.equal((await remove(origin, 'demo/inner')).status, 200);
  });

  await t.test('is cut to the frame, within pieces too', async () => {
    made.tight = await makeExact(origin, 'demo/tight', { from: 'goal', start: 0.6, end: 8 });
    await showsOf(origin, made.tight, race, range(87 + 15, 185));
    await conforms(origin, 'demo/tight');
    const seen = probe((await get(origin.url + made.tight.download)).body);
    assert.ok(Math.abs(seen.duration_s - 7.4) < 1024 / 48_000, `${seen.duration_s} s`);
    made.third = await makeExact(origin, 'demo/third', { from: 'tight', start: 0.4, end: 1 });
    await showsOf(origin, made.third, race, range(87 + 25, 15));
    await conforms(origin, 'demo/third');
  });

  await t.test('takes the times that a rough one is played by, or is what that was asked to be', async () => {
    const wide = await make(origin, 'demo/wide', { from: 'race', start: 3.48, end: 7 });
    assert.equal(wide.clip.lead_in, 0.48);
    const same = await make(origin, 'demo/same', { from: 'wide' });
    await showsOf(origin, same, race, range(87, 88));
    assert.deepEqual(await namedBy(origin, same), await namedBy(origin, wide));
    const cut = await makeExact(origin, 'demo/cut', { from: 'wide', start: 0.2, end: 4.8 });
    await showsOf(origin, cut, race, range(80, 115));
    const beyond = await putClip(origin, 'demo/beyond', { from: 'wide', start: 1, end: 9 });
    assert.equal(beyond.json().detail, "end is 9.000 s, and of 'wide' there is 0.000 s to 8.000 s");
    assert.equal((await remove(origin, 'demo/wide')).status, 200, 'nothing of its own is in the others');
    await conforms(origin, 'demo/same');
  });

  await t.test('keeps the pieces when their clip is replaced, over a kill too', async () => {
    assert.equal((await remove(origin, 'demo/tight')).status, 409, 'the third was made of a piece of it');
    for (const name of ['third', 'tight']) assert.equal((await remove(origin, `demo/${name}`)).status, 200, name);
    for (const end of [6, 7]) await make(origin, 'demo/goal', { from: 'race', start: 5, end });
    const refused = await remove(origin, 'demo/goal');
    assert.equal(refused.status, 409);
    assert.match(refused.json().detail, /^'goal' cannot be deleted: a clip made of it plays its segments; delete 'part' first$/);
    origin.kill();
    await origin.exited;
    origin = kept(await origin.restart());
    await conforms(origin, 'demo/part');
    await showsOf(origin, made.part, race, range(87 + 25, 100));
    const left = filesOf(origin, 'demo/goal', goal.version).filter((name) => name.endsWith('.m4s'));
    assert.deepEqual(left.map((name) => path.basename(name)), made.part.renditions.map(() => '0.m4s'), 'and no others');
  });

  await t.test('lets them go when it is deleted', async () => {
    assert.equal((await remove(origin, 'demo/part')).status, 200);
    await until('the pieces to go', () =>
      filesOf(origin, 'demo/goal').every((name) => !name.endsWith('.m4s')));
    for (const name of ['goal', 'same', 'cut', 'race']) {
      assert.equal((await remove(origin, `demo/${name}`)).status, 200, name);
    }
  });

  await t.test('may take its source\'s name: a clip is trimmed where it is', async () => {
    await upload(origin, 'demo/videos/again', clip({ seconds: 7 }));
    const again = await waitForState(origin, 'demo/again', 'ready');
    await makeExact(origin, 'demo/own', { from: 'again', start: 1.2, end: 5.4 });
    await makeExact(origin, 'demo/own', { from: 'own', start: 0.4, end: 4 });
    const own = await makeExact(origin, 'demo/own', { from: 'own', start: 0.2, end: 3.4 });
    await showsOf(origin, own, again, range(45, 80));
    await conforms(origin, 'demo/own');
    assert.equal((await remove(origin, 'demo/own')).status, 200);
    assert.equal((await remove(origin, 'demo/again')).status, 200);
  });
});

test('an exact clip of an exact clip whose ends have other parameter sets', async () => {
  const passing = kept(await startOrigin());
  await upload(passing, 'demo/videos/race', clip({ seconds: 7, size: '480x270' }));
  const race = await waitForState(passing, 'demo/race', 'ready');
  const goal = await makeExact(passing, 'demo/goal', { from: 'race', start: 1.2, end: 5.4 });
  const part = await make(passing, 'demo/part', { from: 'goal', start: 1, end: 2.4 });
  const maps = Object.entries(await namedBy(passing, part)).map(([name, [map]]) => [name, map.split('/')[2]]);
  assert.equal(Object.fromEntries(maps).source, 'goal', 'whose init does for the segments of the race too');
  await showsOf(passing, part, race, range(55, 35));
  await conforms(passing, 'demo/part');
  const tight = await makeExact(passing, 'demo/tight', { from: 'goal', start: 0.4, end: 3.8 });
  await showsOf(passing, tight, race, range(40, 85));
  await conforms(passing, 'demo/tight');
  assert.equal((await remove(passing, 'demo/goal')).status, 409, `${goal.version} has an init that others need`);
});

test('an exact clip of what is left of a picture', async () => {
  const ladder = [{ width: 640, height: 360, kbit_s: 1000 }, { width: 416, height: 234, kbit_s: 300, half_rate: true }];
  const fast = kept(await startOrigin({ transcoder: { encoding: { passthrough: false }, ladder } }));
  await upload(fast, 'demo/videos/race', clip({ seconds: 5, size: '640x360', rate: 50 }));
  await waitForState(fast, 'demo/race', 'ready');
  // Odd pictures of 50 a second: in the rung with 25 the first one of the clip is shown for half of its time.
  await makeExact(fast, 'demo/goal', { from: 'race', start: 1.22, end: 1.9 });
  const part = await makeExact(fast, 'demo/part', { from: 'goal', end: 0.4 });
  assert.deepEqual(part.renditions.filter(({ width }) => width > 0).map(({ frame_rate }) => frame_rate), [50, 25]);
  assert.equal(part.duration, 0.4);
  await conforms(fast, 'demo/part');
});

test('a clip of a clip of a channel keeps its segments when the window moves on', async () => {
  await openChannel(origin, 'demo/match');
  const feed = kept(publishTs(origin, 'demo/match'));
  const [rendition, url] = Object.entries(await waitForAir(origin, 'demo/match')).find(([name]) => name !== 'audio');
  const { version } = await asset(origin, 'demo/match');
  const now = await followLive(url, ({ segments }) => segments.filter(({ gap }) => !gap).length >= 3);
  const [first, , third] = now.segments.filter(({ gap }) => !gap);
  const moment = (ms) => new Date(first.date + ms).toISOString();
  const goal = await makeExact(origin, 'demo/kick-off',
    { from: 'match', start: moment(320), end: moment(third.date - first.date + 480) });
  const part = await make(origin, 'demo/part', { from: 'kick-off', start: moment(640) });
  assert.equal(part.clip.start, moment(640));
  const tight = await makeExact(origin, 'demo/tight', { from: 'kick-off', start: moment(640), end: moment(1200) });
  const { text } = await get(origin.url + tight.renditions.find(({ name }) => name === rendition).url);
  const date = Date.parse(/EXT-X-PROGRAM-DATE-TIME:(.*)/.exec(text)[1]);
  assert.ok(Math.abs(date - first.date - 640) <= 1, `begins at ${date - first.date} ms`);

  await followLive(url, ({ segments }) => segments[0].number > third.number + 1);
  await feed.stop();
  assert.equal((await endChannel(origin, 'demo/match')).status, 200);
  const stored = () => filesOf(origin, 'demo/match', version, rendition);
  await until('a segment that nobody holds to go', () => !stored().includes(`${third.number + 1}.m4s`));
  for (const name of ['part', 'tight', 'kick-off']) await conforms(origin, `demo/${name}`);
  await showsOf(origin, part, goal, range(8, Math.round(goal.duration * 25) - 8));

  for (const name of ['tight', 'part', 'kick-off']) assert.equal((await remove(origin, `demo/${name}`)).status, 200);
  await until('its files to go', () => !stored().includes(`${first.number}.m4s`));
  assert.equal((await request(`${origin.url}/demo/part/index.m3u8`)).status, 404);
});
