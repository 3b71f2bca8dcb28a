// Media sense: who goes through a playlist finds the next segment there already, fetched once; what a
// live window has left makes room first, what every viewer needs last.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import zlib from 'node:zlib';
import { makeFaults } from '../support/faults.mjs';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge, temporaryFolder } from '../support/torchrelay.mjs';

const playlist = '/live/v1/index.m3u8';
// By their names and types they could be anything: only the playlist tells what they are.
const init = '/live/v1/head';
const key = '/live/v1/secret';
const segment = (number) => `/live/v1/${number}.m4s`;
const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
let origin;
let edges = [];

beforeEach(async () => { origin = await startScriptedOrigin(); });
afterEach(async () => {
  await cleanUp(...edges, origin);
  edges = [];
});

async function startOne(settings = {}, more = {}) {
  const edge = await startEdge({ upstream: origin.url, ...more,
    settings: { ...settings, edge: { threads: 1, ...settings.edge } } });
  edges.push(edge);
  return edge;
}

function playlistText(from, to, { ended = true } = {}) {
  return ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:4', `#EXT-X-MEDIA-SEQUENCE:${from}`,
    '#EXT-X-MAP:URI="head"', '#EXT-X-KEY:METHOD=AES-128,URI="secret"',
    ...numbers(from, to).flatMap((n) => ['#EXTINF:4,', `${n}.m4s`]),
    ...(ended ? ['#EXT-X-ENDLIST'] : []), ''].join('\n');
}

const mpegurl = { ...fresh, 'content-type': 'application/vnd.apple.mpegurl' };
const video = { ...fresh, 'content-type': 'video/iso.segment' };

/** The origin has these segments, a playlist of them, its init segment and its key. */
function offer(from, to, { size = 2000, ...rest } = {}) {
  origin.answer(playlist, { headers: mpegurl, body: playlistText(from, to, rest) });
  for (const path of [init, key]) {
    origin.answer(path, { headers: { ...fresh, 'content-type': 'application/octet-stream' }, body: pattern(size, 99) });
  }
  for (const n of numbers(from, to)) origin.answer(segment(n), { headers: video, body: pattern(size, n) });
}

const states = ['started', 'completed', 'used', 'wasted'];
const countOf = async (edge, name, labels) => metricValue(await edge.metrics(), name, labels);
const prefetched = (edge, state) => countOf(edge, 'relay_edge_prefetches_total', { state });
const prefetches = async (edge) => Promise.all(states.map((state) => prefetched(edge, state)));

/** Loads the playlist, and waits until the edge has read it too. */
async function load(edge, { headers } = {}) {
  const before = await countOf(edge, 'relay_edge_playlists_learnt_total');
  const answer = await get(edge.url + playlist, { headers });
  await until('the playlist to be learnt', async () =>
    (await countOf(edge, 'relay_edge_playlists_learnt_total')) > before, { every_ms: 5 });
  return answer;
}
const read = async (edge, n) => {
  const answer = await get(edge.url + segment(n));
  assert.deepEqual(answer.body, pattern(answer.body.length, n));
  return answer.headers['cache-status'];
};
/** A use, without a body: pages that were sent can't be given back at once, and others would go. */
const isStored = async (edge, path) => (await request(edge.url + path,
  { method: 'HEAD', headers: { 'cache-control': 'only-if-cached' } })).status === 200;
/** Reads one segment after the other, each after what was fetched ahead has come. */
async function readAll(edge, from, to) {
  const seen = [];
  for (const n of numbers(from, to)) {
    seen.push(await read(edge, n));
    await until('prefetches to end', async () =>
      (await countOf(edge, 'relay_edge_flights')) === 0 && (await prefetched(edge, 'started')) ===
        (await prefetched(edge, 'completed')) + (await prefetched(edge, 'wasted')), { every_ms: 5 });
  }
  return seen;
}

test('a viewer in sequence finds each segment from the third on, and nothing past the end is asked for', async () => {
  const folder = temporaryFolder('media-log');
  const accessLog = path.join(folder, 'access');
  const edge = await startOne({ edge: { access_log: accessLog } });
  offer(0, 5);
  await load(edge);
  const seen = await readAll(edge, 0, 5);
  assert.deepEqual(seen.map((status) => /; hit/.test(status)), [false, false, true, true, true, true]);
  assert.deepEqual(await prefetches(edge), [4, 4, 4, 0]);
  assert.deepEqual(origin.requests.map((one) => one.path), [playlist, ...numbers(0, 5).map(segment)]);
  await edge.stop();
  const lines = fs.readFileSync(accessLog, 'utf8').trim().split('\n');
  assert.equal(lines.length, 7, 'a line for each request of the client, none for a prefetch');
  fs.rmSync(folder, { recursive: true });
});

