// A purge on any edge is in force on every member when it is answered, and says so member by member;
// one that was down, stopped or cut off meanwhile serves nothing of it when it is back.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fill, isHit, purge, states, text } from '../support/purging.mjs';
import { fresh, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdges } from '../support/torchrelay.mjs';

let origin;
let edges = [];

async function startFleet(count, fleet = {}) {
  origin = await startScriptedOrigin();
  edges = await startEdges(count, origin.url, { size: '64MiB',
    settings: { edge: { threads: 1 }, fleet: { probe_interval: '100ms', ...fleet } } });
  await Promise.all(edges.map(trusting));
}

afterEach(async () => {
  await cleanUp(...edges, origin);
});

const trusting = (edge) => until(`${edge.edgeName} to be told by a majority`, async () =>
  metricValue(await edge.metrics(), 'relay_edge_store_trusted') === 1);

for (const count of [3, 10]) {
  test(`a purge on any of ${count} edges is in force on all when it is answered`, async () => {
    await startFleet(count);
    for (const [i, edge] of edges.entries()) {
      const path = `/title/${i}`;
      await fill(origin, edges, [path]);
      const what = [{ url: path }, { prefix: path }, { tenant: 'title' }, { all: true }][i % 4];
      const answer = await purge(edge, what);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json().scope, 'fleet');
      assert.match(answer.json().id, new RegExp(`^${edge.edgeName}/\\d+$`));
      assert.deepEqual(answer.json().members.map(({ name }) => name).sort(),
        edges.map(({ edgeName }) => edgeName).sort());
      for (const { state, ms } of answer.json().members) {
        assert.equal(state, 'applied', answer.text);
        assert.ok(ms > 0, answer.text);
      }
      for (const each of edges) assert.equal(await text(each, path), `new ${path}`);
    }
  });
}

test('a fleet of two says what the loss of one means', async () => {
  await startFleet(2, { purge_lease: '1s' });
  await fill(origin, edges, ['/two']);
  assert.match(edges[0].log(), /a fleet of two: .*remedy=.*purge_lease/);
  assert.equal((await get(`${edges[0].admin}/readyz`)).text, 'ready\n');
  edges[1].kill();
  await until('readiness to name it', async () => /majority/.test((await get(`${edges[0].admin}/readyz`)).text));
  assert.equal(await text(edges[0], '/two'), 'new /two', 'it asks about each hit');
  const answer = await purge(edges[0], { url: '/two' });
  assert.equal(answer.status, 202, answer.text);
  assert.equal(states(answer), 'applied pending', 'one of two is no majority');
});

test('a soft purge has the answer confirmed at every member', async () => {
  await startFleet(3);
  await fill(origin, edges, ['/soft'], { etag: '"1"' });
  assert.equal((await purge(edges[2], { url: '/soft', soft: true })).status, 200);
  origin.answer('/soft', (asked, response) => {
    assert.equal(asked.headers['if-none-match'], '"1"');
    response.writeHead(304, { ...fresh, etag: '"1"' }).end();
  });
  for (const edge of edges) {
    const answer = await get(`${edge.url}/soft`);
    assert.equal(answer.text, 'old /soft');
    assert.match(answer.headers['cache-status'], /fwd-status=304/);
  }
});

test('"scope": "edge" speaks for one edge', async () => {
  await startFleet(3);
  await fill(origin, edges, ['/here']);
  const answer = await purge(edges[0], { url: '/here', scope: 'edge' });
  assert.equal(answer.status, 200);
  assert.equal(answer.json().scope, 'edge');
  assert.equal(answer.json().members, undefined);
  assert.equal(await text(edges[0], '/here'), 'new /here');
  assert.equal(await text(edges[1], '/here'), 'old /here');
});

for (const soft of [false, true]) {
  test(`a member that was killed serves nothing ${soft ? 'softly ' : ''}purged when it is back`, async () => {
    await startFleet(3, { purge_lease: '2s' });
    await fill(origin, edges, ['/a', '/b', '/kept'], { etag: '"1"' });
    edges[2].kill();
    await edges[2].exited;
    for (const path of ['/a', '/b']) {
      const answer = await purge(edges[0], { url: path, soft });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(states(answer), 'applied applied fenced', 'it cannot trust its store any more');
    }
    edges[2] = await edges[2].restart();
    for (const path of ['/a', '/b']) assert.equal(await text(edges[2], path), `new ${path}`);
    await trusting(edges[2]);
    assert.ok(await isHit(edges[2], '/kept'), 'what was not purged is still there');
  });
}

test('a member that was stopped serves nothing purged when it goes on', async () => {
  await startFleet(3, { purge_lease: '1s' });
  await fill(origin, edges, ['/stopped', '/kept']);
  edges[1].signal('SIGSTOP');
  const answer = await purge(edges[0], { url: '/stopped' });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(states(answer), 'applied applied fenced');
  // These wait in its sockets, before any news that other members may have for it.
  const first = [text(edges[1], '/stopped'), text(edges[1], '/stopped')];
  edges[1].signal('SIGCONT');
  for (const got of await Promise.all(first)) assert.equal(got, 'new /stopped');
  await trusting(edges[1]);
  const again = await purge(edges[1], { url: '/stopped' });
  assert.equal(states(again), 'applied applied applied');
});

