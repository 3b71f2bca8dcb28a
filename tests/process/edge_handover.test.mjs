// The ring changes: an edge joins, drains or dies in the middle of a body, and the origin is not
// asked for what some edge holds.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { get, metricValue } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { purge } from '../support/purging.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { openAnswer } from '../support/streaming.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

let origin;
let members;
let ports;
let edges;

const start = (i, some) => startEdge({
  name: some[i].name, upstream: origin.url, ports: ports[i],
  settings: { cache: { slice: '128KiB' }, fleet: { members: some, probe_interval: '100ms' } },
});
beforeEach(async () => {
  origin = await startScriptedOrigin();
  const free = await freePorts(8);
  ports = [0, 1, 2, 3].map((i) => [free[2 * i], free[2 * i + 1]]);
  members = ports.map(([port], i) => ({ name: `edge-${i + 1}`, url: `http://127.0.0.1:${port}` }));
  edges = await Promise.all([0, 1, 2].map((i) => start(i, members.slice(0, 3))));
});
afterEach(async () => {
  await cleanUp(...edges, origin);
});

/** Gives the running edge other members, as an operator does. */
async function reload(edge, some) {
  const text = fs.readFileSync(edge.configPath, 'utf8');
  const line = some.map((one) => `{ name = "${one.name}", url = "${one.url}", drain = ${one.drain ?? false} }`);
  const before = (edge.log().match(/settings reloaded/g) ?? []).length;
  const fleet = `[fleet]\nprobe_interval = "100ms"\nmembers = [ ${line.join(', ')} ]\n`;
  fs.writeFileSync(edge.configPath, text.slice(0, text.search(/^\[+fleet/m)) + fleet);
  edge.signal('SIGHUP');
  await until('the reload', () => (edge.log().match(/settings reloaded/g) ?? []).length > before);
}
const holderAsks = async (edge) =>
  metricValue(await edge.metrics(), 'relay_edge_upstream_requests_total', { to: 'holder' });
/** The name of the edge that asked the origin last for it. */
const askerOf = (path) => origin.requests.findLast((one) => one.path === path).headers.via.split(' ').at(-1);

test('a fourth edge joins three that are full: the origin does not notice', async () => {
  const paths = Array.from({ length: 200 }, (_, i) => `/full?${i}`);
  origin.answer('/full', (asked, response) => {
    const body = pattern(20_000, paths.indexOf(asked.url) + 1);
    response.writeHead(200, { ...fresh, 'content-length': body.length }).end(body);
  });
  for (const path of paths) await get(edges[0].url + path);
  assert.equal(origin.requests.length, paths.length);
  edges.push(await start(3, members));
  await Promise.all(edges.slice(0, 3).map((edge) => reload(edge, members)));
  for (const [i, path] of paths.entries()) {
    assert.ok((await get(edges[3].url + path)).body.equals(pattern(20_000, i + 1)), path);
  }
  const moved = await holderAsks(edges[3]);
  assert.ok(moved > paths.length / 8, `${moved} of ${paths.length} moved`);
  assert.ok(origin.requests.length - paths.length < 0.01 * moved,
    `${origin.requests.length - paths.length} fetches for ${moved} keys that moved`);
});

test('an edge that comes back is asked for what it holds while it does not get all its keys yet', async () => {
  const paths = Array.from({ length: 60 }, (_, i) => `/kept?${i}`);
  origin.answer('/kept', { headers: fresh, body: 'kept' });
  for (const path of paths) {
    await until(`${path} to be held by edge-2`, async () =>
      /edge-2; hit[^,]*$/.test((await get(edges[1].url + path)).headers['cache-status']), { every_ms: 5 });
  }
  assert.equal(origin.requests.length, paths.length);
  const seesItUp = async (edge) => (await get(`${edge.admin}/api/v1/fleet`)).json().members[1].up;
  edges[1].kill();
  await edges[1].exited;
  for (const edge of [edges[0], edges[2]]) await until('it to be missed', async () => !await seesItUp(edge));
  edges[1] = await edges[1].restart();
  for (const edge of [edges[0], edges[2]]) await until('it to be back', () => seesItUp(edge));
  for (const path of paths) await get(edges[0].url + path);
  assert.equal(origin.requests.length, paths.length, 'no edge has lost anything');
});

test('a large body moves slice by slice', async () => {
  const body = pattern(600_000, 9);
  origin.answer('/large', (asked, response) => {
    const [, first, last] = /bytes=(\d+)-(\d*)/.exec(asked.headers.range ?? '') ?? [];
    const head = { ...fresh, etag: '"large"', 'accept-ranges': 'bytes' };
    if (first === undefined) return response.writeHead(200, { ...head, 'content-length': body.length }).end(body);
    const piece = body.subarray(Number(first), last ? Number(last) + 1 : undefined);
    const range = `bytes ${first}-${Number(first) + piece.length - 1}/${body.length}`;
    return response.writeHead(206, { ...head, 'content-range': range, 'content-length': piece.length }).end(piece);
  });
  const paths = Array.from({ length: 30 }, (_, i) => `/large?${i}`);
  for (const path of paths) assert.ok((await get(edges[0].url + path)).body.equals(body));
  const before = origin.requests.length;
  edges.push(await start(3, members));
  await Promise.all(edges.slice(0, 3).map((edge) => reload(edge, members)));
  for (const path of paths) assert.ok((await get(edges[3].url + path)).body.equals(body), path);
  assert.ok(await holderAsks(edges[3]) > 5, 'a head and five slices of one at least');
  assert.equal(origin.requests.length, before);
});

test('an edge that drains gets no new keys and gives what it holds', async () => {
  origin.answer('/drain', { headers: fresh, body: 'held' });
  const held = [];
  for (let i = 0; held.length < 5; i++) {
    await get(`${edges[2].url}/drain?${i}`);
    if (askerOf(`/drain?${i}`) === 'edge-3') held.push(`/drain?${i}`);
  }
  const draining = members.slice(0, 3).map((one, i) => ({ ...one, drain: i === 2 }));
  await Promise.all(edges.map((edge) => reload(edge, draining)));
  for (const path of held) {
    assert.equal((await get(edges[0].url + path)).text, 'held');
    assert.equal(origin.count(path), 1, path);
  }
  for (let i = 0; i < 30; i++) {
    await get(`${edges[i % 3].url}/drain?new${i}`);
    assert.notEqual(askerOf(`/drain?new${i}`), 'edge-3');
  }
  // It still serves: it has to know what is purged.
  const answer = await purge(edges[0], { url: held[0] });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json().members.map(({ name, state }) => `${name} ${state}`),
    ['edge-1 applied', 'edge-2 applied', 'edge-3 applied']);
  origin.answer('/drain', { headers: fresh, body: 'new' });
  for (const edge of edges) assert.equal((await get(edge.url + held[0])).text, 'new', edge.edgeName);
});

