// Purges in a fleet with a bus: none that was answered with 200 is lost, whoever dies in whatever
// order, and whoever has read the bus's stream to its end needs nobody's word to serve what it holds.

import assert from 'node:assert/strict';
import { busFleet, busTest as test, eachSees, fleetOf, isConnected, knowsAllToBeKnown, trusts } from '../support/bus_fleet.mjs';
import { metricValue, request } from '../support/http.mjs';
import { publish } from '../support/nats_server.mjs';
import { until } from '../support/poll.mjs';
import { fill, isHit, purge, states, text } from '../support/purging.mjs';
import { startTcpRelay } from '../support/tcp_relay.mjs';
import { cleanUp } from '../support/torchrelay.mjs';

const fleet = busFleet();
const lease = { purge_lease: '1s' };

async function kill(...programs) {
  for (const program of programs) program.kill();
  await Promise.all(programs.map((program) => program.exited));
}
async function restart(i) {
  fleet.edges[i] = await fleet.edges[i].restart();
  return fleet.edges[i];
}
const trustsNow = async (edge) => metricValue(await edge.metrics(), 'relay_edge_store_trusted') === 1;
const sequenceOf = async (edge) => (await fleetOf(edge)).bus.sequence;

test('a purge on any edge is kept by the bus and in force on all when it is answered', async () => {
  await fleet.start(3);
  for (const [i, edge] of fleet.edges.entries()) {
    const path = `/title/${i}`;
    await fill(fleet.origin, fleet.edges, [path]);
    const what = [{ url: path }, { tenant: 'title' }, { all: true }][i];
    const answer = await purge(edge, what);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json().bus, 'kept');
    assert.equal(states(answer), 'applied applied applied');
    for (const each of fleet.edges) assert.equal(await text(each, path), `new ${path}`);
  }
  for (const edge of fleet.edges) await until('all to have read it', async () => await sequenceOf(edge) === 3);
});

test('of two edges one dies: the other serves what it holds, and its purges wait for the dead one', async () => {
  await fleet.start(2, lease);
  await fill(fleet.origin, fleet.edges, ['/a', '/kept']);
  await kill(fleet.edges[1]);
  await eachSees([fleet.edges[0]], ['edge-1']);
  const before = fleet.origin.requests.length;
  assert.ok(await isHit(fleet.edges[0], '/kept'), 'the lease of the other one is over long since');
  assert.equal(fleet.origin.requests.length, before);
  const answer = await purge(fleet.edges[0], { url: '/a' });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(states(answer), 'applied fenced');
  await kill(fleet.edges[0]);
  const back = await restart(1);
  assert.equal(await text(back, '/a'), 'new /a', 'nobody but the bus could tell');
  await trusts(back);
  assert.equal(await text(back, '/a'), 'new /a');
  assert.ok(await isHit(back, '/kept'), 'what was not purged is still there');
  assert.equal(metricValue(await back.metrics(), 'relay_edge_bus_replayed_total'), 1);
});

test('the bus is killed after a purge and comes back: who was away meanwhile hears of it there', async () => {
  await fleet.start(3, lease);
  await fill(fleet.origin, fleet.edges, ['/a']);
  await kill(fleet.edges[2]);
  assert.equal((await purge(fleet.edges[0], { url: '/a' })).status, 200);
  await kill(fleet.bus, fleet.edges[0], fleet.edges[1]);
  fleet.bus = await fleet.bus.restart();
  const back = await restart(2);
  assert.equal(await text(back, '/a'), 'new /a');
});

