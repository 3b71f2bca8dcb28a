// An asset's tags are tags of its answers: operators purge by them on any edge.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { upload, waitForState } from '../support/broadcaster.mjs';
import { get, metricValue, request } from '../support/http.mjs';
import { clip, photo } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { startFleet } from '../support/torchrelay.mjs';

let fleet;
let paths;  // of the tagged video and photo: playlists, init and a segment, a rendition

before(async () => {
  fleet = await startFleet(2, { origin: { tenants: { demo: 'demo-key', other: 'other-key' } } });
  await upload(fleet.origin, 'demo/videos/final?tag=100m&tag=day%201', clip({ seconds: 2 }));
  await upload(fleet.origin, 'demo/photos/medal?tag=day%201', photo({ size: '640x360' }));
  await upload(fleet.origin, 'other/photos/medal?tag=day%201', photo({ size: '640x360' }));
  const video = await waitForState(fleet.origin, 'demo/final', 'ready');
  const medal = await waitForState(fleet.origin, 'demo/medal', 'ready');
  const others = await waitForState(fleet.origin, 'other/medal', 'ready');
  const playlist = video.renditions[0].url;
  paths = {
    video: [video.playback, playlist, playlist.replace('index.m3u8', 'init.mp4'),
      playlist.replace('index.m3u8', '0.m4s')],
    medal: [medal.renditions[0].jpeg, medal.renditions[0].url],
    others: [others.renditions[0].jpeg],
  };
});
after(() => fleet?.cleanUp());

const state = ({ headers }) => headers['cache-status'].split(',').at(-1);
const isHit = (answer) => /; hit/.test(state(answer));

/** Asks until every edge has them all. */
async function warm(list) {
  for (const edge of fleet.edges) {
    for (const path of list) {
      await until(`${path} to be a hit`, async () => isHit(await get(edge.url + path)), { every_ms: 5 });
    }
  }
}

/** Of the paths, those that the edge does not give without asking. */
async function forgotten(edge, list) {
  const gone = [];
  for (const path of list) if (!isHit(await get(edge.url + path))) gone.push(path);
  return gone;
}

const purge = (what) => request(`${fleet.edges[0].admin}/purge`, { method: 'POST', body: JSON.stringify(what) });

test('every answer carries tenant, asset and tags', async () => {
  for (const path of paths.video) {
    const { headers } = await get(fleet.origin.url + path);
    assert.equal(headers['cache-tag'], 'demo, demo/final, demo:100m, demo:day%201', path);
  }
  for (const path of paths.medal) {
    assert.equal((await get(fleet.origin.url + path)).headers['cache-tag'], 'demo, demo/medal, demo:day%201', path);
  }
  const { etag } = (await get(fleet.origin.url + paths.video[2])).headers;
  const same = await request(fleet.origin.url + paths.video[2], { headers: { 'if-none-match': etag } });
  assert.equal(same.status, 304);
  assert.match(same.headers['cache-tag'], /demo:100m/);
});

test('a purge by tag takes what has it from every edge, and nothing else', async () => {
  // The multivariant playlist is left out: it lives shortly and may go by itself.
  const tagged = [paths.video[2], paths.video[3]];
  for (const [tag, goes, stays] of [
    ['demo:100m', tagged, [...paths.medal, ...paths.others]],
    ['demo:day%201', [...tagged, ...paths.medal], paths.others],
    ['demo/medal', paths.medal, [...tagged, ...paths.others]],
    ['demo', [...tagged, ...paths.medal], paths.others],
  ]) {
    await warm([...goes, ...stays]);
    const answer = await purge({ tag });
    assert.equal(answer.status, 200, answer.text);
    // One after the other, each asking the other edge: what one fetched again the other may have.
    assert.deepEqual(await forgotten(fleet.edges[0], [...goes, ...stays]), goes, tag);
    assert.deepEqual(await forgotten(fleet.edges[1], stays), [], tag);
  }
});

test('a title that comes with the same bytes again is announced', async () => {
  const announced = async () => metricValue(await fleet.origin.metrics(), 'origin_announcements_total',
    { outcome: 'confirmed' });
  const before = await announced();
  const again = await upload(fleet.origin, 'demo/videos/final?title=The%20final', clip({ seconds: 2 }));
  assert.equal(again.status, 200, again.text);
  // Two each: the playlist is forgotten, the rest is asked about again.
  await until('every edge to confirm', async () => await announced() >= before + 2 * fleet.edges.length);
  for (const edge of fleet.edges) assert.match((await get(edge.url + paths.video[0])).text, /VALUE="The final"/);
});

test('tags that were changed count at once', async () => {
  const path = paths.medal[0];
  await warm([path]);
  const changed = await request(`${fleet.origin.url}/api/v1/demo/assets/medal`,
    { method: 'PATCH', headers: fleet.origin.authorization('demo'), body: '{"tags": ["gold"]}' });
  assert.equal(changed.status, 200, changed.text);
  for (const edge of fleet.edges) {
    await until('the new tag', async () => (await get(edge.url + path)).headers['cache-tag'].endsWith('demo:gold'));
  }
  await warm([path]);
  assert.equal((await purge({ tag: 'demo:day%201' })).status, 200);
  assert.deepEqual(await forgotten(fleet.edges[0], [path]), [], 'the old tag is no tag of it');
  assert.equal((await purge({ tag: 'demo:gold' })).status, 200);
  assert.deepEqual(await forgotten(fleet.edges[0], [path]), [path]);
});
