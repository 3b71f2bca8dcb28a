// What a running edge answers from its cache: hits, conditions, ranges, variants, and what may
// never come from it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { startScriptedEdge } from '../support/scripted_edge.mjs';
import { fresh, pattern } from '../support/scripted_origin.mjs';

const { origin, edge } = await startScriptedEdge({ settings: { cache: { stale_on_error: '0s', memory: '64MiB' } } });

/** Asks until the answer is a hit, so that what follows is about the cache alone. */
function warm(path, headers = {}) {
  return until(`${path} to be a hit`, async () => {
    const answer = await get(edge.url + path, { headers });
    return /; hit/.test(answer.headers['cache-status']) && answer;
  }, { every_ms: 5 });
}

const validators = { etag: '"v1"', 'last-modified': 'Tue, 01 Sep 2026 10:00:00 GMT' };

test('a miss is fetched once, then every request is a hit', async () => {
  const body = pattern(300_000);
  origin.answer('/hit', { headers: { ...fresh, ...validators, 'content-type': 'video/mp4' }, body });
  const miss = await get(`${edge.url}/hit`);
  assert.match(miss.headers['cache-status'], /^edge-1; fwd=uri-miss; fwd-status=200; stored/);
  assert.match(miss.headers.via, /1\.1 edge-1/);
  assert.deepEqual(miss.body, body);
  const hit = await warm('/hit');
  assert.match(hit.headers['cache-status'], /^edge-1; hit; ttl=\d+/);
  assert.deepEqual(hit.body, body);
  assert.equal(hit.headers['content-type'], 'video/mp4');
  assert.match(hit.headers.age, /^\d+$/);
  assert.equal(origin.count('/hit'), 1);
});

test('HEAD is answered from the cache, and on a miss by the origin', async () => {
  const body = pattern(5000);
  origin.answer('/head', { headers: { ...fresh, ...validators }, body });
  const before = await request(`${edge.url}/head`, { method: 'HEAD' });
  assert.equal(before.headers['content-length'], '5000');
  assert.equal(origin.requests.at(-1).method, 'HEAD');
  await warm('/head');
  const asked = origin.count('/head');
  const head = await request(`${edge.url}/head`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], '5000');
  assert.equal(head.body.length, 0);
  assert.match(head.headers['cache-status'], /hit/);
  assert.equal(origin.count('/head'), asked);
});

const conditions = [
  ['the same tag', { 'if-none-match': '"v1"' }, 304],
  ['a list with the tag', { 'if-none-match': '"x", W/"v1"' }, 304],
  ['a star', { 'if-none-match': '*' }, 304],
  ['another tag', { 'if-none-match': '"v2"' }, 200],
  ['not modified since', { 'if-modified-since': 'Tue, 01 Sep 2026 10:00:00 GMT' }, 304],
  ['modified since', { 'if-modified-since': 'Mon, 31 Aug 2026 10:00:00 GMT' }, 200],
  ['the tag wins over the date',
    { 'if-none-match': '"v2"', 'if-modified-since': 'Tue, 01 Sep 2026 10:00:00 GMT' }, 200],
  ['If-Match of ours', { 'if-match': '"v1"' }, 200],
  ['not modified since, or not at all', { 'if-unmodified-since': 'Tue, 01 Sep 2026 10:00:00 GMT' }, 200],
];
test('conditions are decided from the cache', async (t) => {
  origin.answer('/condition', { headers: { ...fresh, ...validators }, body: 'some text' });
  await warm('/condition');
  for (const [what, headers, status] of conditions) {
    await t.test(`${what}: ${status}`, async () => {
      const answer = await request(`${edge.url}/condition`, { headers });
      assert.equal(answer.status, status);
      if (status === 304) {
        assert.equal(answer.body.length, 0);
        assert.equal(answer.headers.etag, '"v1"');
        assert.equal(answer.headers['cache-control'], fresh['cache-control']);
      }
    });
  }
  assert.equal(origin.count('/condition'), 1);
});

