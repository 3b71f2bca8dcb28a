// Every call that the store makes of the disk and of LMDB, failing under a running edge with each
// error, once and for as long as the fault stays: bodies stream on and are right, what was there is
// served or fetched anew, what was removed stays gone, and when the fault is over it stores again.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeFaults } from '../support/faults.mjs';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge, temporaryFolder } from '../support/torchrelay.mjs';

const errors = ['EMFILE', 'ENOSPC', 'EIO'];
const sizes = [900, 200_000, 1_500_000];  // of each of the store's files
/** `stops`: while it stays nothing can be stored. `reopens`: LMDB's files are taken for unusable as
 *  well, so that the fault strikes while they are opened anew. */
const points = [
  { call: 'begin', stops: true },
  { call: 'begin read', stops: true },
  { call: 'put', stops: true },
  { call: 'get', stops: true },
  { call: 'erase', stops: true },
  { call: 'commit', stops: true },
  { call: 'write', stops: true },
  { call: 'grow', stops: false },  // there may be free pages
  { call: 'sync', stops: false },
  { call: 'open', stops: true, reopens: true },
  { call: 'begin', stops: true, reopens: true },
  { call: 'commit', stops: true, reopens: true },
];

const isHit = (answer) => /; hit/.test(answer.headers['cache-status']);

/** An edge with faults of its own in front of an origin, and the body that each path has now. */
async function makeWorld() {
  const origin = await startScriptedOrigin();
  const folder = temporaryFolder('store-faults');
  const faults = makeFaults(folder);
  const edge = await startEdge({ upstream: origin.url, folder, environment: faults.environment, settings: { edge: { threads: 1 } } });
  const bodies = new Map();
  const world = { origin, faults, edge, bodies };
  return Object.assign(world, {
    offer(path, size) {
      bodies.set(path, pattern(size, bodies.size + size));
      origin.answer(path, { headers: fresh, body: bodies.get(path) });
    },
    async ask(path) {
      const answer = await get(world.edge.url + path);
      assert.ok(answer.body.equals(bodies.get(path)), `${path}: a wrong byte`);
      return isHit(answer);
    },
    becomesHit: (path) => until(`${path} to be a hit`, () => world.ask(path), { every_ms: 10 }),
    async end() {
      faults.close();
      await cleanUp(world.edge, origin);
    },
  });
}

/** One fault; afterwards the store has what came meanwhile, too. */
async function strike(world, point, error, times) {
  const { faults } = world;
  const name = `/${point.call.replace(' ', '-')}/${error}/${times === 1 ? 'once' : 'stays'}`;
  const gone = `${name}/gone`, during = sizes.map((size) => `${name}/${size}`);
  world.offer(gone, 5_000);
  await world.becomesHit(gone);
  sizes.forEach((size, i) => world.offer(during[i], size));

  if (point.reopens) faults.fail('begin read', error);
  faults.fail(point.call, error, { times });
  world.offer(gone, 6_000);  // what a removal that did not happen would bring back is the old one
  await request(world.edge.url + gone, { method: 'DELETE' });
  for (const path of [...during, ...during]) {
    const hit = await world.ask(path);
    assert.ok(!hit || !point.stops || times === 1, `${path} was stored though nothing can be`);
  }
  await until(`${point.call} to fail`, () => faults.failed(point.call) > 0);
  await world.ask(gone);
  if (point.reopens) faults.work('begin read');
  faults.work(point.call);
  for (const path of [...during, gone]) await world.becomesHit(path);
}

async function faultsAt(point, t) {
  const world = await makeWorld();
  t.after(() => world.end());
  const early = sizes.map((size) => `/early/${size}`);
  sizes.forEach((size, i) => world.offer(early[i], size));
  for (const path of early) await world.becomesHit(path);
  for (const error of point.reopens ? ['EMFILE'] : errors) {
    for (const times of [1, -1]) await strike(world, point, error, times);
  }
  assert.match(world.edge.log(), /event="(cache cannot write|cache sync failed|cache files cannot be opened)"/);
  for (const path of world.bodies.keys()) await world.becomesHit(path);
  world.edge.kill();
  await world.edge.exited;
  world.edge = await world.edge.restart();
  let kept = 0;
  for (const path of world.bodies.keys()) kept += await world.ask(path);
  assert.ok(kept >= world.bodies.size - 2, `${kept} of ${world.bodies.size} are there after a crash`);
}

/** Side by side, for a file that cannot be opened anew is tried again after 10 s only. */
describe('a fault', { concurrency: 4 }, () => {
  for (const point of points) test(`of ${point.call}${point.reopens ? ' in opening anew' : ''}`, (t) => faultsAt(point, t));
});

test('a body that the disk does not give while it is sent: cut off, then fetched anew', async (t) => {
  const world = await makeWorld();
  t.after(() => world.end());
  for (const error of ['EIO', 'ENOMEM']) {
    const path = `/sent/${error}`;
    world.offer(path, 1_500_000);
    await world.becomesHit(path);
    world.faults.fail('send', error, { times: 1 });
    const cut = await request(world.edge.url + path).catch(() => null);
    assert.equal(cut, null, 'it is not taken for whole');
    assert.equal(world.faults.failed('send'), 1);
    await world.becomesHit(path);
  }
  assert.equal(metricValue(await world.edge.metrics(), 'relay_edge_cache_store_failures_total', { reason: 'disk' }), 0);
});