for (const how of ['killed', 'stopped']) {
  test(`the bus is ${how} when a purge comes: in force on all at once, and kept when it is back`, async () => {
    await fleet.start(3, lease);
    await fill(fleet.origin, fleet.edges, ['/a', '/b', '/kept']);
    if (how === 'killed') await kill(fleet.bus); else fleet.bus.signal('SIGSTOP');
    await Promise.all(fleet.edges.map((edge) => isConnected(edge, false)));
    const answer = await purge(fleet.edges[0], { url: '/a' });
    assert.equal(answer.status, 202, answer.text);
    assert.equal(answer.json().bus, 'pending');
    assert.equal(states(answer), 'applied applied applied');
    for (const edge of fleet.edges) {
      assert.equal(await text(edge, '/a'), 'new /a');
      assert.ok(await isHit(edge, '/kept'), 'a majority speaks for the bus');
    }
    // It died before it could put it there: another one does.
    await kill(fleet.edges[0]);
    if (how === 'killed') fleet.bus = await fleet.bus.restart(); else fleet.bus.signal('SIGCONT');
    await until('the purge to be kept', async () => await sequenceOf(fleet.edges[1]) === 1);
    const back = await restart(0);
    assert.equal(await text(back, '/a'), 'new /a');
    assert.equal((await purge(back, { url: '/b' })).status, 200);
    for (const edge of fleet.edges) assert.equal(await text(edge, '/b'), 'new /b');
  });
}

test('with the bus and a member down a purge is accepted only, and comes to both', async () => {
  await fleet.start(3, lease);
  await fill(fleet.origin, fleet.edges, ['/a']);
  await kill(fleet.edges[2], fleet.bus);
  const answer = await purge(fleet.edges[0], { url: '/a' });
  assert.equal(answer.status, 202, answer.text);
  assert.equal(states(answer), 'applied applied pending');
  fleet.bus = await fleet.bus.restart();
  await until('the purge to be kept', async () => await sequenceOf(fleet.edges[0]) === 1);
  const back = await restart(2);
  assert.equal(await text(back, '/a'), 'new /a');
});

test('a member that was stopped serves nothing purged when it goes on', async () => {
  await fleet.start(3, lease);
  await fill(fleet.origin, fleet.edges, ['/stopped']);
  fleet.edges[1].signal('SIGSTOP');
  const answer = await purge(fleet.edges[0], { url: '/stopped' });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(states(answer), 'applied applied fenced');
  const first = [text(fleet.edges[1], '/stopped'), text(fleet.edges[1], '/stopped')];
  fleet.edges[1].signal('SIGCONT');
  for (const got of await Promise.all(first)) assert.equal(got, 'new /stopped');
  await trusts(fleet.edges[1]);
  assert.equal(states(await purge(fleet.edges[1], { url: '/stopped' })), 'applied applied applied');
});

test('an edge that begins without its bus asks upstream for what it holds', async () => {
  await fleet.start(1, lease);
  await fill(fleet.origin, fleet.edges, ['/a']);
  await kill(fleet.edges[0], fleet.bus);
  const edge = await restart(0);
  assert.equal((await request(`${edge.admin}/readyz`)).status, 200);
  assert.equal(metricValue(await edge.metrics(), 'relay_edge_store_trusted'), 0);
  assert.equal(await text(edge, '/a'), 'new /a');
  fleet.bus = await fleet.bus.restart();
  await trusts(edge);
  assert.ok(await isHit(edge, '/a'));
});

