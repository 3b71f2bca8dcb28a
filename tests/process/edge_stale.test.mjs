// What happens when a stored answer is no longer fresh: confirmed, refreshed beside, standing in
// for an upstream that fails, or refused where it must not.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { get, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

let origin;
let edge;

before(async () => {
  origin = await startScriptedOrigin();
  edge = await startEdge({ upstream: origin.url, settings: { cache: { stale_on_error: '0s' } } });
});
after(async () => {
  await cleanUp(edge, origin);
});

const status = (answer) => answer.headers['cache-status'];
/** Stores an answer that is already `age` old when it comes. */
async function storeAged(path, cacheControl, age, more = {}) {
  origin.answer(path, { headers: { 'cache-control': cacheControl, age, etag: '"1"', ...more }, body: 'old' });
  await get(edge.url + path);
  await until(`${path} to be stored`, async () => {
    const { some } = (await get(`${edge.admin}/api/v1/cache`)).json();
    return some.some(({ key }) => key === path);
  }, { every_ms: 5 });
}

test('a 304 confirms the stored answer and renews its fields', async () => {
  await storeAged('/confirm', 'max-age=10', 20, { 'x-kept': 'a', 'x-renewed': 'a', 'content-type': 'text/x-old' });
  origin.answer('/confirm', (asked, response) => {
    assert.equal(asked.headers['if-none-match'], '"1"');
    response.writeHead(304, { 'cache-control': 'max-age=600', etag: '"1"', 'x-renewed': 'b', 'content-type': 'text/x-new' });
    response.end();
  });
  const confirmed = await get(`${edge.url}/confirm`);
  assert.equal(confirmed.text, 'old');
  assert.match(status(confirmed), /fwd=stale; fwd-status=304/);
  const hit = await until('a hit', async () => {
    const answer = await get(`${edge.url}/confirm`);
    return /; hit/.test(status(answer)) && answer;
  });
  assert.equal(hit.text, 'old');
  assert.deepEqual(['x-kept', 'x-renewed', 'content-type', 'cache-control'].map((name) => hit.headers[name]),
    ['a', 'b', 'text/x-new', 'max-age=600']);
  assert.equal(origin.count('/confirm'), 2);
});

for (const [i, [what, headers]] of [
  ['private', { 'cache-control': 'private, max-age=600' }],
  ['no-store', { 'cache-control': 'no-store' }],
  ['another Vary', { 'cache-control': 'max-age=600', vary: 'X-Who' }],
].entries()) {
  test(`a 304 with ${what} does not confirm for everybody`, async () => {
    const path = `/withdrawn-${i}`;
    await storeAged(path, 'max-age=10', 20);
    origin.answer(path, (asked, response) => {
      if (asked.headers['if-none-match']) return response.writeHead(304, { etag: '"1"', ...headers }).end();
      return response.writeHead(200, { etag: '"1"', ...headers }).end(asked.headers['x-who']);
    });
    for (const who of ['a', 'b']) {
      assert.equal((await get(edge.url + path, { headers: { 'x-who': who } })).text, who);
    }
  });
}

test('a changed answer replaces the stale one', async () => {
  await storeAged('/changed', 'max-age=10', 20);
  origin.answer('/changed', { headers: { 'cache-control': 'max-age=600', etag: '"2"' }, body: 'new' });
  assert.equal((await get(`${edge.url}/changed`)).text, 'new');
  assert.equal((await get(`${edge.url}/changed`)).text, 'new');
  assert.equal(origin.count('/changed'), 2);
});

