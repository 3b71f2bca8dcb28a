// Large bodies go by slices: what is asked upstream, what is kept, and that versions never mix.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { metricValue, request } from '../support/http.mjs';
import { largeBody, largeBytes } from '../support/large_body.mjs';
import { until } from '../support/poll.mjs';
import { purge } from '../support/purging.mjs';
import { startScriptedOrigin } from '../support/scripted_origin.mjs';
import { openAnswer, readAll, readBytes } from '../support/streaming.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

const slice = 256 * 1024;
const gigabyte = 2 ** 30;

let origin;
let edge;

beforeEach(async () => {
  origin = await startScriptedOrigin();
  edge = await startEdge({ upstream: origin.url, settings: { cache: { slice: '256KiB', object_max: '4MiB' } } });
});
afterEach(async () => {
  await cleanUp(edge, origin);
});

const serve = (length, options) => {
  const body = largeBody(length, options);
  origin.answer('/big', body.script);
  return body;
};
const range = async (first, last, version = 1) => {
  const answer = await request(`${edge.url}/big`, { headers: { range: `bytes=${first}-${last}` } });
  assert.equal(answer.status, 206);
  assert.ok(answer.body.equals(largeBytes(first, last, version)), `the bytes at ${first}`);
  return answer;
};
const rangeOf = (number) => `bytes=${number * slice}-${(number + 1) * slice - 1}`;
const slicesOf = (...ranges) => [...new Set(ranges.flatMap(([first, last]) =>
  Array.from({ length: Math.floor(last / slice) - Math.floor(first / slice) + 1 },
    (_, i) => rangeOf(Math.floor(first / slice) + i))))];
const isHit = (answer) => /edge-1; hit/.test(answer.headers['cache-status']);

test('ranges of 20 GB touch the slices that they lie in, once', async () => {
  const length = 20 * gigabyte;
  const body = serve(length);
  const ranges = [[0, 0], [slice - 1, slice], [7 * slice, 8 * slice - 1], [3 * gigabyte + 5, 3 * gigabyte + 700_000],
    [19 * gigabyte + 123_457, 19 * gigabyte + 123_460], [length - 10, length - 1]];
  for (const [first, last] of ranges) await range(first, last);
  const wanted = slicesOf(...ranges);
  assert.deepEqual(body.asked, ['whole', ...wanted], 'the head first, then each slice');
  for (const [first, last] of ranges) {
    await until('a hit', async () => isHit(await range(first, last)), { every_ms: 5 });
  }
  assert.equal(body.asked.length, 1 + wanted.length);
});

test('a second read asks nobody, after a restart neither', async () => {
  const length = 9 * slice + 1234;
  const body = serve(length);
  for (let i = 0; i < 2; i++) {
    const whole = await request(`${edge.url}/big`);
    assert.equal(whole.status, 200);
    assert.ok(whole.body.equals(largeBytes(0, length - 1)));
    assert.equal(body.asked.length, 1 + 10);
  }
  await until('the last slice to be stored', async () => isHit(await range(9 * slice, length - 1)));
  await edge.stop();
  edge = await edge.restart();
  assert.ok((await request(`${edge.url}/big`)).body.equals(largeBytes(0, length - 1)));
  assert.equal(body.asked.length, 1 + 10);
});

test('50 readers share one fetch a slice', async () => {
  const length = 12 * slice;
  const body = serve(length);
  const wanted = largeBytes(0, length - 1);
  const answers = await Promise.all(Array.from({ length: 50 }, () => request(`${edge.url}/big`)));
  for (const answer of answers) assert.ok(answer.body.equals(wanted));
  assert.deepEqual([...body.asked].sort(), ['whole', ...slicesOf([0, length - 1])].sort());
});

test('conditions, several ranges and HEAD', async () => {
  const length = 3 * gigabyte;
  const body = serve(length);
  await range(5, 9);
  assert.equal((await request(`${edge.url}/big`, { headers: { 'if-none-match': '"v1"' } })).status, 304);
  const unsatisfiable = await request(`${edge.url}/big`, { headers: { range: `bytes=${length}-` } });
  assert.equal(unsatisfiable.status, 416);
  const head = await request(`${edge.url}/big`, { method: 'HEAD' });
  assert.equal(head.headers['content-length'], String(length));
  assert.equal(body.asked.length, 2, 'none of these takes a slice');
  const several = await request(`${edge.url}/big`, { headers: { range: `bytes=0-3,${2 * gigabyte}-${2 * gigabyte + 3}` } });
  assert.equal(several.status, 206);
  assert.ok(several.body.includes(largeBytes(0, 3)));
  assert.ok(several.body.includes(largeBytes(2 * gigabyte, 2 * gigabyte + 3)));
});

