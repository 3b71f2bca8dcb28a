// The last bytes of a body: asked for as they are, kept, and completed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, request } from '../support/http.mjs';
import { startScriptedEdge } from '../support/scripted_edge.mjs';
import { fresh, pattern } from '../support/scripted_origin.mjs';

const { origin, edge } = await startScriptedEdge();

const status = (answer) => answer.headers['cache-status'];
const body = pattern(100_000);
/** Answers ranges as an origin should; `etag` of each request by its number. */
function ranged(etag = () => '"1"') {
  return (asked, response, number) => {
    const tag = etag(number);
    const headers = { ...fresh, ...(tag ? { etag: tag } : {}), 'content-type': 'video/mp4' };
    const range = /^bytes=(\d*)-(\d*)$/.exec(asked.headers.range ?? '');
    const outdated = asked.headers['if-range'] && asked.headers['if-range'] !== tag;
    if (!range || outdated) {
      return response.writeHead(200, { ...headers, 'content-length': body.length }).end(body);
    }
    const first = range[1] === '' ? body.length - Number(range[2]) : Number(range[1]);
    const last = range[1] === '' || range[2] === '' ? body.length - 1 : Number(range[2]);
    const bytes = body.subarray(first, last + 1);
    return response.writeHead(206, { ...headers, 'content-range': `bytes ${first}-${last}/${body.length}`,
      'content-length': bytes.length }).end(bytes);
  };
}
const ask = (path, range) => request(edge.url + path, { headers: { range } });

test('a tail is fetched as such, and answers what lies inside it', async () => {
  origin.answer('/tail', ranged());
  const tail = await ask('/tail', 'bytes=-1000');
  assert.equal(tail.status, 206);
  assert.equal(origin.requests.at(-1).headers.range, 'bytes=-1000');
  assert.match(status(tail), /fwd=uri-miss; fwd-status=206; stored$/);
  for (const [range, from, to] of [['bytes=-1000', 99_000, 100_000], ['bytes=99500-99599', 99_500, 99_600],
    ['bytes=99999-', 99_999, 100_000], ['bytes=-1', 99_999, 100_000]]) {
    const part = await ask('/tail', range);
    assert.equal(part.status, 206);
    assert.match(status(part), /; hit/);
    assert.equal(part.headers['content-range'], `bytes ${from}-${to - 1}/100000`);
    assert.equal(part.headers['content-length'], String(to - from));
    assert.ok(part.body.equals(body.subarray(from, to)), range);
  }
  assert.equal(origin.count('/tail'), 1);
  const whole = await get(`${edge.url}/tail`);
  assert.ok(whole.body.equals(body));
  assert.match(status(whole), /fwd=partial/);
  assert.match(status(await ask('/tail', 'bytes=0-9')), /; hit|collapsed/);
});

test('a purge takes the tail along', async () => {
  origin.answer('/tail-purged', ranged());
  await ask('/tail-purged', 'bytes=-10');
  await request(`${edge.admin}/purge`, { method: 'POST', body: JSON.stringify({ url: '/tail-purged' }) });
  await ask('/tail-purged', 'bytes=-10');
  assert.equal(origin.count('/tail-purged'), 2);
});

test('a long tail is worth the whole', async () => {
  origin.answer('/tail-long', ranged());
  assert.ok((await ask('/tail-long', 'bytes=-70000')).body.equals(body.subarray(30_000)));
  assert.equal(origin.requests.at(-1).headers.range, undefined);
});

/** A tail that is a beginning: the origin gives less than was asked for, from the front. */
async function hold(path, etag, length = 40_000) {
  origin.answer(path, (asked, response) => response.writeHead(206, { ...fresh, ...(etag ? { etag } : {}),
    'content-range': `bytes 0-${length - 1}/${body.length}`, 'content-length': length }).end(body.subarray(0, length)));
  assert.equal((await ask(path, 'bytes=-60000')).status, 206);
}

test('a held beginning is completed under the same strong validator', async () => {
  await hold('/complete', '"1"');
  origin.answer('/complete', ranged());
  const whole = await get(`${edge.url}/complete`);
  const { range, 'if-range': ifRange } = origin.requests.at(-1).headers;
  assert.deepEqual([range, ifRange], ['bytes=40000-', '"1"']);
  assert.equal(whole.headers['content-length'], '100000');
  assert.equal(whole.headers['content-range'], undefined);
  assert.ok(whole.body.equals(body));
  assert.ok((await get(`${edge.url}/complete`)).body.equals(body));
  assert.equal(origin.count('/complete'), 2);
});

test('a rest that is not for others is not handed on: the whole is asked for', async () => {
  await hold('/private-rest', '"1"');
  const personal = ranged();
  origin.answer('/private-rest', (asked, response, number) => {
    const writeHead = response.writeHead.bind(response);
    response.writeHead = (code, headers) => writeHead(code, { ...headers, 'cache-control': 'private' });
    return personal(asked, response, number);
  });
  const whole = await get(`${edge.url}/private-rest`);
  assert.equal(whole.status, 200);
  assert.ok(whole.body.equals(body));
  assert.equal(origin.requests.at(-1).headers.range, undefined);
});

for (const [what, held, now] of [['another version', '"0"', '"1"'], ['a weak validator', 'W/"1"', 'W/"1"'],
  ['no validator', undefined, undefined]]) {
  test(`a held beginning of ${what} is never mixed with the rest`, async () => {
    const path = `/mixed-${what.replaceAll(' ', '-')}`;
    await hold(path, held);
    const other = Buffer.from(body).reverse();
    origin.answer(path, (asked, response) => {
      const tag = now ? { etag: now } : {};
      if (asked.headers.range && (!asked.headers['if-range'] || asked.headers['if-range'] === now)) {
        return response.writeHead(206, { ...fresh, ...tag, 'content-range': 'bytes 40000-99999/100000' })
          .end(other.subarray(40_000));
      }
      return response.writeHead(200, { ...fresh, ...tag }).end(other);
    });
    assert.ok((await get(edge.url + path)).body.equals(other));
  });
}

test('a tail that breaks off, or contradicts itself, is not cut up', async () => {
  origin.answer('/contradiction', (_, response) => response.writeHead(206, { ...fresh,
    'content-range': 'bytes 4-9/10', 'content-length': 5 }).end('01234'));
  for (let i = 0; i < 2; i++) assert.equal((await ask('/contradiction', 'bytes=-5')).text, '01234');
  assert.equal(origin.count('/contradiction'), 1);
  await ask('/contradiction', 'bytes=-2');
  assert.equal(origin.count('/contradiction'), 2);
  origin.answer('/broken', (_, response) => {
    response.writeHead(206, { ...fresh, 'content-range': 'bytes 0-9/10', 'content-length': 10 }).write('012');
    setImmediate(() => response.destroy());
  });
  await assert.rejects(ask('/broken', 'bytes=-10'));
  origin.answer('/broken', ranged());
  await ask('/broken', 'bytes=-10');
  assert.equal(origin.count('/broken'), 2);
});
