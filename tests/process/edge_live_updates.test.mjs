// How an edge follows a live playlist: by delta updates, as long as they fit what it holds. What it gives out
// is byte for byte what the origin would have sent whole.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { startCountingProxy } from '../support/counting_proxy.mjs';
import { get, metricValue, request } from '../support/http.mjs';
import { openChannel, publishTs, readLive, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { startScriptedLive } from '../support/scripted_live.mjs';
import { startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdges, startOrigin } from '../support/torchrelay.mjs';

let running = [];
afterEach(async () => {
  await cleanUp(...running.reverse());
  running = [];
});

/** A scripted channel, and edges that follow it. */
async function start(edgeCount, shape) {
  const origin = await startScriptedOrigin();
  running.push(origin);
  const live = startScriptedLive(origin, '/demo/final/v1/v720', { parts: 8, ...shape });
  running.push({ stop: () => live.release() });
  const edges = await startEdges(edgeCount, origin.url);
  running.push(...edges);
  for (const edge of edges) await ask(edge, live, `_HLS_msn=${live.next()[0] - 1}`);
  await live.blocked(1);
  return { live, edges };
}

const ask = (edge, live, query) => request(`${edge.url}${live.playlist}?${query}`);
const updates = async (edge, fits) =>
  metricValue(await edge.metrics(), 'relay_edge_live_updates_total', { fits });

/** A part comes; what viewers who wait for it get at each edge. */
async function nextVersion({ live, edges }) {
  const [segment, part] = live.next();
  const waiting = edges.map((edge) => ask(edge, live, `_HLS_msn=${segment}&_HLS_part=${part}`));
  live.addPart();
  const answers = await Promise.all(waiting);
  for (const answer of answers) assert.equal(answer.text, live.text());
  await live.blocked(1);
}

test('a window of two hours costs upstream only what is new, and is the same at every edge of a fleet', async () => {
  const fleet = await start(2, { segments: 1900, window: 1800 });
  const { live, edges } = fleet;
  const begin = { ...live.sent };
  const versions = 20;
  for (let i = 0; i < versions; ++i) await nextVersion(fleet);
  assert.equal(live.sent.wholes, begin.wholes);
  assert.equal(live.sent.deltas, begin.deltas + versions);
  const whole = live.text().length;
  assert.ok(live.sent.bytes - begin.bytes < versions * whole / 8, `${live.sent.bytes - begin.bytes} for ${versions} of ${whole}`);
  for (const edge of edges) {
    assert.ok(await updates(edge, 'yes') >= versions, 'from the origin, and from the owner');
    assert.equal(await updates(edge, 'no'), 0);
  }
});

const wrong = {
  'skips fewer than it leaves out': (text) =>
    text.replace(/SKIPPED-SEGMENTS=(\d+)/, (_, count) => `SKIPPED-SEGMENTS=${count - 1}`),
  'begins behind all that is held': (text) =>
    text.replace(/SEQUENCE:(\d+)/, (_, first) => `SEQUENCE:${Number(first) + 500}`),
  'is of another timeline': (text) => text.replaceAll('#EXTINF:4,', '#EXTINF:3.96,'),
  'has no number': (text) => text.replace(/SKIPPED-SEGMENTS=\d+/, 'SKIPPED-SEGMENTS=many'),
};
for (const [what, change] of Object.entries(wrong)) {
  test(`after a delta update that ${what} the whole is asked for`, async () => {
    const one = await start(1, { segments: 30, window: 25 });
    await nextVersion(one);
    one.live.spoil(change);
    const { wholes } = one.live.sent;
    await nextVersion(one);
    assert.equal(one.live.sent.wholes, wholes + 1);
    one.live.spoil((text) => text);
    await nextVersion(one);
    assert.equal(one.live.sent.wholes, wholes + 1, 'by deltas again');
    assert.equal(await updates(one.edges[0], 'no'), 1);
  });
}

test('who sends deltas that never fit is asked for wholes only', async () => {
  const one = await start(1, { segments: 30, window: 25 });
  one.live.spoil(wrong['is of another timeline']);
  for (let i = 0; i < 6; ++i) await nextVersion(one);
  assert.equal(await updates(one.edges[0], 'no'), 3);
  assert.doesNotMatch(one.live.requests().at(-1), /_HLS_skip/);
});

test('at a real origin every playlist of a channel is the same through a fleet, for fewer bytes', async (t) => {
  const origin = await startOrigin({ transcoder: { live: { rungs_max: 1 } },
    settings: { live: { rtmp: '', srt: '', part: '500ms', group: '1s', segment: '1s' } } });
  const proxy = await startCountingProxy(origin.url);
  const edges = await startEdges(2, proxy.url);
  running.push(origin, proxy, ...edges);
  await openChannel(origin, 'demo/final');
  running.push(publishTs(origin, 'demo/final', { size: '160x90' }));
  const urls = await waitForAir(origin, 'demo/final');
  const media = Object.values(urls).map((url) => new URL(url).pathname);
  const folder = media[0].split('/').slice(0, -2).join('/');
  const video = media.find((path) => !/audio/.test(path));
  const all = [...media, video.replace('index', 'iframes'), `${folder}/thumbnails/index.m3u8`];
  for (const path of all) {
    for (const edge of edges) await get(`${edge.url}${path}?_HLS_msn=0`);
  }
  const alike = new Map(all.map((path) => [path, new Set()]));  // versions that were the same everywhere
  let last;
  const look = async (path) => {
    const [whole, ...others] = (await Promise.all([origin, ...edges].map(({ url }) => get(url + path)))).map(({ text }) => text);
    const { segments, next } = readLive(whole);
    const is_long = segments.length > 12;
    if (path === video && is_long) last = whole.length;
    if (is_long && others.every((other) => other === whole)) alike.get(path).add(JSON.stringify(next));
  };
  await until('eight versions of each to be the same everywhere', async () => {
    await Promise.all(all.map(look));
    return [...alike.values()].every((versions) => versions.size >= 8) ||
      Promise.reject(new Error([...alike].map(([path, { size }]) => `${path}: ${size}`).join(', ')));
  }, { deadline_ms: 90_000 });
  for (const edge of edges) {
    assert.ok(await updates(edge, 'yes') > 0);
    assert.equal(await updates(edge, 'no'), 0);
  }
  const asked = [...proxy.bytes].filter(([path]) => path.startsWith(video) && /_HLS_skip/.test(path)).map(([, bytes]) => bytes);
  const update = asked.at(-1);
  t.diagnostic(`the last update of ${video} was ${update} bytes, the whole ${last}`);
  assert.ok(update < 0.8 * last);
});
