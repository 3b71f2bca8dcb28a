// Clips: a stretch of a video or of a channel is an asset of its own at once, over the same bytes,
// and these stay as long as it does.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { asset, isCut, putClip, remove, upload, waitForState } from '../support/broadcaster.mjs';
import { get, request } from '../support/http.mjs';
import { endChannel, fetchLive, followLive, openChannel, publishTs, quickGrid, renditionUrls,
  waitForAir } from '../support/live.mjs';
import { clip } from '../support/media.mjs';
import { picturesOf, placesIn, probe, range } from '../support/pictures.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startEdge, startOrigin } from '../support/torchrelay.mjs';
import { readTrickPlaylist } from '../tools/trick_play.mjs';
import { asLine, validate } from '../tools/validate.mjs';

const toStop = [];
after(async () => {
  for (const publisher of toStop.filter((each) => !each.folder)) await publisher.stop();
  await cleanUp(...toStop.filter((each) => each.folder));
});
const kept = (program) => { toStop.push(program); return program; };

const segmentsOf = (text) => text.split('\n').filter((line) => line && !line.startsWith('#'));
const problem = (answer) => [answer.status, answer.json().detail];
const videoOf = (urls) => Object.entries(urls).find(([name]) => name !== 'audio')[1];
const filesOf = (origin, ...folders) =>
  fs.readdirSync(path.join(origin.folder, 'state/media', ...folders), { recursive: true });

let origin;
before(async () => {
  origin = kept(await startOrigin({ transcoder: { encoding: { passthrough: false } }, settings: {
    live: { rtmp: '', srt: '', ...quickGrid, dvr_size_max: '64KiB' } } }));
});