// RFC 9111 4.3.2: not a cache's to judge. What does not hold for the stored answer may hold for the origin's.
for (const [what, name, value] of [['If-Match', 'if-match', '"v2"'],
  ['If-Unmodified-Since', 'if-unmodified-since', 'Mon, 31 Aug 2026 10:00:00 GMT']]) {
  test(`${what} that does not hold here is judged by the origin`, async () => {
    const path = `/guard-${name}`;
    const asks = (method) => request(edge.url + path, { method, headers: { [name]: value } });
    origin.answer(path, (asked, response) => {
      response.writeHead(asked.headers[name] ? 412 : 200, { ...fresh, ...validators }).end('some text');
    });
    assert.equal((await asks('GET')).status, 412, 'nothing stored');
    await warm(path);
    const before = origin.count(path);
    for (const [i, method] of ['GET', 'HEAD'].entries()) {
      const answer = await asks(method);
      assert.equal(answer.status, 412);
      assert.match(answer.headers['cache-status'], /^edge-1; fwd=request; fwd-status=412$/);
      assert.equal(origin.requests.at(-1).headers[name], value);
      assert.equal(origin.count(path), before + i + 1);
    }
    origin.answer(path, { headers: { ...fresh, ...validators }, body: 'of the origin' });
    assert.equal((await asks('GET')).text, 'of the origin');
    const only = await request(edge.url + path, { headers: { [name]: value, 'cache-control': 'only-if-cached' } });
    assert.equal(only.status, 504);
    assert.equal((await get(edge.url + path)).text, 'some text', 'what is stored stays');
  });
}

test('a wish for a confirmed answer counts while one is still on its way into the store', async () => {
  origin.answer('/landing', { headers: { ...fresh, ...validators }, body: 'x' });
  for (let i = 0; i < 20; i++) {
    const path = `/landing?${i}`;
    await get(edge.url + path);
    await get(edge.url + path, { headers: { 'cache-control': 'no-cache' } });
    assert.equal(origin.count(path), 2, path);
  }
});

const size = 400_000;  // several chunks of the store
const ranges = [
  ['bytes=0-0', 0, 1],
  ['bytes=100-199', 100, 200],
  ['bytes=131000-131100', 131000, 131101],
  ['bytes=399999-', 399_999, size],
  ['bytes=-5', size - 5, size],
  ['bytes=-999999', 0, size],
  ['bytes=390000-999999', 390_000, size],
];
test('ranges from the cache', async (t) => {
  const body = pattern(size);
  origin.answer('/range', { headers: { ...fresh, ...validators, 'content-type': 'video/mp4' }, body });
  await warm('/range');
  for (const [range, from, to] of ranges) {
    await t.test(range, async () => {
      const part = await request(`${edge.url}/range`, { headers: { range } });
      assert.equal(part.status, 206);
      assert.equal(part.headers['content-range'], `bytes ${from}-${to - 1}/${size}`);
      assert.equal(part.headers['content-length'], String(to - from));
      assert.ok(part.body.equals(body.subarray(from, to)));
    });
  }
  await t.test('two ranges', async () => {
    const parts = await request(`${edge.url}/range`, { headers: { range: 'bytes=0-9,300000-300009' } });
    assert.equal(parts.status, 206);
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(parts.headers['content-type'])[1];
    const pieces = parts.body.toString('latin1').split(`--${boundary}`).slice(1, -1);
    assert.equal(pieces.length, 2);
    for (const [i, from] of [0, 300_000].entries()) {
      const [head, ...rest] = pieces[i].split('\r\n\r\n');
      assert.match(head, new RegExp(`content-range: bytes ${from}-${from + 9}/${size}`, 'i'));
      assert.equal(rest.join('\r\n\r\n').slice(0, 10), body.toString('latin1', from, from + 10));
    }
    assert.equal(parts.headers['content-length'], String(parts.body.length));
  });
  for (const range of [`bytes=${size}-`, 'bytes=-0']) {
    await t.test(`${range}: 416`, async () => {
      const none = await request(`${edge.url}/range`, { headers: { range } });
      assert.equal(none.status, 416);
      assert.equal(none.headers['content-range'], `bytes */${size}`);
    });
  }
  for (const [what, value, status] of [['its tag', '"v1"', 206], ['another tag', '"v2"', 200],
    ['a weak tag', 'W/"v1"', 200], ['another date', 'Mon, 31 Aug 2026 10:00:00 GMT', 200]]) {
    await t.test(`If-Range with ${what}: ${status}`, async () => {
      const answer = await request(`${edge.url}/range`, { headers: { range: 'bytes=5-9', 'if-range': value } });
      assert.equal(answer.status, status);
      assert.ok(answer.body.equals(status === 206 ? body.subarray(5, 10) : body));
    });
  }
  assert.equal(origin.count('/range'), 1);
});

