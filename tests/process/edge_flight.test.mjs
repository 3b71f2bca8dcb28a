// One fetch for everybody who waits, and never a short or wrong body that looks whole.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { startScriptedEdge } from '../support/scripted_edge.mjs';
import { fresh, pattern } from '../support/scripted_origin.mjs';
import { openAnswer, readBytes } from '../support/streaming.mjs';

const objectMax = 1 << 20;
const { origin, edge } = await startScriptedEdge({ settings: { cache: { object_max: '1MiB', memory: '16MiB' } } });

/** An origin's answer in the test's hands: head at once, bytes when told. */
function held(path, { length, headers = {} } = {}) {
  const answers = [];
  origin.answer(path, (asked, response) => {
    response.writeHead(200, { ...fresh, ...(length ? { 'content-length': length } : {}), ...headers });
    response.flushHeaders();
    if (asked.method === 'HEAD') response.end();
    else answers.push(response);
  });
  return {
    answers,
    first: () => until(`the origin to answer ${path}`, () => answers[0], { every_ms: 5 }),
  };
}

const isHit = (answer) => /; hit/.test(answer.headers['cache-status']);
const cachedKeys = async () => (await get(`${edge.admin}/api/v1/cache`)).json().some.map(({ key }) => key);

test('100 clients at once are one request at the origin', async () => {
  const body = pattern(700_000);
  const flight = held('/crowd', { length: body.length });
  const clients = Promise.all(Array.from({ length: 100 }, () => openAnswer(`${edge.url}/crowd`)));
  const response = await flight.first();
  response.write(body.subarray(0, 400_000));
  const answers = await clients;
  assert.equal(origin.count('/crowd'), 1);
  response.end(body.subarray(400_000));
  for (const { body: got, complete } of await Promise.all(answers.map((one) => one.whole()))) {
    assert.ok(complete && got.equals(body));
  }
  const collapsed = answers.filter(({ headers }) => /collapsed/.test(headers['cache-status']));
  assert.equal(collapsed.length, 99);
  assert.equal(origin.count('/crowd'), 1);
});

test('a chunked body of unknown length is shared too', async () => {
  const body = pattern(500_000, 3);
  const flight = held('/chunked');
  const clients = Promise.all(Array.from({ length: 20 }, () => openAnswer(`${edge.url}/chunked`)));
  const response = await flight.first();
  response.write(body.subarray(0, 1));
  const answers = await clients;
  response.end(body.subarray(1));
  for (const { body: got, complete } of await Promise.all(answers.map((one) => one.whole()))) {
    assert.ok(complete && got.equals(body));
  }
  assert.equal(origin.count('/chunked'), 1);
  const hit = await until('a hit', async () => {
    const answer = await get(`${edge.url}/chunked`);
    return isHit(answer) && answer;
  });
  assert.equal(hit.headers['content-length'], String(body.length));
});

test('the first client leaves, the others get everything', async () => {
  const body = pattern(600_000, 5);
  const flight = held('/leaver', { length: body.length });
  const leaver = openAnswer(`${edge.url}/leaver`);
  const response = await flight.first();
  response.write(body.subarray(0, 200_000));
  const leaving = await leaver;
  const staying = await openAnswer(`${edge.url}/leaver`);
  assert.ok((await readBytes(staying.incoming, 100_000)).equals(body.subarray(0, 100_000)));
  leaving.leave();
  response.end(body.subarray(200_000));
  const rest = await staying.whole();
  assert.ok(rest.complete && rest.body.equals(body.subarray(100_000)));
  assert.equal(origin.count('/leaver'), 1);
});

test('the only client leaves, the answer is kept all the same', async () => {
  const body = pattern(300_000, 7);
  const flight = held('/abandoned', { length: body.length });
  const leaver = openAnswer(`${edge.url}/abandoned`);
  const response = await flight.first();
  (await leaver).leave();
  response.end(body);
  await until('a hit', async () => isHit(await get(`${edge.url}/abandoned`)), { every_ms: 5 });
  assert.equal(origin.count('/abandoned'), 1);
});

test('a client that hardly reads does not slow the others', async () => {
  const body = pattern(objectMax, 9);
  const flight = held('/crawl', { length: body.length });
  const crawling = openAnswer(`${edge.url}/crawl`);
  const response = await flight.first();
  response.write(body.subarray(0, 1000));
  const crawler = await crawling;  // reads nothing from here on
  response.end(body.subarray(1000));
  const others = await Promise.all(Array.from({ length: 10 }, () => get(`${edge.url}/crawl`)));
  for (const answer of others) assert.ok(answer.body.equals(body));
  const late = await crawler.whole();
  assert.ok(late.complete && late.body.equals(body), 'and the crawler gets everything in the end');
  assert.equal(origin.count('/crawl'), 1);
});

