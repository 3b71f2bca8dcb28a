// A fleet whose members find one another by NATS: who comes, goes, dies or is cut off is known to
// all without a line of config, and the bus itself may go without anybody noticing but operators.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test as anyTest } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { publish, startNatsServer, withoutNatsServer } from '../support/nats_server.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

const test = (name, run) => anyTest(name, { skip: withoutNatsServer }, run);
const ttl = '3s';

let origin;
let bus;
let edges = [];

beforeEach(async () => {
  if (withoutNatsServer) return;
  origin = await startScriptedOrigin();
});
afterEach(async () => {
  const started = [...edges, bus, origin];
  [edges, bus] = [[], undefined];
  await cleanUp(...started);
});

/** An edge that knows itself and the bus. */
async function join(i, fleet = {}) {
  const ports = await freePorts(2);
  const name = `edge-${i}`;
  const edge = await startEdge({
    name, upstream: origin.url, ports, size: '64MiB',
    settings: { edge: { threads: 1 }, fleet: {
      bus: bus.url, bus_ttl: ttl, probe_interval: '100ms',
      members: [{ name, url: `http://127.0.0.1:${ports[0]}` }], ...fleet } },
  });
  edges.push(edge);
  return edge;
}
async function startFleet(count, fleet = {}) {
  bus ??= await startNatsServer();
  for (let i = 1; i <= count; i++) await join(i, fleet);
  await eachSees(edges, edges.map((edge) => edge.edgeName));
}

const fleetOf = async (edge) => (await get(`${edge.admin}/api/v1/fleet`)).json();
/** Those that own keys. */
const owners = async (edge) =>
  (await fleetOf(edge)).members.filter(({ share }) => share > 0).map(({ name }) => name);
const eachSees = (some, names) => Promise.all(some.map((edge) =>
  until(`${edge.edgeName} to see ${names}`, async () => {
    const seen = await owners(edge);
    if (`${seen.sort()}` !== `${[...names].sort()}`) throw new Error(`it sees ${seen}`);
    return true;
  })));
const connected = (edge, is) => until(`${edge.edgeName} to be ${is ? 'on' : 'off'} the bus`, async () =>
  metricValue(await edge.metrics(), 'relay_edge_bus_connected') === (is ? 1 : 0));
const holderAsks = async (edge) =>
  metricValue(await edge.metrics(), 'relay_edge_upstream_requests_total', { to: 'holder' });

function pages(count) {
  const paths = Array.from({ length: count }, (_, i) => `/page?${i}`);
  origin.answer('/page', (asked, response) => {
    const body = pattern(2_000, paths.indexOf(asked.url) + 1);
    response.writeHead(200, { ...fresh, 'content-length': body.length }).end(body);
  });
  const isRight = (path, body) => body.equals(pattern(2_000, paths.indexOf(path) + 1));
  return { paths, isRight };
}
/** Asks for the pages over and over until `done` is over; every answer must be right. */
async function traffic({ paths, isRight }, done) {
  let over = false;
  const ended = done.finally(() => { over = true; });
  let asked = 0;
  while (!over) {
    const path = paths[asked % paths.length];
    const edge = edges[asked % edges.length];
    const answer = await get(edge.url + path);
    assert.equal(answer.status, 200, path);
    assert.ok(isRight(path, answer.body), path);
    asked += 1;
  }
  await ended;
  return asked;
}

test('edges find one another; a fourth joins, and the origin does not notice', async () => {
  await startFleet(3);
  const { paths, isRight } = pages(200);
  for (const path of paths) await get(edges[0].url + path);
  assert.equal(origin.requests.length, paths.length);
  const fourth = await join(4);
  await eachSees(edges, ['edge-1', 'edge-2', 'edge-3', 'edge-4']);
  for (const path of paths) assert.ok(isRight(path, (await get(fourth.url + path)).body), path);
  const moved = await holderAsks(fourth);
  assert.ok(moved > paths.length / 8, `${moved} of ${paths.length} moved`);
  assert.equal(origin.requests.length, paths.length);
  const { source, bus: state } = await fleetOf(fourth);
  assert.equal(source, 'bus');
  assert.deepEqual({ connected: state.connected, members: state.members }, { connected: true, members: 4 });
});

test('an edge that is told to stop leaves, one that is killed is missed after a while', async () => {
  await startFleet(3);
  await edges[2].stop();
  await eachSees(edges.slice(0, 2), ['edge-1', 'edge-2']);
  assert.equal((await fleetOf(edges[0])).bus.lost, 0, 'it left in words');
  edges[2] = await edges[2].restart();
  await eachSees(edges, ['edge-1', 'edge-2', 'edge-3']);
  edges[1].kill();
  await edges[1].exited;
  await eachSees([edges[0], edges[2]], ['edge-1', 'edge-3']);
  assert.equal((await fleetOf(edges[0])).bus.lost, 1, 'it may only be cut off');
  edges[1] = await edges[1].restart();
  await eachSees(edges, ['edge-1', 'edge-2', 'edge-3']);
  assert.equal((await fleetOf(edges[0])).bus.lost, 0);
});

test('SIGHUP changes what an edge registers', async () => {
  await startFleet(2);
  const text = fs.readFileSync(edges[1].configPath, 'utf8');
  const own = `url = "${edges[1].url}"`;
  assert.ok(text.includes(own), text);
  fs.writeFileSync(edges[1].configPath, text.replace(own, `${own}, weight = 3.0`));
  edges[1].signal('SIGHUP');
  await until('the new weight', async () =>
    (await fleetOf(edges[0])).members.find(({ name }) => name === 'edge-2').share === 0.75);
  fs.writeFileSync(edges[1].configPath, text.replace(own, `${own}, drain = true`));
  edges[1].signal('SIGHUP');
  await eachSees(edges, ['edge-1']);
  assert.equal((await fleetOf(edges[0])).members.find(({ name }) => name === 'edge-2').drain, true);
});

