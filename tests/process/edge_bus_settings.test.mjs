// Settings of the whole fleet, as its bus has them: one text for all edges, taken on while they run,
// refused when it is wrong, and remembered while the bus is away.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { busFleet, busTest as test, eachSees, fleetOf, isConnected } from '../support/bus_fleet.mjs';
import { get, metricValue, request } from '../support/http.mjs';
import { publish } from '../support/nats_server.mjs';
import { until } from '../support/poll.mjs';
import { programs } from '../support/program.mjs';
import { startTcpRelay } from '../support/tcp_relay.mjs';
import { cleanUp } from '../support/torchrelay.mjs';

const fleet = busFleet();
const subject = '$KV.torchrelay_settings.edge';
/** As `nats kv put torchrelay_settings edge TEXT` does. */
const put = (text) => publish(fleet.bus, subject, text);
const take = () => publish(fleet.bus, subject, '', { headers: { 'KV-Operation': 'DEL' } });
const prefetchOf = async (edge) => (await fleetOf(edge)).settings['cache.prefetch'];
/** Until all have so many segments fetched ahead, as `from` says. */
const eachHas = (edges, value, from) => Promise.all(edges.map((edge) =>
  until(`${edge.edgeName} to fetch ${value} ahead`, async () => {
    const prefetch = await prefetchOf(edge);
    if (prefetch.value !== value || prefetch.from !== from) throw new Error(JSON.stringify(prefetch));
    return true;
  })));
const refusals = async (edge) =>
  metricValue(await edge.metrics(), 'relay_edge_bus_rejected_total', { what: 'settings' });
const isRefused = (edge, count) => until(`${edge.edgeName} to refuse it`, async () => await refusals(edge) === count);

function publishSettings(edge, text) {
  const file = path.join(edge.folder, 'fleet.toml');
  fs.writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(path.join(programs, 'torchrelay-edge'),
    ['--config', edge.configPath, '--publish-settings', file], { encoding: 'utf8', timeout: 30_000 });
  return { status, said: stdout + stderr, file };
}

test('what the bus says holds on all edges, while they run', async () => {
  await fleet.start(2);
  const { edges, origin } = fleet;
  origin.answer('/stale', { headers: { 'cache-control': 'max-age=10', age: '20', etag: '"1"' }, body: 'good' });
  for (const edge of edges) {
    assert.equal((await request(`${edge.url}/stale`)).text, 'good');
    await until('it to be stored', async () =>
      (await get(`${edge.admin}/api/v1/cache`)).json().some.some(({ key }) => key === '/stale'));
  }
  origin.answer('/stale', { status: 500 });
  const stands = async (edge) => (await request(`${edge.url}/stale`)).status === 200;
  for (const edge of edges) assert.ok(await stands(edge), 'an hour, as by default');
  await put('[cache]\nstale_on_error = "0s"\n[fleet]\nprobe_interval = "50ms"\n');
  for (const edge of edges) {
    await until('the error to be shown', async () => !(await stands(edge)));
    const { settings } = await fleetOf(edge);
    assert.deepEqual(settings['cache.stale_on_error'], { value: '0ms', from: 'bus' });
    assert.deepEqual(settings['fleet.probe_interval'], { value: '50ms', from: 'bus' });
    assert.deepEqual(settings['cache.prefetch'], { value: '1', from: 'config' });
  }
  await take();
  for (const edge of edges) await until('the file to count again', () => stands(edge));
});

test('a wrong text is refused and named, and what stood before stays, for newcomers too', async () => {
  await fleet.start(2);
  await put('cache.prefetch = 4\n');
  await eachHas(fleet.edges, '4', 'bus');
  await put('cache.prefetch = 5\ncache.size = "1GiB"\n');
  for (const edge of fleet.edges) {
    await isRefused(edge, 1);
    assert.match(edge.log(), /settings on the bus refused.*settings:2:7: unknown key cache\.size/);
    const { settings } = (await fleetOf(edge)).bus;
    assert.match(settings.refused, /unknown key cache\.size/);
    assert.ok(settings.newest > settings.sequence, JSON.stringify(settings));
  }
  await put('\0\xff');
  for (const edge of fleet.edges) await isRefused(edge, 2);
  await fleet.join(3);
  await eachHas(fleet.edges, '4', 'bus');
  await put('cache.prefetch = 6\n');
  await eachHas(fleet.edges, '6', 'bus');
  for (const edge of fleet.edges) assert.equal((await fleetOf(edge)).bus.settings.refused, undefined);
});