test('stale-while-revalidate: the old at once, one refresh beside, then the new', async () => {
  await storeAged('/beside', 'max-age=10, stale-while-revalidate=600', 20);
  let release;
  origin.answer('/beside', (asked, response) => {
    release = () => response.writeHead(200, { 'cache-control': 'max-age=600' }).end('new');
  });
  for (let i = 0; i < 5; i++) {
    const stale = await get(`${edge.url}/beside`);
    assert.equal(stale.text, 'old');
    assert.match(status(stale), /; hit; ttl=-\d+/);
  }
  await origin.asked('/beside', 2);
  release();
  await until('the new answer', async () => (await get(`${edge.url}/beside`)).text === 'new', { every_ms: 5 });
  assert.equal(origin.count('/beside'), 2);
});

test('what the refresh brings counts from then on: no-cache is asked about each time', async () => {
  await storeAged('/ended', 'max-age=10, stale-while-revalidate=600', 20);
  origin.answer('/ended', { headers: { 'cache-control': 'no-cache', etag: '"2"' }, body: 'new' });
  assert.equal((await get(`${edge.url}/ended`)).text, 'old');
  await until('the new answer', async () => (await get(`${edge.url}/ended`)).text === 'new', { every_ms: 5 });
  const asked = origin.count('/ended');
  for (let i = 1; i <= 2; i++) {
    assert.equal((await get(`${edge.url}/ended`)).text, 'new');
    assert.equal(origin.count('/ended'), asked + i);
  }
});

const failures = {
  'answers 503': (asked, response) => response.writeHead(503).end('broken'),
  'answers 500': (asked, response) => response.writeHead(500).end('broken'),
  'hangs up': (asked, response) => response.destroy(),
};

/** So many answers one after the other, each the old one; how often upstream was asked meanwhile. */
async function askInARow(path, times) {
  const before = origin.count(path);
  const began = Date.now();
  for (let i = 0; i < times; i++) assert.equal((await get(edge.url + path)).text, 'old');
  const seconds = (Date.now() - began) / 1000;
  // A request on a kept connection that turns out dead is sent twice.
  return { asked: origin.count(path) - before, allowed: 2 * (2 + Math.ceil(seconds)) };
}

const beside = {
  ...failures,
  'answers 404': (asked, response) => response.writeHead(404).end('gone'),
  'answers 403': (asked, response) => response.writeHead(403, { 'cache-control': 'no-store' }).end('no'),
  'answers 429': (asked, response) => response.writeHead(429).end('later'),
  'breaks off': (asked, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=600', 'content-length': 1000 });
    response.write('x', () => response.destroy());
  },
};

for (const [to, lifetime, ways] of [
  ['a refresh beside', 'stale-while-revalidate=600', beside],
  ['a revalidation', 'stale-if-error=600', failures],
]) {
  for (const [what, fail] of Object.entries(ways)) {
    test(`upstream ${what} to ${to}: it is asked once a moment, the stale copy is there at once`, async () => {
      const path = `/${to}-${what}`.replaceAll(' ', '-');
      await storeAged(path, `max-age=10, ${lifetime}`, 20);
      origin.answer(path, fail);
      const { asked, allowed } = await askInARow(path, 100);
      assert.ok(asked >= 1 && asked <= allowed, `${asked} requests, ${allowed} allowed`);
      origin.answer(path, { headers: { 'cache-control': 'max-age=600' }, body: 'new' });
      await until('the new answer', async () => (await get(edge.url + path)).text === 'new');
    });
  }
}

test('what was purged softly is asked about, although upstream failed a moment ago', async () => {
  await storeAged('/soft', 'max-age=10, stale-if-error=600', 20);
  origin.answer('/soft', failures['answers 503']);
  await askInARow('/soft', 5);
  origin.answer('/soft', { headers: { 'cache-control': 'max-age=600' }, body: 'new' });
  const purged = await request(`${edge.admin}/purge`, { method: 'POST', body: JSON.stringify({ url: '/soft', soft: true }) });
  assert.equal(purged.status, 200);
  assert.equal((await get(`${edge.url}/soft`)).text, 'new');
});