test('If-Range with a Last-Modified of just now: 200', async () => {
  const now = new Date().toUTCString();
  origin.answer('/now', { headers: { ...fresh, date: now, 'last-modified': now }, body: 'of this second' });
  await warm('/now');
  const answer = await request(`${edge.url}/now`, { headers: { range: 'bytes=0-1', 'if-range': now } });
  assert.equal(answer.status, 200);
  assert.equal(answer.text, 'of this second');
});

test('variants are kept side by side', async () => {
  origin.answer('/vary', (asked, response) => {
    const language = asked.headers['accept-language'] ?? 'none';
    response.writeHead(200, { ...fresh, vary: 'Accept-Language', etag: `"${language}"` });
    response.end(`in ${language}`);
  });
  for (const language of ['fr', 'de', 'fr', 'de']) {
    const answer = await warm('/vary', { 'accept-language': language });
    assert.equal(answer.text, `in ${language}`);
  }
  assert.equal((await warm('/vary')).text, 'in none');
  assert.equal(origin.count('/vary'), 3);
});

test('one key has 128 variants: for one more the oldest goes', async () => {
  origin.answer('/many', (asked, response) => {
    response.writeHead(200, { ...fresh, vary: 'X-Who' }).end(`for ${asked.headers['x-who']}`);
  });
  const last = 149;
  for (let i = 0; i <= last; i++) await warm('/many', { 'x-who': i });
  assert.equal(origin.count('/many'), last + 1);
  for (const i of [last - 127, last]) assert.equal((await warm('/many', { 'x-who': i })).text, `for ${i}`);
  assert.equal(origin.count('/many'), last + 1);
  // Just behind the newest, which is a hit already.
  const gone = await until('the oldest to go', async () => {
    const answer = await get(`${edge.url}/many`, { headers: { 'x-who': last - 128 } });
    return !/; hit/.test(answer.headers['cache-status']) && answer;
  });
  assert.equal(gone.text, `for ${last - 128}`);
});

test('Vary: * is never answered from the cache', async () => {
  origin.answer('/vary-all', { headers: { ...fresh, vary: '*' }, body: 'x' });
  for (let i = 1; i <= 3; i++) {
    const answer = await get(`${edge.url}/vary-all`);
    assert.doesNotMatch(answer.headers['cache-status'], /hit/);
    assert.equal(origin.count('/vary-all'), i);
  }
});

const unshared = [
  ['no-store', { 'cache-control': 'no-store, max-age=600' }, {}],
  ['private', { 'cache-control': 'private, max-age=600' }, {}],
  ['Authorization', { 'cache-control': 'max-age=600' }, { authorization: 'Bearer x' }],
  ['a cookie and only a guess at its life', { 'set-cookie': 'a=b', 'last-modified': 'Tue, 01 Sep 2020 10:00:00 GMT' }, {}],
  ['a request with no-store', fresh, { 'cache-control': 'no-store' }],
];
for (const [what, headers, asking] of unshared) {
  test(`not stored: ${what}`, async () => {
    const path = `/unshared-${unshared.findIndex(([name]) => name === what)}`;
    origin.answer(path, { headers, body: what });
    for (let i = 1; i <= 3; i++) {
      const answer = await get(edge.url + path, { headers: asking });
      assert.equal(answer.text, what);
      assert.doesNotMatch(answer.headers['cache-status'], /hit/);
      assert.equal(origin.count(path), i);
    }
  });
}

for (const asking of [{ authorization: 'Bearer x' }, { 'cache-control': 'no-store' }]) {
  test(`a viewer with ${Object.keys(asking)} does not keep others from the cache`, async () => {
    const path = `/spoiled-${Object.keys(asking)}`;
    origin.answer(path, { headers: { 'cache-control': 'max-age=600' }, body: 'for all' });
    await get(edge.url + path, { headers: asking });
    await get(edge.url + path);
    assert.match((await warm(path)).headers['cache-status'], /hit/);
    assert.equal(origin.count(path), 2);
  });
}

for (const [method, status, gone] of
  [['POST', 200, true], ['PUT', 204, true], ['DELETE', 200, true], ['POST', 500, false],
    ['OPTIONS', 200, false]]) {
  test(`${method} with ${status} ${gone ? 'takes' : 'leaves'} the stored answer`, async () => {
    const path = `/unsafe-${method}-${status}`;
    origin.answer(path, { headers: { ...fresh, ...validators }, body: 'stored' });
    await warm(path);
    origin.answer(path, { status, headers: {}, body: '' });
    await request(edge.url + path, { method });
    origin.answer(path, { headers: fresh, body: 'newer' });
    assert.equal((await get(edge.url + path)).text, gone ? 'newer' : 'stored');
  });
}