test('ranges of an answer that still arrives', async (t) => {
  const body = pattern(500_000, 11);
  const flight = held('/arriving', { length: body.length, headers: { etag: '"a"' } });
  const first = openAnswer(`${edge.url}/arriving`);
  const response = await flight.first();
  response.write(body.subarray(0, 300_000));
  const whole = await first;

  const ask = (range, more = {}) => request(`${edge.url}/arriving`, { headers: { range, ...more } });
  const here = await ask('bytes=1000-2999');
  assert.equal(here.status, 206);
  assert.equal(here.headers['content-range'], 'bytes 1000-2999/500000');
  assert.ok(here.body.equals(body.subarray(1000, 3000)), 'a part that is here does not wait');
  assert.equal((await ask('bytes=500000-')).status, 416);
  assert.equal((await request(`${edge.url}/arriving`, { headers: { 'if-none-match': '"a"' } })).status, 304);
  assert.equal((await request(`${edge.url}/arriving`, { method: 'HEAD' })).headers['content-length'], '500000');

  const waiting = [['bytes=299990-300009', 299_990, 300_010], ['bytes=-7', 499_993, 500_000],
    ['bytes=450000-', 450_000, 500_000]].map(async ([range, from, to]) => {
    const part = await ask(range, { 'if-range': '"a"' });
    assert.equal(part.status, 206, range);
    assert.ok(part.body.equals(body.subarray(from, to)), range);
  });
  const several = ask('bytes=0-4,499990-499994');
  response.end(body.subarray(300_000));
  await Promise.all(waiting);
  const text = (await several).body.toString('latin1');
  for (const [from, to] of [[0, 5], [499_990, 499_995]]) {
    assert.ok(text.includes(`\r\n\r\n${body.toString('latin1', from, to)}\r\n`), `${from}`);
  }
  assert.ok((await whole.whole()).body.equals(body));
  assert.equal(origin.requests.filter(({ path, method }) => path === '/arriving' && method === 'GET').length, 1);
});

const breaks = [
  ['closes before the promised length', (response, body) => {
    response.writeHead(200, { ...fresh, 'content-length': body.length + 1000 });
    response.write(body, () => response.destroy());
  }],
  ['breaks off between chunks', (response, body) => {
    response.writeHead(200, fresh);
    response.write(body, () => response.destroy());
  }],
  ['resets in mid-body', (response, body) => {
    response.writeHead(200, { ...fresh, 'content-length': body.length });
    response.write(body.subarray(0, body.length / 2), () => response.socket.resetAndDestroy());
  }],
  ['promises another digest', (response, body) => {
    response.writeHead(200, { ...fresh, 'content-length': body.length,
      'repr-digest': 'xxh3-128=:AAAAAAAAAAAAAAAAAAAAAA==:' });
    response.end(body);
  }],
  ...['sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:',
    'sha-512=:3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==:',
  ].map((digest) => [`promises another ${digest.slice(0, 7)}`, (response, body) => {
    response.writeHead(200, { ...fresh, 'content-length': body.length, 'repr-digest': digest });
    response.end(body);
  }]),
  ['promises another sha-256, chunked', (response, body) => {
    response.writeHead(200, { ...fresh, 'repr-digest': 'sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:' });
    response.write(body.subarray(0, 1000));
    response.end(body.subarray(1000));
  }],
  ['promises another digest, chunked', (response, body) => {
    response.writeHead(200, { ...fresh, 'repr-digest': 'xxh3-128=:AAAAAAAAAAAAAAAAAAAAAA==:' });
    response.write(body.subarray(0, 1000));
    response.end(body.subarray(1000));
  }],
];
for (const [i, [what, answer]] of breaks.entries()) {
  for (const length of [500, 200_000]) {
    test(`an upstream that ${what}, ${length} B: cut for the client, not stored, fetched anew`, async () => {
      const path = `/broken-${i}-${length}`;
      const body = pattern(length, i);
      origin.answer(path, (asked, response) => answer(response, body));
      const client = await openAnswer(edge.url + path).catch(() => null);
      if (client) {
        const got = await client.whole();
        assert.equal(got.complete, false, `${got.body.length} bytes looked whole`);
      }
      assert.ok(!(await cachedKeys()).includes(path), 'stored');
      origin.answer(path, { headers: fresh, body });
      const again = await get(edge.url + path);
      assert.ok(again.body.equals(body));
      assert.doesNotMatch(again.headers['cache-status'], /hit/);
    });
  }
}

