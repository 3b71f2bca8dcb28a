// Every call that the store makes of the disk and of LMDB, failing under a running edge with each
// error, once and for as long as the fault stays: bodies stream on and are right, what was there is
// served or fetched anew, what was removed or purged stays gone, and when the fault is over it stores
// again. And the calls of a start and a stop.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeFaults } from '../support/faults.mjs';
import { get, metricValue, request } from '../support/http.mjs';
import { final, until } from '../support/poll.mjs';
import { purge } from '../support/purging.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge, temporaryFolder } from '../support/torchrelay.mjs';

const errors = ['EMFILE', 'ENOSPC', 'EIO'];
const sizes = [900, 200_000, 1_500_000];  // of each of the store's files
/** `stops`: while it stays nothing can be stored. `reopens`: LMDB's files are taken for unusable as
 *  well, so that the fault, with this error, strikes while they are opened anew. `after`: so many of
 *  these calls work first. */
const points = [
  { call: 'begin', stops: true },
  { call: 'begin read', stops: true },
  { call: 'put', stops: true },
  { call: 'get', stops: false },  // only what frees something asks for it
  { call: 'erase', stops: false },
  { call: 'commit', stops: true },
  { call: 'write', stops: true },
  { call: 'grow', stops: false },  // there may be free pages
  { call: 'sync', stops: false },
  { call: 'open', stops: true, reopens: 'EMFILE' },
  { call: 'begin', stops: true, reopens: 'EMFILE' },
  { call: 'commit', stops: true, reopens: 'EMFILE' },
  { call: 'read', stops: true, reopens: 'EIO' },
  { call: 'read', stops: true, reopens: 'EIO', after: 2 },  // the first two are LMDB's own
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
      if (!answer.body.equals(bodies.get(path))) throw final(`${path}: a wrong byte`);
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
  const gone = `${name}/gone`, purged = `${name}/purged`, during = sizes.map((size) => `${name}/${size}`);
  for (const path of [gone, purged]) {
    world.offer(path, 5_000);
    await world.becomesHit(path);
  }
  sizes.forEach((size, i) => world.offer(during[i], size));

  // Only after a failed write does it look, by reading, whether LMDB has given up its files.
  const looks = point.reopens || point.call === 'begin read';
  if (looks) faults.fail('put', 'EIO', { times: point.reopens ? -1 : times });
  if (point.reopens) faults.fail('begin read', error);
  faults.fail(point.call, error, { after: point.after, times });
  world.offer(gone, 6_000);  // what a removal that did not happen would bring back is the old one
  await request(world.edge.url + gone, { method: 'DELETE' });
  for (const path of [...during, ...during]) {
    const hit = await world.ask(path);
    assert.ok(!hit || !point.stops || times === 1, `${path} was stored though nothing can be`);
  }
  await until(`${point.call} to fail`, () => faults.failed(point.call) > 0);
  await world.ask(gone);
  faults.fail(point.call, error, { after: point.after, times });  // one that strikes once may have done so
  world.offer(purged, 6_000);
  const acknowledged = await purges(world, purged);
  if (acknowledged) await world.ask(purged);
  if (looks) faults.work('put');
  if (point.reopens) faults.work('begin read');
  faults.work(point.call);
  if (!acknowledged) await until('the purge to be acknowledged', () => purges(world, purged));
  for (const path of [...during, gone, purged]) await world.becomesHit(path);
}

/** Whether the purge is acknowledged; else it was said that a restart may undo it. */
async function purges(world, url) {
  const { status, text } = await purge(world.edge, { url });
  assert.ok(status === 200 || status >= 500, `${status} ${text}`);
  return status === 200;
}