for (const how of ['killed', 'stopped']) {
  test(`the bus is ${how} and comes back under traffic: nobody loses anybody`, async () => {
    await startFleet(3);
    const some = pages(30);
    const outage = async () => {
      if (how === 'killed') bus.kill(); else bus.signal('SIGSTOP');
      await Promise.all(edges.map((edge) => connected(edge, false)));
      for (const edge of edges) {
        assert.equal((await owners(edge)).length, 3);
        const ready = await request(`${edge.admin}/readyz`);
        assert.equal(ready.status, 200);
        assert.match(ready.text, /bus does not answer/);
        assert.match(edge.log(), /fleet's bus does not answer/);
      }
      if (how === 'killed') bus = await bus.restart(); else bus.signal('SIGCONT');
      await Promise.all(edges.map((edge) => connected(edge, true)));
      await join(4);
      await eachSees(edges, ['edge-1', 'edge-2', 'edge-3', 'edge-4']);
    };
    assert.ok(await traffic(some, outage()) > 0);
    for (const path of some.paths) assert.equal(origin.requests.filter((one) => one.path === path).length, 1, path);
    for (const edge of edges.slice(0, 3)) assert.equal((await fleetOf(edge)).bus.lost, 0);
  });
}

test('without the bus an edge begins with the members as last known, or alone', async () => {
  await startFleet(2);
  bus.kill();
  await bus.exited;
  edges[1].kill();
  await edges[1].exited;
  edges[1] = await edges[1].restart();
  await eachSees(edges, ['edge-1', 'edge-2']);
  const newcomer = await join(3);
  assert.deepEqual(await owners(newcomer), ['edge-3']);
  assert.match((await request(`${newcomer.admin}/readyz`)).text, /bus does not answer/);
  origin.answer('/here', { headers: fresh, body: 'here' });
  for (const edge of edges) assert.equal((await get(`${edge.url}/here`)).text, 'here');
  bus = await bus.restart();
  await eachSees(edges, ['edge-1', 'edge-2', 'edge-3']);
});

test('an edge that was stopped for long comes back without taking the others for lost', async () => {
  await startFleet(3);
  edges[2].signal('SIGSTOP');
  await eachSees(edges.slice(0, 2), ['edge-1', 'edge-2']);
  const log = edges[2].log().length;
  edges[2].signal('SIGCONT');
  await eachSees(edges, ['edge-1', 'edge-2', 'edge-3']);
  assert.doesNotMatch(edges[2].log().slice(log), /lost/);
});

test('what does not belong on the bus is ignored and named', async () => {
  await startFleet(2);
  const wrong = {
    'edge-9': ['no TOML at all {', /edge-9:1:/],
    'edge-8': ['name = "edge-8"\nurl = "ftp://nowhere"\n', /edge-8:2:7: url is refused/],
    'edge-7': ['name = "edge-1"\nurl = "http://127.0.0.1:1"\n', /edge-7:1:1: name is/],
    'edge-6': ['name = "edge-6"\nurl = "http://127.0.0.1:1"\nweight = -1\n', /edge-6:3:10: weight is -1/],
    'edge-5': ['', /edge-5:1:1: name/],
    'edge-2': ['\0\xff', /edge-2:1:1:/],
  };
  for (const [key, [text]] of Object.entries(wrong)) {
    await publish(bus, `$KV.torchrelay_members.${key}`, text);
  }
  for (const edge of edges) {
    await until(`${edge.edgeName} to count them`, async () => metricValue(
      await edge.metrics(), 'relay_edge_bus_rejected_total', { what: 'registration' }) >= 6);
    for (const [, said] of Object.values(wrong)) assert.match(edge.log(), said);
    assert.deepEqual((await owners(edge)).sort(), ['edge-1', 'edge-2']);
  }
  const newcomer = await join(3);
  await eachSees([newcomer], ['edge-1', 'edge-2', 'edge-3']);
});

test('a password reaches the bus and no log', async () => {
  bus = await startNatsServer({ args: ['--user', 'fleet', '--pass', 'opensesame'] });
  const url = bus.url;
  bus.url = url.replace('//', '//fleet:opensesame@');
  await startFleet(2);
  bus.url = url.replace('//', '//fleet:wrongword@');
  const stranger = await join(3);
  assert.deepEqual(await owners(stranger), ['edge-3']);
  assert.match(stranger.log(), /fleet's bus does not answer/);
  for (const edge of edges) {
    const { address } = (await fleetOf(edge)).bus;
    assert.equal(address, url.replace('//', '//...@'));
    assert.doesNotMatch(edge.log() + JSON.stringify(await fleetOf(edge)), /opensesame|wrongword/);
  }
});

test('a bus with TLS is trusted by its authority', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torchrelay-tls-'));
  try {
    const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => path.join(folder, name));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=bus',
      '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    bus = await startNatsServer({ args: ['--tls', '--tlscert', certificate, '--tlskey', key] });
    bus.url = bus.url.replace('nats://', 'tls://');
    await startFleet(2, { bus_ca: certificate });
    const stranger = await join(3);
    assert.deepEqual(await owners(stranger), ['edge-3'], 'it does not know the authority');
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