test('a version that changes in the middle never mixes', async () => {
  const length = 64 * slice;
  const body = serve(length);
  const old = await openAnswer(`${edge.url}/big`);
  const begun = await readBytes(old.incoming, slice);
  body.version = 2;
  const rest = await old.whole();
  assert.ok(!rest.complete, 'the reader of the old version is reset');
  const got = Buffer.concat([begun, rest.body]);
  assert.ok(got.length < length && got.equals(largeBytes(0, got.length - 1, 1)), 'what it got is of one version');
  for (let i = 0; i < 2; i++) {
    const answer = await request(`${edge.url}/big`);
    assert.equal(answer.headers.etag, '"v2"');
    assert.ok(answer.body.equals(largeBytes(0, length - 1, 2)));
  }
});

test('a change that shows at the first slice gives the new version at once', async () => {
  const body = serve(64 * slice);
  await range(0, 10);
  body.version = 2;
  await range(40 * slice, 40 * slice + 10, 2);
  await range(0, 10, 2);
});

test('a crowd that finds another version at its first slice fetches that once', async () => {
  const length = 8 * slice;
  const body = serve(length);
  await range(5 * slice, 5 * slice + 10);
  body.version = 2;
  body.asked.length = 0;
  const joined = async () => metricValue(await edge.metrics(), 'relay_edge_slices_total', { from: 'flight' }) >= 19;
  const { script } = body;
  origin.answer('/big', async (incoming, response) => {
    if (incoming.headers['if-range'] === '"v1"') await until('all to wait for the slice', joined);
    return script(incoming, response);
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => request(`${edge.url}/big`)));
  for (const { body: bytes } of answers) assert.ok(bytes.equals(largeBytes(0, length - 1, 2)));
  assert.equal(body.asked.filter((one) => one === 'whole').length, 1, 'the new version is asked for once');
});

test('a slow reader has a slice or two in memory', async () => {
  const length = 400 * slice;
  const body = serve(length);
  const slow = await openAnswer(`${edge.url}/big`);
  await readBytes(slow.incoming, 10);
  // The sockets between take some; when nothing more is asked for, the reader holds it all up.
  let asked = -1;
  await until('the edge to stop asking', () => asked === (asked = body.asked.length), { every_ms: 300 });
  assert.ok(asked < 100, `${asked} slices asked for`);
  const bytes = metricValue(await edge.metrics(), 'relay_edge_flight_bytes');
  assert.ok(bytes <= 2 * slice, `${bytes} bytes in flight`);
  slow.leave();
});

test('a large body goes through in little memory', async () => {
  const length = 1200 * slice;
  const body = serve(length);
  let most = 0;
  const answer = await openAnswer(`${edge.url}/big`);
  let at = 0;
  for await (const piece of answer.incoming) {
    assert.ok(piece.equals(largeBytes(at, at + piece.length - 1)), `the bytes at ${at}`);
    at += piece.length;
    if (at % 64 === 0) most = Math.max(most, metricValue(await edge.metrics(), 'relay_edge_flight_bytes'));
  }
  assert.equal(at, length);
  assert.equal(body.asked.length, 1 + 1200);
  // What waits for the store is bounded by its queue.
  assert.ok(most > 0 && most <= 64 * 2 ** 20 + 4 * slice, `${most} bytes in flight`);
});

test('a slice that breaks off goes on where it broke', async () => {
  const body = serve(8 * slice);
  body.cut[rangeOf(2)] = 1000;
  await range(2 * slice, 3 * slice - 1);
  assert.deepEqual(body.asked, ['whole', rangeOf(2), `bytes=${2 * slice + 1000}-${3 * slice - 1}`]);
});

