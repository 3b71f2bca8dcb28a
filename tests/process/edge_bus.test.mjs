// A fleet whose members find one another by NATS: who comes, goes, dies or is cut off is known to
// all without a line of config, and the bus itself may go without anybody noticing but operators.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { busFleet, busTest as test, eachSees, fleetOf, isConnected, owners } from '../support/bus_fleet.mjs';
import { get, metricValue, request } from '../support/http.mjs';
import { publish } from '../support/nats_server.mjs';
import { until } from '../support/poll.mjs';
import { fresh, pattern } from '../support/scripted_origin.mjs';

const fleet = busFleet();
const holderAsks = async (edge) =>
  metricValue(await edge.metrics(), 'relay_edge_upstream_requests_total', { to: 'holder' });

function pages(count) {
  const paths = Array.from({ length: count }, (_, i) => `/page?${i}`);
  fleet.origin.answer('/page', (asked, response) => {
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
    const edge = fleet.edges[asked % fleet.edges.length];
    const answer = await get(edge.url + path);
    assert.equal(answer.status, 200, path);
    assert.ok(isRight(path, answer.body), path);
    asked += 1;
  }
  await ended;
  return asked;
}

test('edges find one another; a fourth joins, and the origin does not notice', async () => {
  await fleet.start(3);
  const { paths, isRight } = pages(200);
  for (const path of paths) await get(fleet.edges[0].url + path);
  assert.equal(fleet.origin.requests.length, paths.length);
  const fourth = await fleet.join(4);
  await eachSees(fleet.edges, ['edge-1', 'edge-2', 'edge-3', 'edge-4']);
  for (const path of paths) assert.ok(isRight(path, (await get(fourth.url + path)).body), path);
  const moved = await holderAsks(fourth);
  assert.ok(moved > paths.length / 8, `${moved} of ${paths.length} moved`);
  assert.equal(fleet.origin.requests.length, paths.length);
  const { source, bus: state } = await fleetOf(fourth);
  assert.equal(source, 'bus');
  assert.deepEqual({ connected: state.connected, members: state.members }, { connected: true, members: 4 });
});

test('an edge that is told to stop leaves, one that is killed is missed after a while', async () => {
  await fleet.start(3);
  await fleet.edges[2].stop();
  await eachSees(fleet.edges.slice(0, 2), ['edge-1', 'edge-2']);
  assert.equal((await fleetOf(fleet.edges[0])).bus.lost, 0, 'it left in words');
  fleet.edges[2] = await fleet.edges[2].restart();
  await eachSees(fleet.edges, ['edge-1', 'edge-2', 'edge-3']);
  fleet.edges[1].kill();
  await fleet.edges[1].exited;
  await eachSees([fleet.edges[0], fleet.edges[2]], ['edge-1', 'edge-3']);
  assert.equal((await fleetOf(fleet.edges[0])).bus.lost, 1, 'it may only be cut off');
  fleet.edges[1] = await fleet.edges[1].restart();
  await eachSees(fleet.edges, ['edge-1', 'edge-2', 'edge-3']);
  assert.equal((await fleetOf(fleet.edges[0])).bus.lost, 0);
});

test('SIGHUP changes what an edge registers', async () => {
  await fleet.start(2);
  const text = fs.readFileSync(fleet.edges[1].configPath, 'utf8');
  const own = `url = "${fleet.edges[1].url}"`;
  assert.ok(text.includes(own), text);
  fs.writeFileSync(fleet.edges[1].configPath, text.replace(own, `${own}, weight = 3.0`));
  fleet.edges[1].signal('SIGHUP');
  await until('the new weight', async () =>
    (await fleetOf(fleet.edges[0])).members.find(({ name }) => name === 'edge-2').share === 0.75);
  fs.writeFileSync(fleet.edges[1].configPath, text.replace(own, `${own}, drain = true`));
  fleet.edges[1].signal('SIGHUP');
  await eachSees(fleet.edges, ['edge-1']);
  assert.equal((await fleetOf(fleet.edges[0])).members.find(({ name }) => name === 'edge-2').drain, true);
});

test('an edge does not change its name while it runs', async () => {
  await fleet.start(2);
  const [edge] = fleet.edges;
  fs.writeFileSync(edge.configPath, fs.readFileSync(edge.configPath, 'utf8').replaceAll('"edge-1"', '"edge-9"'));
  edge.signal('SIGHUP');
  await until('it to be refused', () => /reload refused.*another edge\.name wants a restart/.test(edge.log()));
  await eachSees(fleet.edges, ['edge-1', 'edge-2']);
});

for (const how of ['killed', 'stopped']) {
  test(`the bus is ${how} and comes back under traffic: nobody loses anybody`, async () => {
    await fleet.start(3);
    const some = pages(30);
    const outage = async () => {
      if (how === 'killed') fleet.bus.kill(); else fleet.bus.signal('SIGSTOP');
      await Promise.all(fleet.edges.map((edge) => isConnected(edge, false)));
      for (const edge of fleet.edges) {
        assert.equal((await owners(edge)).length, 3);
        const ready = await request(`${edge.admin}/readyz`);
        assert.equal(ready.status, 200);
        assert.match(ready.text, /bus does not answer/);
        assert.match(edge.log(), /fleet's bus does not answer/);
      }
      if (how === 'killed') fleet.bus = await fleet.bus.restart(); else fleet.bus.signal('SIGCONT');
      await Promise.all(fleet.edges.map((edge) => isConnected(edge, true)));
      await fleet.join(4);
      await eachSees(fleet.edges, ['edge-1', 'edge-2', 'edge-3', 'edge-4']);
    };
    assert.ok(await traffic(some, outage()) > 0);
    for (const path of some.paths) assert.equal(fleet.origin.requests.filter((one) => one.path === path).length, 1, path);
    for (const edge of fleet.edges.slice(0, 3)) assert.equal((await fleetOf(edge)).bus.lost, 0);
  });
}

test('without the bus an edge begins with the members as last known, or alone', async () => {
  await fleet.start(2);
  fleet.bus.kill();
  await fleet.bus.exited;
  fleet.edges[1].kill();
  await fleet.edges[1].exited;
  fleet.edges[1] = await fleet.edges[1].restart();
  await eachSees(fleet.edges, ['edge-1', 'edge-2']);
  const newcomer = await fleet.join(3);
  assert.deepEqual(await owners(newcomer), ['edge-3']);
  assert.match((await request(`${newcomer.admin}/readyz`)).text, /bus does not answer/);
  fleet.origin.answer('/here', { headers: fresh, body: 'here' });
  for (const edge of fleet.edges) assert.equal((await get(`${edge.url}/here`)).text, 'here');
  fleet.bus = await fleet.bus.restart();
  await eachSees(fleet.edges, ['edge-1', 'edge-2', 'edge-3']);
});

test('an edge that was stopped for long comes back without taking the others for lost', async () => {
  await fleet.start(3);
  fleet.edges[2].signal('SIGSTOP');
  await eachSees(fleet.edges.slice(0, 2), ['edge-1', 'edge-2']);
  fleet.edges[2].signal('SIGCONT');
  let together = false;
  const all = eachSees(fleet.edges, ['edge-1', 'edge-2', 'edge-3']).finally(() => { together = true; });
  while (!together) assert.equal((await owners(fleet.edges[2])).length, 3);
  await all;
});

test('what does not belong on the bus is ignored and named', async () => {
  await fleet.start(2);
  const wrong = {
    'edge-9': ['no TOML at all {', /edge-9:1:/],
    'edge-8': ['name = "edge-8"\nurl = "ftp://nowhere"\n', /edge-8:2:7: url is refused/],
    'edge-7': ['name = "edge-1"\nurl = "http://127.0.0.1:1"\n', /edge-7:1:1: name is/],
    'edge-6': ['name = "edge-6"\nurl = "http://127.0.0.1:1"\nweight = -1\n', /edge-6:3:10: weight is -1/],
    'edge-5': ['', /edge-5:1:1: name/],
    'edge-2': ['\0\xff', /edge-2:1:1:/],
  };
  for (const [key, [text]] of Object.entries(wrong)) {
    await publish(fleet.bus, `$KV.torchrelay_members.${key}`, text);
  }
  for (const edge of fleet.edges) {
    await until(`${edge.edgeName} to count them`, async () => metricValue(
      await edge.metrics(), 'relay_edge_bus_rejected_total', { what: 'registration' }) >= 6);
    for (const [, said] of Object.values(wrong)) assert.match(edge.log(), said);
    assert.deepEqual((await owners(edge)).sort(), ['edge-1', 'edge-2']);
  }
  const newcomer = await fleet.join(3);
  await eachSees([newcomer], ['edge-1', 'edge-2', 'edge-3']);
});

test('a password reaches the bus and no log', async () => {
  await fleet.startBus({ args: ['--user', 'fleet', '--pass', 'opensesame'] });
  const url = fleet.bus.url;
  fleet.bus.url = url.replace('//', '//fleet:opensesame@');
  await fleet.start(2);
  fleet.bus.url = url.replace('//', '//fleet:wrongword@');
  const stranger = await fleet.join(3);
  assert.deepEqual(await owners(stranger), ['edge-3']);
  assert.match(stranger.log(), /fleet's bus does not answer/);
  for (const edge of fleet.edges) {
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
    await fleet.startBus({ args: ['--tls', '--tlscert', certificate, '--tlskey', key] });
    fleet.bus.url = fleet.bus.url.replace('nats://', 'tls://');
    await fleet.start(2, { bus_ca: certificate });
    const stranger = await fleet.join(3);
    assert.deepEqual(await owners(stranger), ['edge-3'], 'it does not know the authority');
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