test('POST and PUT pass with their bodies, counted or chunked', async () => {
  origin.answer('/upload', { status: 201, headers: { location: '/made' }, body: 'made' });
  const body = pattern(200_000);
  for (const method of ['POST', 'PUT']) {
    for (const headers of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
      const answer = await request(`${edge.url}/upload`, { method, headers, body });
      assert.equal(answer.status, 201);
      assert.equal(answer.headers.location, '/made');
      const came = origin.requests.at(-1);
      assert.equal(came.method, method);
      assert.ok(Buffer.from(came.body, 'latin1').equals(body));
    }
  }
});

test('only-if-cached is a hit or 504, and asks nobody', async () => {
  origin.answer('/only', { headers: fresh, body: 'x' });
  const only = { headers: { 'cache-control': 'only-if-cached' } };
  assert.equal((await request(`${edge.url}/only`, only)).status, 504);
  assert.equal(origin.count('/only'), 0);
  await warm('/only');
  assert.equal((await request(`${edge.url}/only`, only)).status, 200);
});

test('a request that was here before is a loop', async () => {
  origin.answer('/loop', { headers: fresh, body: 'x' });
  await get(`${edge.url}/loop`);
  const passed = origin.requests.at(-1).headers['cdn-loop'];
  assert.match(passed, /edge-1/);
  const looped = await request(`${edge.url}/loop-2`, { headers: { 'cdn-loop': passed } });
  assert.equal(looped.status, 508);
  assert.equal(origin.count('/loop-2'), 0);
});

test('one answer may be asked for by many names of its host', async () => {
  origin.answer('/name', { headers: fresh, body: 'x' });
  await warm('/name');
  for (const path of ['/./name', '/x/../name', '/n%61me', '/name?CMCD=br%3D1']) {
    assert.match((await get(edge.url + path)).headers['cache-status'], /hit/, path);
  }
  assert.equal(origin.count('/name'), 1);
});

test('to spare writes the newest bodies are judged in memory, though no memory was set', async () => {
  const { origin: other, edge: sparing } = await startScriptedEdge({ settings: { cache: { goal: 'writes' } } });
  other.answer('/new', { headers: fresh, body: pattern(50_000) });
  await get(`${sparing.url}/new`);
  const told = async () => (await get(`${sparing.admin}/api/v1/cache`)).json();
  await until('the body to be counted', async () => (await told()).memory_bytes >= 50_000);
  assert.equal((await told()).stored_bytes, 0);
});

test('before the first request no ratio is known, and numbers have no exponents', async () => {
  const { edge: unasked } = await startScriptedEdge();
  const { text } = await get(`${unasked.admin}/api/v1/cache`);
  const { measured, expected } = JSON.parse(text);
  for (const told of [measured, ...expected]) {
    for (const [key, value] of Object.entries(told)) {
      if (/_(ratio|error)$/.test(key)) assert.equal(value, null, key);
    }
  }
  assert.equal(expected.length, 4);
  const documents = text + (await get(`${unasked.admin}/api/v1/fleet`)).text;
  const numbers = documents.replaceAll(/"[^"]*"/g, '').match(/(?<=:)[-+\d][^,}\]]*/g);
  assert.ok(numbers.includes('0.5'), 'the first of the sizes');
  assert.deepEqual(numbers.filter((number) => !/^-?\d+(\.\d+)?$/.test(number)), []);
});

test('the admin port tells the plan in force and what other sizes would do', async () => {
  origin.answer('/in-memory', { headers: fresh, body: pattern(50_000) });
  await get(`${edge.url}/in-memory`);
  const told = async () => (await get(`${edge.admin}/api/v1/cache`)).json();
  await until('the body to be counted', async () => (await told()).memory_bytes >= 50_000);
  const cache = await told();
  assert.equal(cache.reading, false);
  assert.equal(cache.policy.goal, 'objects');
  assert.deepEqual(cache.expected.map((each) => each.size), [0.5, 1, 2, 4]);
  for (const each of cache.expected) {
    for (const key of ['object_hit_ratio', 'object_error', 'byte_hit_ratio', 'byte_error']) {
      assert.ok(each[key] >= 0 && each[key] <= 1, `${key} ${each[key]}`);
    }
  }
});