async function faultsAt(point, t) {
  const world = await makeWorld();
  t.after(() => world.end());
  const early = sizes.map((size) => `/early/${size}`);
  sizes.forEach((size, i) => world.offer(early[i], size));
  for (const path of early) await world.becomesHit(path);
  for (const error of point.reopens ? [point.reopens] : errors) {
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

const nameOf = ({ call, reopens, after }) =>
  `of ${call}${reopens ? ' in opening anew' : ''}${after ? `, after ${after} that work` : ''}`;

/** Side by side, for a file that cannot be opened anew is tried again after 10 s only. */
describe('a fault', { concurrency: 4 }, () => {
  for (const point of points) test(nameOf(point), (t) => faultsAt(point, t));
});

test('a purge that neither its log nor LMDB keeps is not acknowledged, until they do', async (t) => {
  const world = await makeWorld();
  t.after(() => world.end());
  // The last one: LMDB's files are taken for unusable, and cannot be opened anew either.
  for (const calls of [['begin'], ['put'], ['walk'], ['commit'], ['begin', 'begin read', 'open']]) {
    const path = `/${calls.at(-1)}`;
    world.offer(path, 5_000);
    await world.becomesHit(path);
    for (const each of ['write', ...calls]) world.faults.fail(each, 'EIO');
    world.offer(path, 6_000);
    assert.equal(await purges(world, path), false, path);
    for (const each of calls) assert.ok(world.faults.failed(each) > 0, each);
    assert.match(world.edge.log(), /event="a restart may undo a purge" why=".*Input\/output error"/);
    for (const each of ['write', ...calls]) world.faults.work(each);
    await until('the purge to be acknowledged', () => purges(world, path));
    world.edge.kill();
    await world.edge.exited;
    world.edge = await world.edge.restart();
    await world.ask(path);
  }
  assert.match(world.edge.log(), /event="purge journal cannot be opened"/);
  assert.match(world.edge.log(), /event="purge journal opened anew"/);
});

/** Whether the edge ends and says why; else it says what it does without, and serves. Nothing purged comes
 *  back. Null: the fault was not met. */
async function refusesToStart(world, call, after) {
  const { faults } = world;
  const told = world.edge.log().length;
  faults.fail(call, 'EIO', { after, times: 1 });
  const started = await world.edge.restart().catch((error) => error);
  const refused = started instanceof Error;
  if (!refused) {
    world.edge = started;
    await until('the store to be read',
      async () => metricValue(await started.metrics(), 'relay_edge_cache_reading') === 0);
    for (const path of world.bodies.keys()) await world.ask(path);
  }
  const struck = faults.failed(call) > 0;
  faults.work(call);
  const why = refused ? /^torchrelay-edge: cannot .*Input\/output error$/m
    : /event="cache given up until a restart"/;
  if (struck) assert.match(world.edge.log().slice(told), why);
  if (refused) assert.match(started.message, /ended while starting/);
  return struck ? refused : null;
}

/** Each of them in its turn; the later ones, which walk over bodies, of which every life leaves one
 *  more behind, further and further apart. */
describe('a start of which one', { concurrency: 3 }, () => {
  for (const call of ['rename', 'read', 'walk']) {
    test(`${call} fails`, async (t) => {
      const world = await makeWorld();
      t.after(() => world.end());
      const early = sizes.map((size) => `/early/${size}`);
      sizes.forEach((size, i) => world.offer(early[i], size));
      world.offer('/purged', 5_000);
      for (let after = 0, refused = false; refused !== null; after += 1 + Math.floor(after / 16)) {
        for (const path of world.bodies.keys()) await world.becomesHit(path);
        // On disk still, for nobody asks for it before the start.
        world.offer('/purged', 5_001 + after);
        assert.ok(await purges(world, '/purged'));
        world.edge.kill();
        await world.edge.exited;
        refused = await refusesToStart(world, call, after);
        assert.ok(refused !== false || call === 'walk', 'one that was met keeps the edge from starting');
        world.edge.kill();
        await world.edge.exited;
        world.edge = await world.edge.restart();
        if (refused === false) continue;
        for (const path of early) assert.ok(await world.ask(path), `${path} is lost`);
      }
    });
  }
});

test('a stop that cannot be noted costs nothing', async (t) => {
  const world = await makeWorld();
  t.after(() => world.end());
  sizes.forEach((size, i) => world.offer(`/early/${i}`, size));
  for (const path of world.bodies.keys()) await world.becomesHit(path);
  world.faults.fail('rename', 'EIO');
  await world.edge.stop();
  assert.equal(world.faults.failed('rename'), 1);
  assert.match(world.edge.log(), /event="cache stop not marked"/);
  world.faults.work('rename');
  world.edge = await world.edge.restart();
  for (const path of world.bodies.keys()) assert.ok(await world.ask(path), path);
});

test('of 128 variants none goes for one that the store refuses', async (t) => {
  const world = await makeWorld();
  t.after(() => world.end());
  world.origin.answer('/many', (asked, response) => {
    response.writeHead(200, { ...fresh, vary: 'X-Who' }).end(`for ${asked.headers['x-who']}`);
  });
  const ask = async (who) => {
    const answer = await get(`${world.edge.url}/many`, { headers: { 'x-who': who } });
    assert.equal(answer.text, `for ${who}`);
    return isHit(answer);
  };
  for (let who = 0; who < 128; who++) await until(`variant ${who}`, () => ask(who), { every_ms: 5 });
  world.faults.fail('commit', 'EIO');
  await ask(128);
  const refused = () => world.edge.metrics().then((metrics) =>
    metricValue(metrics, 'relay_edge_cache_store_failures_total', { reason: 'disk' }));
  await until('the store to refuse it', async () => await refused() > 1);  // the name that leads to it, too
  world.faults.work('commit');
  assert.ok(await ask(0), 'the oldest is there');
  await until('one more variant', () => ask(129), { every_ms: 5 });
  await until('the oldest to go', async () => !await ask(0), { every_ms: 5 });
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
