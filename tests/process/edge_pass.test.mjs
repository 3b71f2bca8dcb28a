// What passes by the cache: it never looks whole when it is not what was promised, and nobody waits
// for another's answer.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { get, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { startScriptedEdge } from '../support/scripted_edge.mjs';
import { pattern } from '../support/scripted_origin.mjs';
import { openAnswer } from '../support/streaming.mjs';

const { origin, edge } = await startScriptedEdge();
const unstored = { 'cache-control': 'no-store' };

const sha = (name, bytes) =>
  `${name.replace('sha', 'sha-')}=:${createHash(name).update(bytes).digest('base64')}:`;
const promises = {
  'sha-256': (bytes) => sha('sha256', bytes),
  'sha-512': (bytes) => sha('sha512', bytes),
};
const ways = {
  'of told length': (response, headers, body) => {
    response.writeHead(200, { ...unstored, ...headers, 'content-length': body.length }).end(body);
  },
  chunked: (response, headers, body) => {
    response.writeHead(200, { ...unstored, ...headers });
    response.write(body.subarray(0, 1000));
    response.end(body.subarray(1000));
  },
};
for (const [digest, promise] of Object.entries({ ...promises, 'xxh3-128': () => 'xxh3-128=:AAAAAAAAAAAAAAAAAAAAAA==:' })) {
  for (const [way, send] of Object.entries(ways)) {
    test(`a body that passes, ${way}, and is not of its ${digest} is cut`, async () => {
      const path = `/wrong-${digest}-${way.replaceAll(' ', '-')}`;
      const body = pattern(200_000);
      origin.answer(path, (asked, response) => send(response, { 'repr-digest': promise(Buffer.from('another')) }, body));
      // The first is a flight that turns out to be for one client only, the second passes from the start.
      for (const times of [1, 2]) {
        const client = await openAnswer(edge.url + path).catch(() => null);
        if (client) assert.equal((await client.whole()).complete, false, `looked whole, ${times}`);
      }
    });
  }
}

for (const [digest, promise] of Object.entries(promises)) {
  for (const [way, send] of Object.entries(ways)) {
    test(`a body that passes, ${way}, and is of its ${digest} is whole`, async () => {
      const path = `/right-${digest}-${way.replaceAll(' ', '-')}`;
      const body = pattern(200_000);
      origin.answer(path, (asked, response) => send(response, { 'repr-digest': promise(body) }, body));
      for (const times of [1, 2]) assert.ok((await get(edge.url + path)).body.equals(body), `${times}`);
      assert.equal((await request(edge.url + path, { method: 'HEAD' })).status, 200);
    });
  }
}

test('a range that passes is not held to the digest of the whole', async () => {
  const body = pattern(10_000);
  const headers = { ...unstored, 'repr-digest': sha('sha256', body), etag: '"1"' };
  origin.answer('/range', (asked, response) => {
    if (!asked.headers.range) return response.writeHead(200, { ...headers, 'content-length': body.length }).end(body);
    return response.writeHead(206, { ...headers, 'content-range': 'bytes 0-99/10000', 'content-length': 100 })
      .end(body.subarray(0, 100));
  });
  await get(`${edge.url}/range`);
  const part = await request(`${edge.url}/range`, { headers: { range: 'bytes=0-99' } });
  assert.deepEqual([part.status, part.body.equals(body.subarray(0, 100))], [206, true]);
});

for (const [i, [what, headers, status = 200]] of [
  ['no-store', unstored],
  ['private', { 'cache-control': 'private, max-age=60' }],
  ['403 and no-store', unstored, 403],
].entries()) {
  test(`a first crowd for what turns out to be ${what} is not queued, and neither is a second`, async () => {
    const path = `/crowd-${i}`;
    const count = 12;
    let waiting = [];
    origin.answer(path, (asked, response) => { waiting.push(response); });
    const ask = () => Promise.all(Array.from({ length: count }, () => request(edge.url + path)));
    const answer = (response, n) => response.writeHead(status, headers).end(`mine ${n}`);
    const first = ask();
    await origin.asked(path);
    answer(waiting.shift(), 0);
    // None of the others is answered before all are here: in a queue they would never come together.
    await until(`${count - 1} more at the origin`, () => waiting.length === count - 1, { deadline_ms: 10_000 });
    waiting.forEach((response, n) => answer(response, n + 1));
    assert.equal(new Set((await first).map(({ text }) => text)).size, count, 'each has its own answer');
    waiting = [];
    const second = ask();
    await until(`${count} at the origin`, () => waiting.length === count, { deadline_ms: 10_000 });
    waiting.forEach(answer);
    assert.equal(new Set((await second).map(({ text }) => text)).size, count);
  });
}
