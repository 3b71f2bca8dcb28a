// An owner that says nothing any more: found out once for all, and back again step by step.

import assert from 'node:assert/strict';
import http from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fresh, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge, startEdges } from '../support/torchrelay.mjs';

const connect_ms = 1000;
let origin;
let edges;

beforeEach(async () => {
  origin = await startScriptedOrigin();
  edges = await startEdges(3, origin.url, { settings: { timeouts: { connect: `${connect_ms}ms` },
    fleet: { probe_interval: '200ms', slow_start: '2s' } } });
  origin.answer('/load', { headers: fresh, body: 'load' });
});
afterEach(async () => {
  await cleanUp(...edges, origin);
});

const askerOf = (path) => origin.requests.findLast((one) => one.path === path).headers.via.split(' ').at(-1);
const up = async (edge) => (await get(`${edge.admin}/api/v1/fleet`)).json().members[1].up;

/** Viewers of cold objects, each at its own pace, until `over()`; the times that each waited. */
function load(count, name, over) {
  return Promise.all(Array.from({ length: count }, async (_, viewer) => {
    const waits = [];
    for (let i = 0; !over() || i < 5; i++) {
      const begun = Date.now();
      const answer = await get(`${edges[viewer % 2 ? 2 : 0].url}/load?${name}-${viewer}-${i}`);
      assert.equal(answer.text, 'load');
      waits.push(Date.now() - begun);
    }
    return waits;
  }));
}

for (const signal of ['SIGSTOP', 'SIGKILL']) {
  test(`the owner gets ${signal} under load: no viewer waits for it twice`, async (t) => {
    await load(4, 'warm', () => true);
    let over = false;
    const viewers = load(24, signal, () => over);
    await until('the load', () => origin.requests.length > 200);
    edges[1].signal(signal);
    for (const edge of [edges[0], edges[2]]) await until('it to be found out', async () => !await up(edge));
    const then = origin.requests.length;
    await until('more load', () => origin.requests.length > then + 500);
    over = true;
    const waits = await viewers;
    const slow = waits.map((each) => each.filter((ms) => ms > connect_ms).length);
    t.diagnostic(`${waits.flat().length} requests, ${waits.flat().filter((ms) => ms > connect_ms / 2).length} waited over `
      + `${connect_ms / 2} ms, ${slow.reduce((a, b) => a + b)} over ${connect_ms} ms, the longest ${Math.max(...waits.flat())} ms`);
    assert.ok(slow.every((count) => count <= 1), `slow answers a viewer: ${slow}`);

    if (signal === 'SIGKILL') edges[1] = await edges[1].restart();
    else edges[1].signal('SIGCONT');
    for (const edge of [edges[0], edges[2]]) await until('it to be back', () => up(edge));
    let n = 0;
    await until('it to own its keys again', async () => {
      const path = `/load?${signal}-again-${n++}`;
      await get(edges[0].url + path);
      return askerOf(path) === 'edge-2';
    });
  });
}

test('an edge that is stopped under load takes leave: nobody asks it in vain', async () => {
  await load(4, 'warm', () => true);
  let over = false;
  const viewers = load(24, 'leave', () => over);
  await until('the load', () => origin.requests.length > 200);
  await edges[1].stop();
  for (const edge of [edges[0], edges[2]]) assert.equal(await up(edge), false);
  const then = origin.requests.length;
  await until('more load', () => origin.requests.length > then + 200);
  over = true;
  await viewers;
  for (const edge of [edges[0], edges[2]]) {
    assert.equal(metricValue(await edge.metrics(), 'relay_edge_upstream_failures_total'), 0, edge.logTail());
  }
  edges[1] = await edges[1].restart();
  for (const edge of [edges[0], edges[2]]) await until('it to be back', () => up(edge));
});

test('who leaves says so to each member and in its health answers, before it closes its doors', async () => {
  const heard = [];
  const member = http.createServer((asked, answer) => {
    if (asked.url.startsWith('/-/leaving/')) heard.push({ method: asked.method, url: asked.url, answer });
    else answer.end('ok\n');
  });
  await new Promise((ready) => member.listen(0, '127.0.0.1', ready));
  const edge = await startEdge({ name: 'edge-1', upstream: origin.url, settings: { fleet: { purge_lease: '0s',
    members: [{ name: 'edge-1', url: 'http://127.0.0.1:1' }, { name: 'edge-2', url: `http://127.0.0.1:${member.address().port}` }] } } });
  try {
    assert.deepEqual(Object.keys((await get(`${edge.url}/-/health`)).json()), ['objects', 'body_bytes', 'requests', 'sent_bytes']);
    const stopped = edge.stop();
    await until('its word', () => heard.length === 1, { every_ms: 1 });
    assert.deepEqual([heard[0].method, heard[0].url], ['POST', '/-/leaving/edge-1']);
    const answers = await Promise.all(['url', 'admin'].map((door) =>
      request(`${edge[door]}${door === 'url' ? '/-/health' : '/readyz'}`)));
    heard[0].answer.writeHead(204).end();
    assert.deepEqual(answers.map(({ status }) => status), [503, 503]);
    assert.equal((await stopped).code, 0);
  } finally {
    await cleanUp(edge);
    member.close();
    member.closeAllConnections();
  }
});

test('each member tells the others what it holds and what it has to do', async () => {
  for (let i = 0; i < 50; i++) await get(`${edges[1].url}/load?told-${i}`);
  const told = async (edge) => Object.fromEntries((await get(`${edge.admin}/api/v1/fleet`)).json().members
    .map((member) => [member.name, member.told]));
  let busy = 0;
  await until('edge-1 to hear of all', async () => {
    await get(`${edges[1].url}/load?told-0`);
    const { 'edge-1': self, 'edge-2': other, 'edge-3': third } = await told(edges[0]);
    busy = Math.max(busy, other?.requests_per_s ?? 0);
    return self && third && busy > 0 && other.objects >= 50 && other.bytes >= 50 * 'load'.length;
  });
});

test('an owner that is slow because the origin is slow is waited for: one fetch', async () => {
  const asksNotHeld = async () => {
    const all = await Promise.all(edges.map((edge) => edge.metrics()));
    return all.reduce((sum, text) => sum + metricValue(text, 'relay_edge_requests_total', { outcome: 'refused' }), 0);
  };
  for (let i = 0; i < 6; i++) {
    let answer;
    const path = `/slow/${i}`;
    origin.answer(path, (_, response) => { answer = response; });
    const before = await asksNotHeld();
    const viewers = Array.from({ length: 6 }, (_, n) => get(edges[n % 3].url + path));
    await origin.asked(path);
    // The two that do not own it lose their patience and ask another one for what it holds.
    await until('the hedges', async () => await asksNotHeld() >= before + 2);
    answer.writeHead(200, { ...fresh, 'content-length': 4 }).end('slow');
    for (const viewer of viewers) assert.equal((await viewer).text, 'slow');
    assert.equal(origin.count(path), 1, path);
  }
  const fleet = (await get(`${edges[0].admin}/api/v1/fleet`)).json();
  assert.ok(fleet.members.every((member) => member.up), 'who answers probes is not down');
});