test('without memory for flights slices go through unshared', async () => {
  await cleanUp(edge);
  edge = await startEdge({ upstream: origin.url,
    settings: { cache: { slice: '2MiB', object_max: '4MiB', flight_memory: '1MiB' } } });
  serve(20 * gigabyte);
  for (let i = 0; i < 2; i++) assert.ok(!isHit(await range(gigabyte, gigabyte + 3_000_000)));
});

for (const [what, headers] of [
  ['no word of ranges', { 'accept-ranges': 'none' }],
  ['a weak ETag', { etag: 'W/"v1"' }],
]) {
  test(`not sliced: ${what}`, async () => {
    const body = serve(32 * slice, { headers });
    for (let i = 1; i <= 2; i++) {
      const whole = await request(`${edge.url}/big`);
      assert.ok(whole.body.equals(largeBytes(0, 32 * slice - 1)));
      assert.ok(!isHit(whole));
      assert.deepEqual(body.asked, Array(i).fill('whole'));
    }
  });
}

test('an upstream that does no ranges after all is passed through', async () => {
  const body = serve(32 * slice, { ranges: false });
  for (let i = 0; i < 3; i++) {
    const whole = await request(`${edge.url}/big`);
    assert.ok(whole.body.equals(largeBytes(0, 32 * slice - 1)));
  }
  assert.equal(body.asked.filter((one) => one !== 'whole').length, 1, 'it is asked for a range once');
});

test('Last-Modified pins a version too', async () => {
  const body = serve(32 * slice);
  body.validators = () => ({ 'last-modified': `Tue, 01 Sep 2020 10:00:0${body.version} GMT` });
  await range(20 * slice, 20 * slice + 9);
  body.version = 2;
  await range(21 * slice, 21 * slice + 9, 2);
  assert.ok(body.asked.includes(rangeOf(20)));
});

test('a stale head is confirmed and its slices stay', async () => {
  const body = serve(32 * slice, { headers: { 'cache-control': 'public, max-age=0' } });
  await range(5, 9);
  await until('the slice to be stored', async () =>
    metricValue(await edge.metrics(), 'relay_edge_cache_objects') >= 2);
  await range(5, 9);
  assert.equal(body.asked.filter((one) => one === rangeOf(0)).length, 1);
});

test('a purge takes the slices along', async () => {
  const body = serve(32 * slice);
  await until('a hit', async () => isHit(await range(0, 10)), { every_ms: 5 });
  const purged = await purge(edge, { url: '/big' });
  assert.equal(purged.json().purged, 2);
  const asked = body.asked.length;
  assert.ok(!isHit(await range(0, 10)));
  assert.equal(body.asked.length, asked + 2);
});

for (const what of [{ url: '/big' }, { prefix: '/b' }, { tag: 'large' }, { tenant: 'big' }, { all: true }]) {
  test(`a slice on its way when ${JSON.stringify(what)} comes is not kept`, async () => {
    const body = serve(32 * slice, { headers: { 'cache-tag': 'large' } });
    body.validators = () => ({ etag: '"same"' });  // only the purge tells one version from the other
    const [first, middle, last] = [3 * slice, 3 * slice + slice / 2, 4 * slice - 1];
    let held;
    origin.answer('/big', (incoming, response) => {
      if (held || incoming.headers.range !== rangeOf(3)) return body.script(incoming, response);
      held = response;
      response.writeHead(206, { 'cache-control': 'public, max-age=600', 'cache-tag': 'large', etag: '"same"',
        'content-length': slice, 'content-range': `bytes ${first}-${last}/${32 * slice}` });
      return response.write(largeBytes(first, middle - 1));
    });
    const early = await openAnswer(`${edge.url}/big`, { headers: { range: rangeOf(3) } });
    body.version = 2;
    assert.equal((await purge(edge, what)).status, 200);
    await range(first, last, 2);  // nobody joins what is purged
    await until('the new slice to be stored', async () => isHit(await range(first, last, 2)));
    held.end(largeBytes(middle, last));
    const { body: bytes, complete } = await early.whole();
    assert.ok(complete && bytes.equals(largeBytes(first, last)), 'who waited already gets the old one');
    // What is stored after it is there: it is not.
    await until('another slice to be stored', async () => isHit(await range(5 * slice, 6 * slice - 1, 2)));
    await range(first, last, 2);
  });
}
