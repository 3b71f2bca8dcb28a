// What one edge does for another it does for nobody else.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fresh, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdges } from '../support/torchrelay.mjs';

const key = 'a key that only the fleet knows';
let origin;
let edges = [];

before(async () => {
  origin = await startScriptedOrigin();
  edges = await startEdges(3, origin.url, { settings: { fleet: { key } } });
  origin.answer('/a', { headers: fresh, body: 'a' });
});
after(async () => {
  await cleanUp(...edges, origin);
});

/** As a member would ask, signed with `secret` at `time`, seconds. */
function asMember(path, secret = key, time = Math.floor(Date.now() / 1000)) {
  const said = `edge-9 ${time}`;
  const mac = createHmac('sha256', secret).update(`${said}\nGET\n${path}\n`).digest('hex').slice(0, 32);
  // edge-9 is no member: of a member nobody would believe the name alone.
  return { 'torchrelay-peer': `${said} ${mac}`, 'torchrelay-held-only': '1', 'cdn-loop': 'edge-9.torchrelay' };
}
const askersOf = (path) => origin.requests.filter((one) => one.path === path).map(({ headers }) => headers.via.split(' ').at(-1));
/** Of 30 cold objects asked for at edge-1 with the fields that `fields` makes: how many edge-1 got itself. */
async function fetchedItself(name, fields) {
  let itself = 0;
  for (let i = 0; i < 30; i++) {
    const path = `/a?${name}${i}`;
    assert.equal((await get(edges[0].url + path, { headers: fields(path) })).text, 'a');
    itself += askersOf(path)[0] === 'edge-1';
  }
  return itself;
}

test('to a stranger a member says that it is well, and no more', async () => {
  assert.equal((await get(`${edges[0].url}/-/health`)).text, 'ok\n');
  const { 'torchrelay-peer': signature } = asMember('/-/health');
  const figures = (await get(`${edges[0].url}/-/health`, { headers: { 'torchrelay-peer': signature } })).json();
  assert.ok(figures.requests > 0, JSON.stringify(figures));
  await until('the members to know each other', async () =>
    (await get(`${edges[0].admin}/api/v1/fleet`)).json().members.every(({ told }) => told !== null));
  const leave = await request(`${edges[0].url}/-/leaving/edge-2`, { method: 'POST' });
  assert.equal(leave.status, 403);
  assert.ok((await get(`${edges[0].admin}/api/v1/fleet`)).json().members.every(({ up }) => up));
});

test('members with the key are one cache', async () => {
  for (let i = 0; i < 20; i++) {
    const path = `/a?one${i}`;
    await Promise.all(edges.map((edge) => get(edge.url + path)));
    assert.equal(origin.count(path), 1);
  }
  for (const edge of edges) {
    assert.equal(metricValue(await edge.metrics(), 'relay_edge_forged_peers_total'), 0);
  }
});

test('a member is answered from what is held, or not at all', async () => {
  const path = '/a?held';
  assert.equal((await request(edges[0].url + path, { headers: asMember(path) })).status, 504);
  assert.equal(origin.count(path), 0);
  await get(edges[0].url + path);
  const held = await until('it to be stored', async () => {
    const answer = await request(edges[0].url + path, { headers: asMember(path) });
    return answer.status === 200 && answer;
  });
  assert.equal(held.text, 'a');
  assert.equal(origin.count(path), 1);
  assert.match(held.headers['cache-status'], /edge-1; hit/);
});

test('an outsider is a viewer, whatever it says: the owner is not gone around', async () => {
  const outsiders = {
    unsigned: () => ({ 'cdn-loop': 'edge-9.torchrelay', 'torchrelay-held-only': '1' }),
    guessed: (path) => asMember(path, 'another key that is long enough'),
    late: (path) => asMember(path, key, Math.floor(Date.now() / 1000) - 3600),
    borrowed: () => asMember('/a?other'),
  };
  for (const [name, fields] of Object.entries(outsiders)) {
    assert.ok(await fetchedItself(name, fields) < 25, name);
  }
  assert.equal(metricValue(await edges[0].metrics(), 'relay_edge_forged_peers_total'), 90);
  const named = await request(`${edges[0].url}/a?named`, { headers: { 'cdn-loop': 'edge-2.torchrelay, edge-3.torchrelay' } });
  assert.equal(named.status, 508);
  assert.equal(origin.count('/a?named'), 0);
});

test('signatures do not leave the fleet', () => {
  assert.ok(origin.requests.length > 100);
  for (const { headers } of origin.requests) {
    assert.ok(!Object.keys(headers).some((name) => name.startsWith('torchrelay-')), JSON.stringify(headers));
  }
});
