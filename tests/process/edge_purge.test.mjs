// Purges are in force when they are answered, and stay so, of what is on disk and of what is in
// memory; everything else is there again after a restart, whatever ended the program, but for what
// was in memory when it was killed.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { openAnswer } from '../support/streaming.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

/** Where new bodies lie, and the ends of an edge (methods of Program) after which they are there again. */
const places = [
  { where: 'on disk', memory: '0B', outlived: ['kill', 'stop'] },
  { where: 'in memory', memory: '16MiB', outlived: ['stop'] },
];
const ends = { kill: 'kill -9', stop: 'SIGTERM' };

let place;  // of the test that runs
let origin;
let edge;

async function restartAfter(end) {
  await edge[end]();
  await edge.exited;
  edge = await edge.restart();
}

const purge = (what) => request(`${edge.admin}/purge`, { method: 'POST', body: JSON.stringify(what) });
const isHit = (answer) => /; hit/.test(answer.headers['cache-status']);
const warm = (path, headers) => until(`${path} to be a hit`,
  async () => isHit(await get(edge.url + path, { headers })), { every_ms: 5 });

const paths = ['/a/x/1', '/a/x/2', '/a/y', '/ab/x/1', '/watch/a/x', '/tagged', '/keyed'];
async function fill() {
  for (const path of paths) {
    const tags = path === '/tagged' || path === '/a/y' ? { 'cache-tag': 'other, red' }
      : path === '/keyed' ? { 'surrogate-key': 'other red' } : {};
    origin.answer(path, { headers: { ...fresh, etag: '"1"', ...tags }, body: `old ${path}` });
    await warm(path);
  }
  const bytes = metricValue(await edge.metrics(), 'relay_edge_cache_memory_bytes');
  assert.equal(bytes > 0, place.memory !== '0B', `${bytes} bytes in memory`);
  for (const path of paths) origin.answer(path, { headers: fresh, body: `new ${path}` });
}
/** The paths that are still answered with the old bytes. */
async function stillOld() {
  const old = [];
  for (const path of paths) if ((await get(edge.url + path)).text.startsWith('old')) old.push(path);
  return old;
}