test('a member that is cut off from the bus only is told by the others, and tells through them', async () => {
  await fleet.start(2, lease);
  const relay = await startTcpRelay(fleet.bus.port);
  try {
    const cutOff = await fleet.join(3, { ...lease, bus: `nats://127.0.0.1:${relay.port}` });
    await eachSees(fleet.edges, ['edge-1', 'edge-2', 'edge-3']);
    await Promise.all(fleet.edges.map(knowsAllToBeKnown));
    await fill(fleet.origin, fleet.edges, ['/a', '/b', '/kept']);
    relay.cut();
    await isConnected(cutOff, false);
    await eachSees(fleet.edges.slice(0, 2), ['edge-1', 'edge-2']);
    assert.ok(await isHit(cutOff, '/kept'), 'a majority tells it');
    const answer = await purge(fleet.edges[0], { url: '/a' });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(states(answer), 'applied applied applied');
    assert.equal(await text(cutOff, '/a'), 'new /a');
    const own = await purge(cutOff, { url: '/b' });
    assert.equal(own.status, 202, own.text);
    assert.equal(own.json().bus, 'pending');
    for (const edge of fleet.edges) assert.equal(await text(edge, '/b'), 'new /b');
    await until('the others to put it there', async () => await sequenceOf(fleet.edges[0]) === 2);
    relay.heal();
    await isConnected(cutOff, true);
    await eachSees(fleet.edges, ['edge-1', 'edge-2', 'edge-3']);
    assert.ok(await isHit(cutOff, '/kept'));
  } finally {
    await cleanUp(...fleet.edges, relay);
  }
});

test('who finds another stream than it knew wants a majority to tell what was purged', async () => {
  await fleet.start(2, lease);
  await fill(fleet.origin, fleet.edges, ['/a']);
  await kill(fleet.edges[1]);
  assert.equal((await purge(fleet.edges[0], { url: '/a' })).status, 200);
  await kill(fleet.edges[0], fleet.bus);
  await fleet.startBus({ port: fleet.bus.port });
  const back = await restart(1);
  assert.equal(await text(back, '/a'), 'new /a');
  await until('it to find the stream', () => /do not follow on what this edge knows/.test(back.log()));
  await trusts(back, false);
  assert.equal(await text(back, '/a'), 'new /a');
  await restart(0);
  await trusts(back);
  assert.equal(await text(back, '/a'), 'new /a');
});

test('what no edge wrote among the purges is named and passed over', async () => {
  await fleet.start(2);
  await fill(fleet.origin, fleet.edges, ['/a']);
  for (const wrong of ['no letter', '{}', '\0', '{"from":"x","reached":{},"news":{"after":{}}}']) {
    await publish(fleet.bus, 'torchrelay.purges.edge-9', wrong);
  }
  const answer = await purge(fleet.edges[0], { url: '/a' });
  assert.equal(answer.status, 200, answer.text);
  for (const edge of fleet.edges) {
    await until('it to be counted', async () =>
      metricValue(await edge.metrics(), 'relay_edge_bus_rejected_total', { what: 'purge' }) === 4);
    assert.match(edge.log(), /message among the purges on the bus is ignored/);
    assert.equal(await text(edge, '/a'), 'new /a');
  }
});

test('in any order of kills no purge that was answered is lost', async () => {
  await fleet.start(3, lease);
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const random = (n) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor(state / 65536) % n;
  };
  const answered = [];
  for (let round = 0; round < 12; round++) {
    const path = `/round/${round}`;
    const alive = fleet.edges.filter((edge) => edge.alive);
    if (!fleet.bus.alive && !(await Promise.all(alive.map(trustsNow))).every(Boolean)) {
      fleet.bus = await fleet.bus.restart();
    }
    await Promise.all(alive.map((edge) => trusts(edge)));
    await fill(fleet.origin, alive, [path]);
    const what = random(5);
    if (what < 3 && fleet.edges[what].alive && alive.length > 1) await kill(fleet.edges[what]);
    if (what === 3 && fleet.bus.alive) await kill(fleet.bus);
    const [edge] = fleet.edges.filter((each) => each.alive);
    if ((await purge(edge, { url: path })).status === 200) answered.push(path);
    const back = random(3);
    if (!fleet.edges[back].alive) await restart(back);
    if (!fleet.bus.alive && random(2) === 0) fleet.bus = await fleet.bus.restart();
    for (const each of fleet.edges.filter(({ alive: is }) => is)) {
      for (const old of answered) assert.equal(await text(each, old), `new ${old}`, `${old} on ${each.edgeName}, seed ${seed}`);
    }
  }
  assert.ok(answered.length > 0, `seed ${seed}`);
});
