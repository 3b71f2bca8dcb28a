// A fetch that breaks off goes on where it stopped, under a validator that pins its version, or is cut for all
// who read it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { get, metricValue } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { startScriptedEdge } from '../support/scripted_edge.mjs';
import { fresh, pattern } from '../support/scripted_origin.mjs';
import { openAnswer } from '../support/streaming.mjs';

const objectMax = 1 << 20;
const { origin, edge } = await startScriptedEdge({ settings: { cache: { object_max: '1MiB', memory: '16MiB' } } });

const isHit = (answer) => /; hit/.test(answer.headers['cache-status']);
const cachedKeys = async () => (await get(`${edge.admin}/api/v1/cache`)).json().some.map(({ key }) => key);

test('a flight goes on where its upstream broke off', async () => {
  const body = pattern(900_000, 13);
  origin.answer('/resume', (asked, response, number) => {
    const from = Number(/bytes=(\d+)-/.exec(asked.headers.range ?? 'bytes=0-')[1]);
    const rest = body.subarray(from);
    response.writeHead(number === 1 ? 200 : 206, { ...fresh, etag: '"r"', 'content-length': rest.length,
      ...(number === 1 ? {} : { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` }) });
    if (number < 3) response.write(rest.subarray(0, 350_000), () => response.destroy());
    else response.end(rest);
  });
  const answer = await get(`${edge.url}/resume`);
  assert.ok(answer.body.equals(body));
  const asked = origin.requests.filter(({ path }) => path === '/resume');
  assert.equal(asked.length, 3);
  for (const { headers } of asked.slice(1)) {
    assert.match(headers.range, /^bytes=\d+-$/);
    assert.equal(headers['if-range'], '"r"');
  }
  await until('a hit', async () => {
    const hit = await get(`${edge.url}/resume`);
    return isHit(hit) && hit.body.equals(body);
  });
});

test('a flight that went on is held to the digest that its head promised', async () => {
  const body = pattern(300_000, 23);
  origin.answer('/resume-digest', (asked, response, number) => {
    const from = Number(/bytes=(\d+)-/.exec(asked.headers.range ?? 'bytes=0-')[1]);
    const head = { ...fresh, etag: '"r"', 'content-length': body.length - from };
    if (number === 1) {
      response.writeHead(200, { ...head, 'repr-digest': 'xxh3-128=:AAAAAAAAAAAAAAAAAAAAAA==:' });
      return response.write(body.subarray(0, 100_000), () => response.destroy());
    }
    response.writeHead(206, { ...head, 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` });
    return response.end(body.subarray(from));
  });
  await assert.rejects(get(`${edge.url}/resume-digest`));
});

test('a flight goes on under an old Last-Modified, held to the sha-256 of the whole', async () => {
  const body = pattern(500_000, 29);
  const head = { ...fresh, 'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT' };
  origin.answer('/resume-date', (asked, response, number) => {
    const from = Number(/bytes=(\d+)-/.exec(asked.headers.range ?? 'bytes=0-')[1]);
    const rest = body.subarray(from);
    if (number === 1) {
      const digest = createHash('sha256').update(body).digest('base64');
      response.writeHead(200, { ...head, 'content-length': body.length, 'repr-digest': `sha-256=:${digest}:` });
      return response.write(rest.subarray(0, 200_000), () => response.destroy());
    }
    assert.equal(asked.headers['if-range'], head['last-modified']);
    response.writeHead(206, { ...head, 'content-length': rest.length,
      'content-range': `bytes ${from}-${body.length - 1}/${body.length}` });
    return response.end(rest);
  });
  assert.ok((await get(`${edge.url}/resume-date`)).body.equals(body));
  assert.equal(origin.count('/resume-date'), 2);
  await until('a hit', async () => isHit(await get(`${edge.url}/resume-date`)));
});

test('a flight does not go on under a Last-Modified of just now', async () => {
  const body = pattern(300_000, 31);
  origin.answer('/resume-now', (asked, response) => {
    const now = new Date().toUTCString();
    response.writeHead(200, { ...fresh, date: now, 'last-modified': now, 'content-length': body.length });
    response.write(body.subarray(0, 100_000), () => response.destroy());
  });
  assert.equal((await (await openAnswer(`${edge.url}/resume-now`)).whole()).complete, false);
  assert.equal(origin.count('/resume-now'), 1);
});

/** The first answer, chunked, breaks off after 100,000 bytes; what is asked for then is given as it is asked for. */
function breaksUncounted(path, body, head, restHead = head) {
  origin.answer(path, (asked, response, number) => {
    const from = Number(/bytes=(\d+)-/.exec(asked.headers.range ?? 'bytes=0-')[1]);
    if (number === 1) {
      response.writeHead(200, { ...fresh, ...head });
      return response.write(body.subarray(0, 100_000), () => response.destroy());
    }
    response.writeHead(206, { ...fresh, ...restHead, 'content-length': body.length - from,
      'content-range': `bytes ${from}-${body.length - 1}/${body.length}` });
    if (number === 2) return response.write(body.subarray(from, from + 100_000), () => response.destroy());
    return response.end(body.subarray(from));
  });
}

test('a flight without a length goes on under a strong ETag, twice', async () => {
  const body = pattern(500_000, 37);
  breaksUncounted('/resume-chunked', body, { etag: '"r"' });
  const { body: got, complete } = await (await openAnswer(`${edge.url}/resume-chunked`)).whole();
  assert.ok(complete && got.equals(body));
  assert.equal(origin.count('/resume-chunked'), 3);
  assert.equal(origin.requests.at(-1).headers['if-range'], '"r"');
  await until('a hit', async () => isHit(await get(`${edge.url}/resume-chunked`)));
});

for (const [i, [what, head, restHead]] of [
  ['under a weak ETag', { etag: 'W/"r"' }],
  ['under Last-Modified', { 'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT' }],
  ['coded', { etag: '"r"', 'content-encoding': 'gzip' }],
  ['with another version', { etag: '"r"' }, { etag: '"s"' }],
].entries()) {
  test(`a flight without a length does not go on ${what}`, async () => {
    breaksUncounted(`/no-resume-chunked-${i}`, pattern(300_000, 41), head, restHead);
    assert.equal((await (await openAnswer(`${edge.url}/no-resume-chunked-${i}`)).whole()).complete, false);
    assert.equal(origin.count(`/no-resume-chunked-${i}`), restHead ? 2 : 1);
  });
}

test('a flight without a length does not go on beyond cache.object_max', async () => {
  breaksUncounted('/no-resume-large', pattern(objectMax + 1, 43), { etag: '"r"' });
  assert.equal((await (await openAnswer(`${edge.url}/no-resume-large`)).whole()).complete, false);
  assert.ok(!(await cachedKeys()).includes('/no-resume-large'));
});

const notResumed = [
  ['another version', (rest, from, size) => [206, { etag: '"other"', 'content-range': `bytes ${from}-${size - 1}/${size}` }]],
  ['another place', (rest, from, size) => [206, { etag: '"r"', 'content-range': `bytes ${from + 1}-${size - 1}/${size}` }]],
  ['the whole again', () => [200, { etag: '"other"' }]],
];
for (const [i, [what, head]] of notResumed.entries()) {
  test(`a flight does not go on with ${what}`, async () => {
    const body = pattern(300_000, 17);
    origin.answer(`/no-resume-${i}`, (asked, response, number) => {
      if (number === 1) {
        response.writeHead(200, { ...fresh, etag: '"r"', 'content-length': body.length });
        response.write(body.subarray(0, 100_000), () => response.destroy());
        return;
      }
      const from = Number(/bytes=(\d+)-/.exec(asked.headers.range)[1]);
      const [status, headers] = head(body, from, body.length);
      response.writeHead(status, headers);
      response.end(body.subarray(from));
    });
    const got = await (await openAnswer(`${edge.url}/no-resume-${i}`)).whole();
    assert.equal(got.complete, false);
    assert.ok(got.body.equals(body.subarray(0, got.body.length)), 'no byte of another version');
  });
}

test('nothing is left in flight', async () => {
  await until('no flights, no bytes', async () => {
    const text = await edge.metrics();
    return metricValue(text, 'relay_edge_flights') === 0 && metricValue(text, 'relay_edge_flight_bytes') === 0;
  });
});