test('without a majority a purge is accepted only, and comes to who was away', async () => {
  await startFleet(3, { purge_lease: '1s' });
  await fill(origin, edges, ['/few', '/other']);
  for (const edge of edges.slice(1)) edge.kill();
  await Promise.all(edges.slice(1).map((edge) => edge.exited));
  const answer = await purge(edges[0], { url: '/few' });
  assert.equal(answer.status, 202, answer.text);
  assert.equal(states(answer), 'applied pending pending');
  await until('the last edge to trust its store no more', async () =>
    metricValue(await edges[0].metrics(), 'relay_edge_store_trusted') === 0);
  assert.equal(await text(edges[0], '/other'), 'new /other', 'cut off, it asks');
  assert.equal((await request(`${edges[0].admin}/readyz`)).status, 200, 'and goes on serving');
  edges[1] = await edges[1].restart();
  edges[2] = await edges[2].restart();
  for (const edge of edges) assert.equal(await text(edge, '/few'), 'new /few');
});

test('without a majority each edge asks the origin: what another has under way may be out of date', async () => {
  await startFleet(5, { purge_lease: '1s' });
  for (const edge of edges.slice(2)) edge.kill();
  await Promise.all(edges.slice(2).map((edge) => edge.exited));
  for (const edge of edges.slice(0, 2)) {
    await until('it to trust nobody', async () => metricValue(await edge.metrics(), 'relay_edge_store_trusted') === 0);
  }
  for (let i = 0; i < 10; i++) {
    origin.answer(`/alone/${i}`, { headers: fresh, body: 'x' });
    for (const edge of edges.slice(0, 2)) await text(edge, `/alone/${i}`);
    const askers = origin.requests.filter((one) => one.path === `/alone/${i}`).map((one) => one.headers.via.split(' ').at(-1));
    assert.deepEqual(askers, ['edge-1', 'edge-2']);
  }
});

test('the edge that took a purge dies at once: whoever was away hears of it from the others', async () => {
  await startFleet(3, { purge_lease: '1s' });
  await fill(origin, edges, ['/gone']);
  edges[2].kill();
  await edges[2].exited;
  assert.equal((await purge(edges[0], { url: '/gone' })).status, 200);
  edges[0].kill();
  await edges[0].exited;
  edges[2] = await edges[2].restart();
  assert.equal(await text(edges[2], '/gone'), 'new /gone');
  await trusting(edges[2]);
  assert.equal(await text(edges[2], '/gone'), 'new /gone');
  await until('the new one to be kept', () => isHit(edges[2], '/gone'));
});

test('purges at once on all edges reach all', async () => {
  await startFleet(5);
  const paths = Array.from({ length: 40 }, (_, i) => `/many/${i}`);
  await fill(origin, edges, paths);
  const answers = await Promise.all(paths.map((path, i) => purge(edges[i % edges.length], { url: path })));
  for (const answer of answers) {
    assert.equal(answer.status, 200, answer.text);
    assert.equal(states(answer), Array(5).fill('applied').join(' '));
  }
  assert.equal(new Set(answers.map((answer) => answer.json().id)).size, paths.length);
  for (const edge of edges) {
    for (const path of paths) assert.equal(await text(edge, path), `new ${path}`);
  }
});

test('outsiders cannot write to a member', async () => {
  await startFleet(3);
  const letter = JSON.stringify({ from: 'edge-2', reached: {} });
  const send = (headers, body = letter) =>
    request(`${edges[0].url}/-/purges`, { method: 'POST', headers, body });
  assert.equal((await send({})).status, 200);
  assert.equal((await send({ 'x-forwarded-for': '192.0.2.9' })).status, 403);
  assert.equal((await send({}, '{}')).status, 400);
  assert.equal((await request(`${edges[0].url}/-/purges`)).status, 405);
  assert.equal(origin.count('/-/purges'), 0);
});

test('with a fleet key only members can write to one another', async () => {
  await startFleet(3, { key: 'a secret of the fleet' });
  await fill(origin, edges, ['/keyed']);
  assert.equal(states(await purge(edges[1], { url: '/keyed' })), 'applied applied applied');
  for (const edge of edges) assert.equal(await text(edge, '/keyed'), 'new /keyed');
  const letter = JSON.stringify({ from: 'edge-2', reached: {} });
  for (const signature of [undefined, 'edge-2', `edge-2 ${Math.floor(Date.now() / 1000)} ${'0'.repeat(32)}`]) {
    const headers = signature ? { 'torchrelay-peer': signature } : {};
    const answer = await request(`${edges[0].url}/-/purges`, { method: 'POST', headers, body: letter });
    assert.equal(answer.status, 403, signature);
  }
});