test('several segments ahead where the settings say so; none where they say 0', async () => {
  offer(0, 9);
  const three = await startOne({ cache: { prefetch: 3 } });
  await load(three);
  await readAll(three, 0, 1);
  assert.deepEqual(numbers(0, 9).map((n) => origin.count(segment(n))), [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
  const none = await startOne({ cache: { prefetch: 0 } });
  await load(none);
  await readAll(none, 5, 8);
  assert.equal(origin.count(segment(9)), 0);
  assert.deepEqual(await prefetches(none), [0, 0, 0, 0]);
});

test('no prefetch for who jumps, nor where nobody loaded the playlist here', async () => {
  const edge = await startOne();
  offer(0, 9);
  await readAll(edge, 0, 2);
  assert.equal(origin.count(segment(3)), 0, 'numbers are not guessed');
  await load(edge);
  await readAll(edge, 9, 9);
  await readAll(edge, 5, 5);
  await readAll(edge, 7, 7);
  await readAll(edge, 4, 4);
  assert.deepEqual(await prefetches(edge), [0, 0, 0, 0]);
  assert.deepEqual(numbers(3, 9).map((n) => origin.count(segment(n))), [0, 1, 1, 0, 1, 0, 1]);
});

test('a packed playlist is understood, and so is one that comes from the store after a restart', async () => {
  let edge = await startOne();
  offer(3, 8);
  origin.answer(playlist, (asked, response) => {
    const packed = /gzip/.test(asked.headers['accept-encoding'] ?? '');
    const text = playlistText(3, 8);
    response.writeHead(200, { ...mpegurl, vary: 'Accept-Encoding', ...(packed ? { 'content-encoding': 'gzip' } : {}) });
    response.end(packed ? zlib.gzipSync(text) : text);
  });
  const packed = { headers: { 'accept-encoding': 'gzip' } };
  assert.equal((await load(edge, packed)).headers['content-encoding'], 'gzip');
  await readAll(edge, 3, 4);
  assert.equal(origin.count(segment(5)), 1);
  await edge.stop();
  edges = [edge = await edge.restart()];
  assert.match((await load(edge, packed)).headers['cache-status'], /; hit/);
  await readAll(edge, 5, 6);
  assert.equal(origin.count(segment(7)), 1);
  assert.equal(origin.count(playlist), 1);
});

test('an answer that is not for others is not fetched ahead twice, and never handed to anybody', async () => {
  const edge = await startOne();
  offer(0, 4);
  origin.answer(segment(2), (asked, response, number) => response.writeHead(200,
    { 'content-type': 'video/mp4', 'cache-control': 'private' }).end(`for fetch ${number}`));
  await load(edge);
  await readAll(edge, 0, 1);
  assert.equal(origin.count(segment(2)), 1);
  assert.deepEqual(await prefetches(edge), [1, 0, 0, 1]);
  await readAll(edge, 0, 1);
  assert.equal(origin.count(segment(2)), 1);
  assert.equal((await get(edge.url + segment(2))).text, 'for fetch 2');
});

test('a client that comes for what is being fetched ahead joins it', async () => {
  const edge = await startOne();
  offer(0, 3);
  let finish;
  origin.answer(segment(2), (asked, response) => {
    response.writeHead(200, { ...video, 'content-length': 2000 });
    response.write(pattern(2000, 2).subarray(0, 700));
    finish = () => response.end(pattern(2000, 2).subarray(700));
  });
  await load(edge);
  await read(edge, 0);
  await read(edge, 1);
  await origin.asked(segment(2));
  const answer = read(edge, 2);
  await until('the client to be there', async () => (await prefetched(edge, 'used')) === 1);
  finish();
  assert.match(await answer, /collapsed/);
  assert.equal(origin.count(segment(2)), 1);
});

test('a stop does not wait for an upstream that says nothing', async () => {
  const edge = await startOne({ edge: { drain_grace: '500ms' } });
  offer(0, 3);
  origin.answer(segment(2), () => {});
  await load(edge);
  await read(edge, 0);
  await read(edge, 1);
  await origin.asked(segment(2));
  assert.equal((await edge.stop()).code, 0);
});

test('in a fleet each segment is fetched once, whoever is ahead of whom', async () => {
  const ports = await freePorts(6);
  const members = numbers(0, 2).map((i) =>
    ({ name: `edge-${i + 1}`, url: `http://127.0.0.1:${ports[2 * i]}`, weight: 1.0 }));
  await Promise.all(members.map(({ name }, i) =>
    startOne({}, { name, members, ports: [ports[2 * i], ports[2 * i + 1]] })));
  offer(0, 19);
  await Promise.all(edges.map((edge) => load(edge)));
  await readAll(edges[0], 0, 4);
  await Promise.all(edges.map((edge) => readAll(edge, 0, 19)));
  for (const n of numbers(0, 19)) assert.equal(origin.count(segment(n)), 1, segment(n));
  assert.equal(origin.count(segment(20)), 0);
  for (const edge of edges) {
    const [started, completed, used, wasted] = await prefetches(edge);
    assert.ok(started > 0);
    assert.deepEqual([completed, used, wasted], [started, started, 0]);
  }
});

test('nothing is fetched ahead while the store fails', async () => {
  const folder = temporaryFolder('media-faults');
  const faults = makeFaults(folder);
  try {
    const edge = await startOne({}, { folder, environment: faults.environment });
    offer(0, 9);
    await load(edge);
    faults.fail('write', 'ENOSPC');
    const failures = () => countOf(edge, 'relay_edge_cache_store_failures_total', { reason: 'disk' });
    await readAll(edge, 0, 0);
    await until('the store to fail', async () => (await failures()) >= 1);
    await readAll(edge, 1, 3);
    assert.deepEqual(await prefetches(edge), [0, 0, 0, 0]);
    faults.work('write');
    await until('the store to work', async () => {
      await read(edge, 3);
      return isStored(edge, segment(3));
    });
    await readAll(edge, 4, 5);
    assert.ok(await prefetched(edge, 'completed') > 0);
  } finally {
    faults.work('write');
    faults.close();
  }
});

test('what left the live window makes room first; playlist, init segment and key stay', async () => {
  const size = 500_000;
  const edge = await startOne({ cache: { prefetch: 0 } }, { size: '16MiB' });
  const evictions = () => countOf(edge, 'relay_edge_cache_evictions_total');
  let filled = 0;
  /** One more object that nobody asked for before; how many had to leave until now. */
  const fill = async ({ used = false } = {}) => {
    const path = `/fill/${filled++}`;
    origin.answer(path, { headers: fresh, body: pattern(size, 1000 + filled) });
    await get(edge.url + path);
    await until(`${path} to be stored`, async () => (await countOf(edge, 'relay_edge_flights')) === 0, { every_ms: 5 });
    // Not its body: what sockets may still hold is not erased at once.
    if (used) await get(edge.url + path, { method: 'HEAD' });
    return evictions();
  };
  const stored = (list) => Promise.all(list.map((path) => isStored(edge, path)));
  offer(0, 9, { size, ended: false });
  const lasting = [playlist, init, key];
  await get(edge.url + init);
  await load(edge);
  await get(edge.url + key);
  await readAll(edge, 0, 9);
  // Much loved, so that no order of use would let them go before the others.
  const old = numbers(0, 4).map(segment), others = numbers(5, 9).map(segment);
  for (let round = 0; round < 5; round++) assert.deepEqual(await stored(old), Array(5).fill(true));
  offer(5, 14, { size, ended: false });
  await load(edge, { headers: { 'cache-control': 'no-cache' } });
  assert.deepEqual(await stored(old), Array(5).fill(true), 'there is room for them');
  while (await fill() < 5) assert.ok(filled < 60);
  assert.deepEqual(await stored(old), Array(5).fill(false));
  assert.deepEqual(await stored([...others, ...lasting]), Array(8).fill(true));
  // When nothing is over any more, these still outlive what is used as often.
  while (await fill({ used: true }) < 100) assert.ok(filled < 200);
  assert.deepEqual(await stored(others), Array(5).fill(false));
  assert.deepEqual(await stored(lasting), Array(3).fill(true));
});