test('a clip of a video', async (t) => {
  await upload(origin, 'demo/videos/film', clip({ seconds: 13 }));
  const film = await waitForState(origin, 'demo/film', 'ready');
  const edge = kept(await startEdge({ upstream: origin.url }));
  const goal = `${origin.url}/demo/goal/index.m3u8`;

  await t.test('is playable in every rendition when it is answered', async () => {
    const answer = await putClip(origin, 'demo/goal',
      { from: 'film', start: 3.5, end: 6, title: '1:0', tags: ['goals'] });
    assert.equal(answer.status, 201, answer.text);
    const made = answer.json();
    assert.equal(made.kind, 'clip');
    assert.equal(made.state, 'ready');
    assert.equal(made.title, '1:0');
    assert.equal(made.renditions.length, film.renditions.length);
    assert.deepEqual(made.clip,
      { from: 'film', from_version: film.version, start: 3.5, end: 6, lead_in: 0.5, exact: false });
    for (const { url } of made.renditions) {
      const { text } = await get(origin.url + url);
      const wanted = [2, 3].map((n) => `/demo/film/${film.version}/${url.split('/').at(-2)}/${n}.m4s`);
      assert.deepEqual(segmentsOf(text).map((uri) => new URL(uri, origin.url + url).pathname), wanted);
      assert.match(text, /#EXT-X-START:TIME-OFFSET=0\.500000,PRECISE=YES/);
    }
    assert.deepEqual(filesOf(origin, 'demo').filter((name) => name.startsWith('goal')), [],
      'no byte was copied');
  });

  await t.test('has the thumbnails of its source', async () => {
    const { thumbnails, version, renditions } = await asset(origin, 'demo/goal');
    assert.equal(thumbnails, `/demo/goal/${version}/thumbnails/index.m3u8`);
    assert.ok(!renditions.some(({ name }) => name === 'thumbnails'), 'nothing to play');
    const { entries, ended } = readTrickPlaylist((await get(origin.url + thumbnails)).text, origin.url + thumbnails);
    assert.ok(ended);
    assert.deepEqual(entries.map(({ url }) => url),
      [2, 3].map((n) => `${origin.url}/demo/film/${film.version}/thumbnails/${n}.jpg`));
    for (const { url } of entries) assert.equal((await get(url)).headers['content-type'], 'image/jpeg');
  });

  await t.test('conforms', async () => {
    assert.deepEqual((await validate(goal)).map(asLine), []);
  });

  await t.test('plays through an edge from the segments that it has of the video', async () => {
    const [url] = Object.values(await renditionUrls(edge, 'demo/goal'));
    const [segment] = segmentsOf((await get(url)).text);
    const film_url = `${edge.url}/demo/film/${film.version}/${url.split('/').at(-2)}/2.m4s`;
    const first = await get(film_url);
    await until('the segment to be stored', async () => /hit/.test((await get(film_url)).headers['cache-status']));
    const again = await get(new URL(segment, url).href);
    assert.match(again.headers['cache-status'], /hit/);
    assert.ok(again.body.equals(first.body));
  });

  await t.test('is downloaded as one file, in ranges too, at the edge as at the origin', async () => {
    const { download } = await asset(origin, 'demo/goal');
    const whole = await get(origin.url + download);
    assert.equal(whole.headers['content-type'], 'video/mp4');
    assert.equal(Number(whole.headers['content-length']), whole.body.length);
    assert.match(whole.headers['content-disposition'], /filename="goal\.mp4"/);
    for (const [first, last] of [[0, 99], [700, 5000], [whole.body.length - 20_000, whole.body.length - 1]]) {
      const part = await request(edge.url + download, { headers: { range: `bytes=${first}-${last}` } });
      assert.equal(part.status, 206);
      assert.ok(part.body.equals(whole.body.subarray(first, last + 1)), `${first} to ${last}`);
    }
    const { etag } = whole.headers;
    assert.equal((await request(origin.url + download, { headers: { 'if-none-match': etag } })).status, 304);
    assert.equal((await request(origin.url + download, { method: 'HEAD' })).headers.etag, etag);
    const past = await request(origin.url + download, { headers: { range: `bytes=${whole.body.length}-` } });
    assert.equal(past.status, 416);
    const seen = probe(whole.body);
    assert.deepEqual(seen.kinds, ['audio', 'video']);
    assert.ok(Math.abs(seen.duration_s - 2.5) < 0.03, `${seen.duration_s} s: what was asked for, to the frame`);
    const small = await get(`${origin.url}${download}?rendition=${film.renditions.at(-2).name}`);
    assert.equal(probe(small.body).kinds.length, 2);
    assert.equal((await request(`${origin.url}${download}?rendition=v9`)).status, 404);
  });

  await t.test('carries its own tag and that of the video', async () => {
    const { headers } = await get(goal);
    assert.equal(headers['cache-tag'], 'demo, demo/goal, demo/film, demo:goals');
  });

  await t.test('is listed, renamed and announced like any asset', async () => {
    const api = `${origin.url}/api/v1/demo/assets`;
    const headers = origin.authorization();
    const listed = (await get(`${api}?kind=clip`, { headers })).json().assets;
    assert.deepEqual(listed.map((each) => each.asset), ['goal']);
    const renamed = await request(`${api}/goal`,
      { method: 'PATCH', headers, body: JSON.stringify({ title: '1:0 by the captain' }) });
    assert.equal(renamed.status, 200);
    assert.match((await get(goal)).text, /1:0 by the captain/);
  });

  await t.test('is replaced as a whole by the same PUT with other times', async () => {
    const before = await asset(origin, 'demo/goal');
    const answer = await putClip(origin, 'demo/goal', { from: 'film', start: 0, end: 1 });
    assert.equal(answer.status, 200, answer.text);
    const now = answer.json();
    assert.notEqual(now.version, before.version);
    assert.equal(now.title, '1:0 by the captain');
    assert.equal(segmentsOf((await get(origin.url + now.renditions[0].url)).text).length, 1);
    assert.equal(segmentsOf((await get(origin.url + before.renditions[0].url)).text).length, 2,
      'whoever plays the version before goes on');
  });

  await t.test('keeps its source from being deleted', async () => {
    const refused = await remove(origin, 'demo/film');
    assert.equal(refused.status, 409);
    assert.match(refused.json().detail, /^'film' cannot be deleted: a clip made of it plays its segments; delete 'goal' first$/);
    assert.equal((await remove(origin, 'demo/goal')).status, 200);
    assert.equal((await request(goal)).status, 404);
    assert.equal((await remove(origin, 'demo/film')).status, 200);
  });
});

test('what cannot be clipped is told', async () => {
  await upload(origin, 'demo/videos/short', clip({ seconds: 1 }));
  await waitForState(origin, 'demo/short', 'ready');
  const clipOf = async (body, name = 'x') => problem(await putClip(origin, `demo/${name}`, body));
  assert.deepEqual(await clipOf({ from: 'nothing' }), [404, "there is no asset 'nothing' to clip from"]);
  assert.deepEqual(await clipOf({ from: 'short', start: 0.5, end: 3 }),
    [400, "end is 3.000 s, and of 'short' there is 0.000 s to 1.000 s"]);
  assert.deepEqual(await clipOf({ from: 'short', start: 0.5, end: 0.5 }),
    [400, 'end must be later than start: start is 0.500 s, end is 0.500 s']);
  assert.deepEqual(await clipOf({ from: 'short', start: '2026-01-01T00:00:00Z' }),
    [400, "'short' has no dates: give seconds from its beginning"]);
  assert.deepEqual(await clipOf({ from: 'short' }, 'short'),
    [409, "'short' is a video; delete it first to publish a clip under this name"]);
  assert.equal((await putClip(origin, 'demo/part', { from: 'short' })).status, 201);
  assert.deepEqual(await clipOf({ from: 'part', end: 2 }),
    [400, "end is 2.000 s, and of 'part' there is 0.000 s to 1.000 s"]);
  await upload(origin, 'demo/videos/text', Buffer.from('no video'));
  const { error } = await waitForState(origin, 'demo/text', 'failed');
  assert.ok(error);
  assert.deepEqual(await clipOf({ from: 'text' }), [409, `nothing of 'text' can be played: ${error}`]);
  assert.equal((await request(`${origin.url}/api/v1/demo/clips/x`, { method: 'PUT', body: '{}' })).status, 401);
});

test('a clip of a channel', async (t) => {
  await openChannel(origin, 'demo/match');
  const feed = kept(publishTs(origin, 'demo/match'));
  const url = videoOf(await waitForAir(origin, 'demo/match'));
  const rendition = url.split('/').at(-2);
  const { version } = await asset(origin, 'demo/match');
  const made = {};
  const playlistOf = ({ renditions }) => origin.url + renditions.find(({ name }) => name === rendition).url;

  await t.test('takes moments of the wall clock, and grows to an end in the segment at hand', async () => {
    const now = await followLive(url, ({ segments }) => segments.filter(({ gap }) => !gap).length >= 2);
    const [first] = now.segments.filter(({ gap }) => !gap);
    const last = now.segments.at(-1);
    const end = last.date + 1000 * last.duration + 2900;  // behind the segment that is being made
    const answer = await putClip(origin, 'demo/kick-off', { from: 'match',
      start: new Date(first.date + 300).toISOString(), end: new Date(end).toISOString() });
    assert.equal(answer.status, 201, answer.text);
    made.clip = answer.json();
    assert.equal(made.clip.clip.start, new Date(first.date + 300).toISOString());
    assert.equal(made.clip.state, 'processing');
    assert.equal(made.clip.download, null);
    const address = playlistOf(made.clip);
    const beginning = (await get(address)).text;
    assert.ok(segmentsOf(beginning).length >= 2, 'playable at once');
    assert.match(beginning, /PLAYLIST-TYPE:EVENT/);
    const findings = (await validate(`${origin.url}/demo/kick-off/index.m3u8`)).map(asLine);
    assert.deepEqual(findings.filter((line) => !line.includes('ENDLIST: is missing')), []);
    await waitForState(origin, 'demo/kick-off', 'ready');
    const { text } = await get(address);
    assert.ok(text.startsWith(beginning) && text.endsWith('#EXT-X-ENDLIST\n'), `${beginning}, then ${text}`);
    made.numbers = segmentsOf(text).map((uri) => Number(/(\d+)\.m4s/.exec(uri)[1]));
    assert.equal(made.numbers[0], first.number);
    assert.equal(made.numbers.at(-1), last.number + 3);
    const { duration, clip: facts } = await asset(origin, 'demo/kick-off');
    assert.equal(duration, made.numbers.length);
    assert.equal(facts.end, new Date(end).toISOString());
    assert.deepEqual((await validate(`${origin.url}/demo/kick-off/index.m3u8`)).map(asLine), []);
  });

  await t.test('is cut to the frame, in step with its dates', async () => {
    const [, first] = (await fetchLive(url)).segments.filter(({ gap }) => !gap);  // the feed runs smoothly
    const moment = (ms) => new Date(first.date + ms).toISOString();
    const answer = await putClip(origin, 'demo/foul', { from: 'match', start: moment(321), end: moment(1721), exact: true });
    assert.equal(answer.status, 201, answer.text);
    const rough = await get(playlistOf(answer.json()));
    assert.equal((await until('the edges', isCut(origin, 'demo/foul'))).exact, true);
    const made = await asset(origin, 'demo/foul');
    const names = ['init.mp4', ...segmentsOf(rough.text).map((uri) => uri.split('/').at(-1))];
    const files = await Promise.all(names.map((name) => get(new URL(name, url).href)));
    const all = picturesOf(Buffer.concat(files.map(({ body }) => body)));
    const shown = picturesOf((await get(`${origin.url}${made.download}?rendition=${rendition}`)).body);
    assert.deepEqual(placesIn(all, shown), range(8, 35));
    const { text } = await get(playlistOf(made));
    const date = Date.parse(/EXT-X-PROGRAM-DATE-TIME:(.*)/.exec(text)[1]);
    assert.ok(Math.abs(date - first.date - 320) <= 1, `begins at ${date - first.date} ms`);
    assert.deepEqual((await validate(`${origin.url}/demo/foul/index.m3u8`)).map(asLine), []);
    assert.equal((await remove(origin, 'demo/foul')).status, 200);
  });

  await t.test('grows to its end first, and is cut then', async () => {
    const { segments } = await fetchLive(url);
    const end = segments.at(-1).date + 1000 * segments.at(-1).duration + 2400;
    const wish = { from: 'match', start: new Date(segments.at(-1).date + 320).toISOString(), end: new Date(end).toISOString() };
    const replaced = (await putClip(origin, 'demo/corner', wish)).json();
    assert.equal(replaced.state, 'processing');
    const answer = await putClip(origin, 'demo/corner', { ...wish, exact: true });
    const beginning = answer.json();
    assert.deepEqual([beginning.state, beginning.clip.exact], ['processing', 'pending'], answer.text);
    assert.ok(segmentsOf((await get(playlistOf(beginning))).text).length > 0, 'playable at once');
    const { exact, exact_error } = await until('the edges', isCut(origin, 'demo/corner'));
    assert.equal(exact, true, exact_error);
    const cut = await asset(origin, 'demo/corner');
    assert.equal(cut.state, 'ready');
    const pictures = picturesOf((await get(`${origin.url}${cut.download}?rendition=${rendition}`)).body);
    assert.equal(pictures.length, 77, '3.08 s');
    await until('the one that was replaced to end', async () => /ENDLIST/.test((await get(playlistOf(replaced))).text));
    assert.deepEqual((await validate(`${origin.url}/demo/corner/index.m3u8`)).map(asLine), []);
    assert.equal((await remove(origin, 'demo/corner')).status, 200);
  });

  const sheetsOf = async (name) => {
    const url = origin.url + (await asset(origin, name)).thumbnails;
    return segmentsOf((await get(url)).text).map((uri) => new URL(uri, url).href);
  };
  const folder = () => path.join('demo', 'match', version, rendition);
  const isStored = (number) => filesOf(origin, folder()).includes(`${number}.m4s`);

  await t.test('keeps its segments when the window moves on, and when the channel ends', async () => {
    const last = made.numbers.at(-1);
    await followLive(url, ({ segments }) => segments[0].number > last + 1);
    await feed.stop();
    const ended = await endChannel(origin, 'demo/match');
    assert.equal(ended.status, 200, ended.text);
    await until('a segment that nobody holds to go', () => !isStored(last + 1));
    assert.ok(made.numbers.every(isStored), 'held by the clip');
    const sheets = await sheetsOf('demo/kick-off');
    assert.deepEqual(sheets.map((uri) => Number(/(\d+)\.jpg/.exec(uri)[1])), made.numbers);
    for (const uri of sheets) assert.equal((await request(uri)).status, 200, uri);
    assert.deepEqual((await validate(`${origin.url}/demo/kick-off/index.m3u8`)).map(asLine), []);
  });

  await t.test('is made of the recording too, as a whole', async () => {
    const recording = await fetchLive(url);
    const answer = await putClip(origin, 'demo/all', { from: 'match', gaps: true });
    assert.equal(answer.status, 201, answer.text);
    const { renditions, download } = answer.json();
    const { text } = await get(origin.url + renditions.find(({ name }) => name === rendition).url);
    assert.equal(segmentsOf(text).length, recording.segments.length);
    const { download: of_channel } = await asset(origin, 'demo/match');
    for (const address of [download, of_channel]) {
      assert.equal(probe((await get(origin.url + address)).body).kinds.length, 2);
    }
  });

  await t.test('survives kill -9, and lets go when it is deleted after it', async () => {
    origin.kill();
    await origin.exited;
    origin = kept(await origin.restart());
    assert.equal((await remove(origin, 'demo/match')).status, 409);
    const first = `${origin.url}/demo/match/${version}/${rendition}/${made.numbers[0]}.m4s`;
    await get(first);
    const [sheet] = await sheetsOf('demo/kick-off');
    assert.equal((await remove(origin, 'demo/kick-off')).status, 200);
    assert.equal((await request(first)).status, 404);
    assert.equal((await request(sheet)).status, 404);
    await until('its files to go', () => !isStored(made.numbers[0]));
    assert.equal((await remove(origin, 'demo/all')).status, 200);
    assert.equal((await remove(origin, 'demo/match')).status, 200);
  });
});

test('a clip whose end is never made ends with what is there', async () => {
  await openChannel(origin, 'demo/cut-off');
  const feed = kept(publishTs(origin, 'demo/cut-off'));
  const url = videoOf(await waitForAir(origin, 'demo/cut-off'));
  const { segments } = await followLive(url, (now) => now.segments.filter(({ gap }) => !gap).length >= 2);
  const [first] = segments.filter(({ gap }) => !gap);
  const last = segments.at(-1);
  const answer = await putClip(origin, 'demo/end', { from: 'cut-off', start: new Date(first.date).toISOString(),
    end: new Date(last.date + 1000 * last.duration + 2900).toISOString() });
  assert.equal(answer.json().state, 'processing', answer.text);
  const path = answer.json().renditions[0].url;
  const beginning = (await get(origin.url + path)).text;
  origin.kill();
  await origin.exited;
  await feed.exited;
  origin = kept(await origin.restart());
  const { clip: facts, duration } = await waitForState(origin, 'demo/end', 'ready');
  const { text } = await get(origin.url + path);
  assert.ok(text.startsWith(beginning) && text.endsWith('#EXT-X-ENDLIST\n'), `${beginning}, then ${text}`);
  assert.equal(duration, segmentsOf(text).length);
  assert.ok(Date.parse(facts.end) <= first.date + 1000 * duration, 'it says what became of it');
  assert.deepEqual((await validate(`${origin.url}/demo/end/index.m3u8`)).map(asLine), []);
});