for (const [i, [what, headers, asking, status = 200]] of [
  ['no-store', { 'cache-control': 'no-store' }, {}],
  ['403 and no-store', { 'cache-control': 'no-store' }, {}, 403],
  ['401 and nothing said', {}, {}, 401],
  ['private', { 'cache-control': 'private, max-age=60' }, {}],
  ['a cookie without a lifetime', { 'set-cookie': 'a=b' }, {}],
  ['a cookie and a validator', { 'set-cookie': 'a=b', etag: '"1"' }, {}],
  ['Authorization', { 'cache-control': 'max-age=60' }, { authorization: 'Bearer x' }],
].entries()) {
  test(`answers with ${what} do not wait for one another`, async () => {
    const path = `/alone-${i}`;
    const count = 8;
    origin.answer(path, { status, headers, body: 'known now' });
    await request(edge.url + path, { headers: asking });
    const waiting = [];
    origin.answer(path, (asked, response) => { waiting.push(response); });
    const answers = Promise.all(Array.from({ length: count }, () => request(edge.url + path, { headers: asking })));
    // None is answered before all are here: in a queue they would never come together.
    await until(`${count} requests at the origin`, () => waiting.length === count, { deadline_ms: 10_000 });
    for (const [n, response] of waiting.entries()) response.writeHead(status, headers).end(`mine ${n}`);
    const texts = (await answers).map(({ text }) => text);
    assert.equal(new Set(texts).size, count, 'each has its own answer');
  });
}

test('an answer that can be shared again is, at once', async () => {
  origin.answer('/closed', { status: 302, headers: { 'cache-control': 'no-store', location: '/elsewhere' }, body: 'closed' });
  assert.equal((await request(`${edge.url}/closed`)).status, 302);
  origin.answer('/closed', { headers: fresh, body: 'open' });
  // What is remembered of the 302 would last for 10 s.
  const began = Date.now();
  await until('a hit', async () => isHit(await get(`${edge.url}/closed`)));
  assert.ok(Date.now() - began < 8_000);
});

test('a body over cache.object_max: whole for everybody, not stored', async () => {
  const body = pattern(5 * objectMax, 19);
  origin.answer('/huge', { headers: fresh, body });
  for (let i = 1; i <= 2; i++) {
    assert.ok((await get(`${edge.url}/huge`)).body.equals(body));
    assert.equal(origin.count('/huge'), i);
  }
  assert.ok(!(await cachedKeys()).includes('/huge'));
});

test('a body that grows over cache.object_max: cut once, then passed on whole, never stored', async () => {
  const body = pattern(5 * objectMax, 23);
  origin.answer('/grown', (asked, response) => { response.writeHead(200, fresh).end(body); });
  const cut = await (await openAnswer(`${edge.url}/grown`)).whole();
  assert.ok(!cut.complete || cut.body.equals(body));
  const whole = await (await openAnswer(`${edge.url}/grown`)).whole();
  assert.ok(whole.complete && whole.body.equals(body));
  assert.ok(!(await cachedKeys()).includes('/grown'));
});

test('variants asked for at once are one fetch each', async () => {
  const waiting = [];
  let open = false;
  origin.answer('/variants', (asked, response) => {
    response.writeHead(200, { ...fresh, vary: 'Accept-Language' });
    response.write(`in ${asked.headers['accept-language']}`);
    if (open) response.end();
    else waiting.push(response);
  });
  const ask = (language) => openAnswer(`${edge.url}/variants`, { headers: { 'accept-language': language } });
  const first = await ask('fr');
  let answered = 0;
  const clients = Array.from({ length: 30 }, (_, i) => ask(i % 2 ? 'fr' : 'de'));
  for (const client of clients) client.then(() => { answered++; });
  await until('all to be answered, or too many fetches', () => answered === 30 || waiting.length > 2,
    { every_ms: 5 });
  open = true;
  for (const response of waiting) response.end();
  const answers = await Promise.all(clients);
  const texts = await Promise.all(answers.map(async (one) => (await one.whole()).body.toString()));
  assert.deepEqual(texts, Array.from({ length: 30 }, (_, i) => (i % 2 ? 'in fr' : 'in de')));
  assert.equal((await first.whole()).body.toString(), 'in fr');
  assert.equal(origin.count('/variants'), 2);
});

test('an upstream that fails does not open the gates: what comes next is one fetch again', async () => {
  origin.answer('/failing', { status: 503, headers: {}, body: 'later' });
  assert.equal((await request(`${edge.url}/failing`)).status, 503);
  const flight = held('/failing', { length: 4 });
  const clients = Promise.all(Array.from({ length: 20 }, () => openAnswer(`${edge.url}/failing`)));
  const response = await flight.first();
  response.write('go');
  const answers = await clients;
  response.end('od');
  for (const one of answers) assert.equal((await one.whole()).body.toString(), 'good');
  assert.equal(origin.count('/failing'), 2);
});

test('nothing is left in flight', async () => {
  await until('no flights, no bytes', async () => {
    const text = await edge.metrics();
    return metricValue(text, 'relay_edge_flights') === 0 && metricValue(text, 'relay_edge_flight_bytes') === 0;
  });
});