test('the command puts them there, and nothing that edges would refuse', async () => {
  await fleet.start(2);
  const [edge] = fleet.edges;
  assert.deepEqual(publishSettings(edge, 'cache.prefetch = 4\n').status, 0);
  await eachHas(fleet.edges, '4', 'bus');
  const { sequence } = (await fleetOf(edge)).bus.settings;
  const wrong = publishSettings(edge, 'cache.prefetch = 400\n');
  assert.equal(wrong.status, 1);
  assert.ok(wrong.said.includes(`${wrong.file}:1:18: cache.prefetch is 400; allowed`), wrong.said);
  assert.equal(publishSettings(edge, '').status, 0);
  await eachHas(fleet.edges, '1', 'config');
  assert.equal((await fleetOf(edge)).bus.settings.sequence, sequence + 1, 'nothing between');
  fleet.bus.kill();
  await fleet.bus.exited;
  const late = publishSettings(edge, 'cache.prefetch = 4\n');
  assert.equal(late.status, 1);
  assert.match(late.said, /the bus: cannot connect/);
});

test('SIGHUP takes on what the file says, below what the bus says', async () => {
  await fleet.start(1);
  const [edge] = fleet.edges;
  fs.appendFileSync(edge.configPath, '\n[log]\nlevel = "debug"\n');
  await put('cache.prefetch = 4\n');
  await eachHas([edge], '4', 'bus');
  edge.signal('SIGHUP');
  await until('the level', async () => (await fleetOf(edge)).settings['log.level'].value === 'debug');
  assert.equal((await fleetOf(edge)).settings['log.level'].from, 'config');
  await eachHas([edge], '4', 'bus');
});

test('while the bus is away what it said stays, for who begins then too', async () => {
  await fleet.start(2);
  await put('cache.prefetch = 4\n');
  await eachHas(fleet.edges, '4', 'bus');
  fleet.bus.kill();
  await fleet.bus.exited;
  await Promise.all(fleet.edges.map((edge) => isConnected(edge, false)));
  fleet.edges[1].kill();
  await fleet.edges[1].exited;
  fleet.edges[1] = await fleet.edges[1].restart();
  for (const edge of fleet.edges) assert.deepEqual(await prefetchOf(edge), { value: '4', from: 'bus' });
  fleet.bus = await fleet.bus.restart();
  await Promise.all(fleet.edges.map((edge) => isConnected(edge, true)));
  await eachHas(fleet.edges, '4', 'bus');
  await put('cache.prefetch = 5\n');
  await eachHas(fleet.edges, '5', 'bus');
});

test('a bus that has lost them leaves every edge to its file, and that is said', async () => {
  await fleet.start(2);
  await put('cache.prefetch = 4\n');
  await eachHas(fleet.edges, '4', 'bus');
  fleet.bus.kill();
  await fleet.bus.exited;
  await fleet.startBus({ port: fleet.bus.port });
  await eachHas(fleet.edges, '1', 'config');
  for (const edge of fleet.edges) assert.match(edge.log(), /the bus has no settings for the fleet any more/);
});

test('an edge that is cut off from the bus goes by what it knew until it is back', async () => {
  await fleet.start(2);
  const relay = await startTcpRelay(fleet.bus.port);
  try {
    const cutOff = await fleet.join(3, { bus: `nats://127.0.0.1:${relay.port}` });
    await eachSees(fleet.edges, ['edge-1', 'edge-2', 'edge-3']);
    await put('cache.prefetch = 4\n');
    await eachHas(fleet.edges, '4', 'bus');
    relay.cut();
    await isConnected(cutOff, false);
    await put('cache.prefetch = 5\n');
    await eachHas(fleet.edges.slice(0, 2), '5', 'bus');
    assert.deepEqual(await prefetchOf(cutOff), { value: '4', from: 'bus' });
    relay.heal();
    await eachHas(fleet.edges, '5', 'bus');
  } finally {
    await cleanUp(...fleet.edges, relay);
  }
});