for (const signal of ['SIGKILL', 'SIGSTOP']) {
  test(`the owner gets ${signal} in the middle of a body that two edges wait for: the rest is fetched once`, async () => {
    const body = pattern(400_000, 5);
    let first;
    origin.answer('/mid', (asked, response) => {
      const from = Number(/bytes=(\d+)-/.exec(asked.headers.range ?? 'bytes=0-')[1]);
      const head = { ...fresh, etag: '"s"', 'content-length': body.length - from };
      if (from > 0) {
        response.writeHead(206, { ...head, 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` });
        response.end(body.subarray(from));
      } else {
        first = response.writeHead(200, head);
        response.write(body.subarray(0, 200_000));
      }
    });
    let path;
    let waiting = [];
    for (let i = 0; !path; i++) {
      waiting = await Promise.all(Array.from({ length: 8 }, (_, n) => openAnswer(`${edges[n % 2].url}/mid?${i}`)));
      if (askerOf(`/mid?${i}`) === 'edge-3') path = `/mid?${i}`;
      else first.end(body.subarray(200_000));
      if (!path) await Promise.all(waiting.map((one) => one.whole()));
    }
    edges[2].signal(signal);
    for (const got of await Promise.all(waiting.map((one) => one.whole()))) {
      assert.ok(got.complete && got.body.equals(body), `${got.body.length} bytes`);
    }
    const rest = origin.requests.filter((one) => one.path === path).slice(1);
    assert.deepEqual(rest.map(({ headers }) => headers['if-range']), ['"s"']);
    first.end(body.subarray(200_000));
  });
}