for (const each of places) describe(each.where, () => {
  beforeEach(async () => {
    place = each;
    origin = await startScriptedOrigin();
    edge = await startEdge({ upstream: origin.url, settings: { cache: { memory: each.memory } } });
  });
  afterEach(async () => {
    await cleanUp(edge, origin);
  });

  for (const [what, gone] of [
    [{ url: '/a/x/1' }, ['/a/x/1']],
    [{ url: 'http://some.host/a/x/1' }, ['/a/x/1']],
    [{ prefix: '/a/x/' }, ['/a/x/1', '/a/x/2']],
    [{ tenant: 'a' }, ['/a/x/1', '/a/x/2', '/a/y', '/watch/a/x']],
    [{ tag: 'red' }, ['/a/y', '/tagged', '/keyed']],
    [{ all: true }, paths],
    [{ url: '/not/here' }, []],
  ]) {
    test(`purge ${JSON.stringify(what)}`, async () => {
      await fill();
      const answer = await purge(what);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json().purged, gone.length);
      assert.equal(answer.json().scope, 'edge', 'it speaks for itself only');
      assert.deepEqual(await stillOld(), paths.filter((path) => !gone.includes(path)));
    });

    for (const end of each.outlived) {
      test(`purge ${JSON.stringify(what)} survives ${ends[end]}`, async () => {
        await fill();
        assert.equal((await purge(what)).status, 200);
        await restartAfter(end);
        assert.deepEqual(await stillOld(), paths.filter((path) => !gone.includes(path)));
      });
    }
  }

  test('a soft purge has the answer confirmed, and lets it stand in', async () => {
    await fill();
    assert.equal((await purge({ prefix: '/a/x/', soft: true })).status, 200);
    origin.answer('/a/x/1', (asked, response) => {
      assert.equal(asked.headers['if-none-match'], '"1"');
      response.writeHead(304, { ...fresh, etag: '"1"' }).end();
    });
    origin.answer('/a/x/2', (asked, response) => response.destroy());
    const confirmed = await get(`${edge.url}/a/x/1`);
    assert.equal(confirmed.text, 'old /a/x/1');
    assert.match(confirmed.headers['cache-status'], /fwd-status=304/);
    assert.equal((await get(`${edge.url}/a/x/2`)).text, 'old /a/x/2', 'stale beats nothing');
  });

  for (const end of [null, ...each.outlived]) {
    test(`a soft purge by tag makes stale, ${end ? `after ${ends[end]}` : 'at once'}`, async () => {
      await fill();
      assert.equal((await purge({ tag: 'red', soft: true })).status, 200);
      if (end) await restartAfter(end);
      origin.answer('/tagged', (asked, response) => {
        assert.equal(asked.headers['if-none-match'], '"1"');
        response.writeHead(304, { ...fresh, etag: '"1"' }).end();
      });
      const asked = origin.count('/tagged');
      assert.match((await get(`${edge.url}/tagged`)).headers['cache-status'], /fwd-status=304/);
      assert.ok(isHit(await get(`${edge.url}/tagged`)), 'confirmed, it is fresh again');
      assert.equal(origin.count('/tagged'), asked + 1);
      assert.ok(isHit(await get(`${edge.url}/a/x/1`)), 'the tag names others only');
    });
  }

  for (const end of each.outlived) {
    test(`what is fetched after a purge is kept over ${ends[end]}`, async () => {
      await fill();
      assert.equal((await purge({ all: true })).status, 200);
      for (const path of paths) await warm(path);
      await restartAfter(end);
      const asked = origin.requests.length;
      for (const path of paths) assert.equal((await get(edge.url + path)).text, `new ${path}`);
      assert.equal(origin.requests.length, asked);
    });
  }

  test('what was purged on disk stays gone when a kill takes what came after it', async () => {
    await fill();
    await restartAfter('stop');
    assert.equal((await purge({ all: true })).status, 200);
    for (const path of paths) await warm(path);
    await restartAfter('kill');
    assert.deepEqual(await stillOld(), []);
  });

  test('all variants of an address go', async () => {
    origin.answer('/v', (asked, response) => {
      response.writeHead(200, { ...fresh, vary: 'Accept-Language' }).end(asked.headers['accept-language']);
    });
    for (const language of ['fr', 'de']) await warm('/v', { 'accept-language': language });
    const asked = origin.count('/v');
    assert.equal((await purge({ url: '/v' })).status, 200);
    for (const language of ['fr', 'de']) {
      const answer = await get(`${edge.url}/v`, { headers: { 'accept-language': language } });
      assert.ok(!isHit(answer), language);
    }
    assert.equal(origin.count('/v'), asked + 2);
  });

  for (const what of [{ url: '/late' }, { prefix: '/l' }, { tag: 'late' }, { tenant: 'late' }, { all: true }]) {
    test(`an answer on its way when ${JSON.stringify(what)} comes is not kept`, async () => {
      let response;
      origin.answer('/late', (asked, answer) => {
        response = answer;
        answer.writeHead(200, { ...fresh, 'content-length': 100_000, 'cache-tag': 'late' });
        answer.write(pattern(50_000));
      });
      const client = await openAnswer(`${edge.url}/late`);
      assert.equal((await purge(what)).status, 200);
      origin.answer('/late', { headers: fresh, body: 'new' });
      assert.equal((await get(`${edge.url}/late`)).text, 'new', 'nobody joins what is purged');
      response.end(pattern(50_000, 2));
      assert.ok((await client.whole()).complete, 'who waited already gets it');
      for (let i = 0; i < 3; i++) assert.equal((await get(`${edge.url}/late`)).text, 'new');
    });
  }

  test('a purge that is wrong says what is allowed', async () => {
    for (const body of ['', '{', '[]', '{}', '{"url":1}', '{"url":"x"}', '{"url":"/a","tag":"b"}',
      '{"uri":"/a"}', '{"url":"/a","soft":1}', '{"tenant":"a/b"}', '{"tag":""}', '{"all":false}',
      '{"all":true,"tag":"a"}']) {
      const answer = await request(`${edge.admin}/purge`, { method: 'POST', body });
      assert.equal(answer.status, 400, body);
      assert.match(answer.headers['content-type'], /problem\+json/);
    }
    assert.equal((await request(`${edge.admin}/purge`)).status, 405);
  });

  for (const end of each.outlived) {
    test(`after ${ends[end]} the old content is there at once`, async () => {
      const bodies = new Map(
        [['/small', pattern(200)], ['/middle', pattern(100_000, 2)], ['/large', pattern(3_000_000, 3)]]);
      for (const [path, body] of bodies) {
        origin.answer(path, { headers: { ...fresh, etag: '"1"' }, body });
        await warm(path);
      }
      await restartAfter(end);
      const asked = origin.requests.length;
      for (const [path, body] of bodies) {
        const hit = await get(edge.url + path);
        assert.ok(isHit(hit) && hit.body.equals(body), path);
        const part = await request(edge.url + path, { headers: { range: 'bytes=50-59' } });
        assert.ok(part.body.equals(body.subarray(50, 60)));
      }
      assert.equal(origin.requests.length, asked, 'without a question to the origin');
    });
  }
});