test('a 404 is no failure: nothing stands in for it', async () => {
  await storeAged('/no-failure', 'max-age=10, stale-if-error=600', 20);
  origin.answer('/no-failure', { status: 404, headers: { 'cache-control': 'no-store' }, body: 'gone' });
  for (let i = 0; i < 3; i++) assert.equal((await request(`${edge.url}/no-failure`)).status, 404);
});

test('past its stale-while-revalidate the viewer waits for the new', async () => {
  await storeAged('/past', 'max-age=10, stale-while-revalidate=5', 20);
  origin.answer('/past', { headers: { 'cache-control': 'max-age=600' }, body: 'new' });
  assert.equal((await get(`${edge.url}/past`)).text, 'new');
});

const endings = [
  ['max-age=10, stale-if-error=600', 20, true],
  ['max-age=10, stale-if-error=5', 20, false],
  ['max-age=10', 20, false],
  ['max-age=10, stale-if-error=600, must-revalidate', 20, false],
  ['max-age=10, stale-if-error=600, proxy-revalidate', 20, false],
  ['max-age=10, s-maxage=10, stale-if-error=600', 20, false],
  ['no-cache, stale-if-error=600', 0, false],
];
for (const [what, fail] of Object.entries(failures)) {
  for (const [i, [cacheControl, age, stands]] of endings.entries()) {
    test(`upstream ${what}: ${cacheControl} ${stands ? 'stands in' : 'does not stand in'}`, async () => {
      const path = `/error-${i}-${what.replaceAll(' ', '-')}`;
      await storeAged(path, cacheControl, age);
      origin.answer(path, fail);
      const answer = await request(edge.url + path);
      assert.equal(answer.status === 200, stands, `${answer.status} ${status(answer)}`);
      if (stands) assert.equal(answer.text, 'old');
      else assert.ok(answer.status >= 500 && answer.text !== 'old');
    });
  }
}

test('what was purged while its confirmation was asked for does not stand in', async () => {
  await storeAged('/purged', 'max-age=10, stale-if-error=600', 20);
  const asked = new Promise((known) => {
    origin.answer('/purged', (_, response) => known(response));
  });
  const answer = request(`${edge.url}/purged`);
  const response = await asked;
  await request(`${edge.admin}/purge`, { method: 'POST', body: '{"url":"/purged"}' });
  origin.answer('/purged', failures['hangs up']);
  response.destroy();
  assert.equal((await answer).status, 502);
});

test('404 is an answer, not a failure: it is passed on', async () => {
  await storeAged('/gone', 'max-age=10, stale-if-error=600', 20);
  origin.answer('/gone', { status: 404, headers: {}, body: 'gone' });
  assert.equal((await request(`${edge.url}/gone`)).status, 404);
});

test('an origin that is down, and comes back', async () => {
  await storeAged('/down', 'max-age=10, stale-if-error=600', 20);
  await storeAged('/down-strict', 'max-age=10, must-revalidate', 20);
  await origin.close();
  try {
    for (let i = 0; i < 3; i++) assert.equal((await get(`${edge.url}/down`)).text, 'old');
    const strict = await request(`${edge.url}/down-strict`);
    assert.ok([502, 503, 504].includes(strict.status), `${strict.status}`);
    assert.ok((await request(`${edge.url}/never-seen`)).status >= 502);
  } finally {
    await origin.reopen();
  }
  origin.answer('/down', { headers: { 'cache-control': 'max-age=600' }, body: 'new' });
  await until('the new answer', async () => (await get(`${edge.url}/down`)).text === 'new');
});

for (const directive of ['no-cache', 'max-age=0']) {
  test(`a viewer's ${directive} has a fresh answer confirmed`, async () => {
    await storeAged(`/wish-${directive}`, 'max-age=600', 20);
    const answer = await get(`${edge.url}/wish-${directive}`, { headers: { 'cache-control': directive } });
    assert.match(status(answer), /fwd=request/);
    assert.equal(origin.requests.at(-1).headers['if-none-match'], '"1"');
  });
}
