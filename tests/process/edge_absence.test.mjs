// What upstream does not have (cache.negative): asked for once by all who want it, hidden no longer
// than the moment that the operator chose.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';
import { purge } from '../support/purging.mjs';
import { startScriptedEdge } from '../support/scripted_edge.mjs';
import { fresh } from '../support/scripted_origin.mjs';

const { origin, edge } = await startScriptedEdge({ settings: { cache: { negative: '10m' } } });
const ask = (path, options) => request(edge.url + path, options);
const isHit = (answer) => /; hit/.test(answer.headers['cache-status']);

for (const status of [404, 410]) {
  test(`50 viewers of a ${status} that says no more are one fetch, who comes later none`, async () => {
    const path = `/missing-${status}`;
    const waiting = [];
    origin.answer(path, (asked, response) => { waiting.push(response); });
    const answers = Promise.all(Array.from({ length: 50 }, () => ask(path)));
    const response = await until('the fetch', () => waiting[0], { every_ms: 5 });
    origin.answer(path, { status, headers: { 'content-type': 'text/plain' }, body: 'nothing here' });
    response.writeHead(status, { 'content-type': 'text/plain' }).end('nothing here');
    for (const answer of await answers) assert.deepEqual([answer.status, answer.text], [status, 'nothing here']);
    const late = await ask(path);
    assert.deepEqual([late.status, late.text, isHit(late)], [status, 'nothing here', true]);
    assert.match(late.headers['cache-status'], /; ttl=\d+/);
    assert.ok(Number(late.headers.age) >= 0);
    assert.equal((await ask(path, { method: 'HEAD' })).status, status);
    assert.equal(origin.count(path), 1);
  });
}

test('it is kept beside the store, counted, and not for long', async () => {
  origin.answer('/counted', { status: 404, headers: {}, body: 'no' });
  const before = metricValue(await edge.metrics(), 'relay_edge_absences_total');
  await ask('/counted');
  assert.equal(metricValue(await edge.metrics(), 'relay_edge_absences_total'), before + 1);
  const { some } = (await get(`${edge.admin}/api/v1/cache`)).json();
  assert.ok(!some.some(({ key }) => key === '/counted'));
});

for (const [what, headers, asking = {}] of [
  ['no-store', { 'cache-control': 'no-store' }],
  ['no-cache', { 'cache-control': 'no-cache' }],
  ['a cookie', { 'set-cookie': 'a=b' }],
  ['Vary', { vary: 'Accept-Encoding' }],
  ['Authorization', {}, { authorization: 'Bearer x' }],
  ['a Cookie', {}, { cookie: 'a=b' }],
]) {
  test(`a 404 with ${what} is asked for each time`, async () => {
    const path = `/asked-${what.replaceAll(' ', '-')}`;
    origin.answer(path, { status: 404, headers, body: 'no' });
    for (const times of [1, 2]) {
      assert.equal((await ask(path, { headers: asking })).status, 404);
      assert.equal(origin.count(path), times);
    }
  });
}

test('who comes with credentials gets no 404 that others were given', async () => {
  origin.answer('/mine', (asked, response) => {
    const mine = asked.headers.authorization ?? asked.headers.cookie;
    response.writeHead(mine ? 200 : 404, mine ? { 'cache-control': 'private' } : {}).end(mine ?? 'no');
  });
  for (const times of [1, 2]) assert.equal((await ask('/mine')).status, 404, times);
  for (const [name, value] of [['authorization', 'Bearer x'], ['cookie', 'a=b']]) {
    assert.deepEqual([(await ask('/mine', { headers: { [name]: value } })).text], [value]);
  }
});

test('it counts from its arrival, whatever the origin\'s clock says and however long it took', async () => {
  const edgeOfASecond = await startEdge({ upstream: origin.url });
  try {
    origin.answer('/late', { status: 404, headers: { date: new Date(Date.now() - 5000).toUTCString(), age: '3' }, body: 'no' });
    const two = async () => {
      const before = origin.count('/late');
      for (const times of [1, 2]) assert.equal((await request(`${edgeOfASecond.url}/late`)).status, 404, times);
      return origin.count('/late') - before === 1;
    };
    await until('two requests within a second, which are one fetch', two);
  } finally {
    await cleanUp(edgeOfASecond);
  }
});

for (const [what, change] of [
  ['purged', (path) => purge(edge, { url: path })],
  ['purged by prefix', (path) => purge(edge, { prefix: path.slice(0, -1) })],
  ['purged by tag', () => purge(edge, { tag: 'absent' })],
  ['purged by tenant', (path) => purge(edge, { tenant: path.slice(1) })],
  ['purged with all', () => purge(edge, { all: true })],
  ['put there', (path) => ask(path, { method: 'PUT', body: 'here' })],
  ['asked for with no-cache', (path) => ask(path, { headers: { 'cache-control': 'no-cache' } })],
]) {
  test(`what is ${what} is not missing any more`, async () => {
    const path = `/back-${what.replaceAll(' ', '-')}`;
    origin.answer(path, { status: 404, headers: { 'cache-tag': 'absent' }, body: 'no' });
    assert.equal((await ask(path)).status, 404);
    origin.answer(path, { headers: fresh, body: 'here' });
    assert.ok(isHit(await ask(path)));
    await change(path);
    assert.equal((await ask(path)).text, 'here');
  });
}

for (const by of ['url', 'prefix', 'tag', 'tenant', 'all']) {
  test(`a 404 on its way when a purge by ${by} comes is not kept`, async () => {
    const path = `/on-its-way-${by}`;
    const what = { url: path, prefix: path.slice(0, -1), tag: 'absent', tenant: path.slice(1), all: true };
    let held;
    origin.answer(path, (asked, response) => { held = response; });
    const early = ask(path);
    await origin.asked(path);
    assert.equal((await purge(edge, { [by]: what[by] })).status, 200);
    held.writeHead(404, { 'cache-tag': 'absent' }).end('no');
    assert.equal((await early).status, 404, 'who waited already gets it');
    origin.answer(path, { headers: fresh, body: 'here' });
    assert.equal((await ask(path)).text, 'here');
  });
}

test('a fresh copy is not hidden by what was said about a stale one', async () => {
  origin.answer('/stale', { headers: { 'cache-control': 'max-age=60', age: 90, etag: '"1"' }, body: 'old' });
  await ask('/stale');
  origin.answer('/stale', { status: 404, headers: {}, body: 'no' });
  assert.equal((await ask('/stale')).status, 404);
  assert.ok(isHit(await ask('/stale')));
});

test('by default what appears is there in a moment; with 0s at once', async () => {
  const quick = await startEdge({ upstream: origin.url });
  const none = await startEdge({ upstream: origin.url, settings: { cache: { negative: '0s' } } });
  try {
    for (const [{ url }, path] of [[quick, '/appears'], [none, '/at-once']]) {
      origin.answer(path, { status: 404, headers: {}, body: 'not yet' });
      assert.equal((await request(url + path)).status, 404);
      origin.answer(path, { headers: fresh, body: 'here' });
      if (url === none.url) assert.equal((await request(url + path)).text, 'here');
      await until(`${path} to be there`, async () => (await request(url + path)).status === 200, { deadline_ms: 5_000 });
    }
  } finally {
    await cleanUp(quick, none);
  }
});
