// Whom an edge asks for what: hot keys have more owners and still one fetch, zones, titles, --where.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { get } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { programs } from '../support/program.mjs';
import { fresh, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdges } from '../support/torchrelay.mjs';

let origin;
let edges = [];

afterEach(async () => {
  await cleanUp(...edges, origin);
});

/** As many edges as zones; each is in the one of its place. */
async function start(zones, fleet = {}) {
  origin = await startScriptedOrigin();
  edges = await startEdges(zones.length, origin.url, { settings: { fleet } },
    { member: (i) => ({ zone: zones[i] }) });
}

/** Names of the edges that `--where` lists, the owner first. */
function where(target, edge = edges[0]) {
  const text = execFileSync(path.join(programs, 'torchrelay-edge'),
    ['--config', edge.configPath, '--where', target], { encoding: 'utf8' });
  return [...text.matchAll(/^ +\d+ {2}(?:owner|candidate) +(\S+)/gm)].map((line) => line[1]);
}
const called = (name) => edges.find((edge) => edge.edgeName === name);
/** The first target of `name/…` whose order is accepted. */
function targetWhere(name, accept) {
  for (let i = 0; ; i++) if (accept(where(`/${name}/t${i}`))) return `/${name}/t${i}`;
}
/** Names of the edges that an answer came through, the one nearest to the origin first. */
const hops = (answer) => answer.headers['cache-status'].split(',').map((entry) => entry.split(';')[0].trim());

/** Asks for variants of one object, each of them new; hops of each. */
async function askVariants(edge, target, count) {
  origin.answer(target, (asked, response) => response.writeHead(200, { ...fresh, vary: 'x-kind' })
    .end(`kind ${asked.headers['x-kind']}`));
  const all = [];
  for (let i = 0; i < count; i++) {
    const answer = await get(edge.url + target, { headers: { 'x-kind': `${i}` } });
    assert.equal(answer.text, `kind ${i}`);
    all.push(hops(answer));
  }
  return all;
}

test('the first ones of the order are gone: the next is asked, not the origin', async () => {
  await start(['', '', '', '']);
  const target = '/gone/1';
  const [first, second, third, asker] = where(target);
  origin.answer(target, { headers: fresh, body: 'here' });
  for (const name of [first, second]) {
    called(name).kill();
    await called(name).exited;
  }
  assert.deepEqual(hops(await get(called(asker).url + target)), [third, asker]);
});

test('a hot key gets a second owner by load, and is still fetched once', async () => {
  await start(['', '', '']);
  const target = targetWhere('hot', () => true);
  const [owner, second, asker] = where(target);
  const all = await askVariants(called(asker), target, 40);
  const direct = all.filter((chain) => chain.join() === [owner, asker].join());
  const copied = all.filter((chain) => chain.join() === [owner, second, asker].join());
  assert.equal(direct.length + copied.length, all.length, JSON.stringify(all));
  assert.ok(copied.length >= 10, `${copied.length} of ${all.length} came from the second owner`);
  assert.ok(direct.length >= 10, `${direct.length} of ${all.length} came from the owner`);
  assert.equal(origin.count(target), 40, 'one fetch a variant');
  assert.ok(origin.requests.every((one) => one.headers.via.endsWith(owner)), 'all by the owner');
  const fleet = (await get(`${called(asker).admin}/api/v1/fleet`)).json();
  const asked = Object.fromEntries(fleet.members.map((one) => [one.name, one.asked_lately]));
  assert.equal(asked[owner] + asked[second] + asked[asker], 40);
});

test('what the second owner has it gives by itself', async () => {
  await start(['', '', '', '']);
  const target = targetWhere('kept', () => true);
  const [owner, second, third, asker] = where(target);
  await askVariants(called(asker), target, 40);
  const again = await askVariants(called(third), target, 40);
  const bySecond = again.filter((chain) => chain.join() === [second, third].join());
  assert.ok(bySecond.length > 0, JSON.stringify(again));
  assert.ok(again.every(([holder]) => [owner, second, third].includes(holder)), JSON.stringify(again));
  assert.equal(origin.count(target), 40);
});

test('owners of a hot key in the own zone are asked first', async () => {
  await start(['west', 'west', 'east', 'east']);
  const zone = (name) => (['edge-1', 'edge-2'].includes(name) ? 'west' : 'east');
  const target = targetWhere('zones', (order) => order.map(zone).join() === 'west,west,east,east');
  const [owner, , near, asker] = where(target);
  const all = await askVariants(called(asker), target, 40);
  const byNear = all.filter((chain) => chain.at(-2) === near);
  assert.ok(byNear.length >= 30, `${byNear.length} of 40 were asked of the own zone`);
  assert.ok(all.every((chain) => chain[0] === owner), 'the owner alone fetches');
  assert.equal(origin.count(target), 40);
});

test('spread by title: a title lives on one edge', async () => {
  await start(['', '', ''], { spread: 'title' });
  const owners = new Set();
  for (let title = 0; title < 8; title++) {
    const [owner] = where(`/demo/title-${title}/index.m3u8`);
    owners.add(owner);
    const asker = edges.find((edge) => edge.edgeName !== owner);
    for (const name of ['index.m3u8', 'v1/720p/init.mp4', 'v1/720p/0.m4s', 'v1/360p/0.m4s']) {
      const target = `/demo/title-${title}/${name}`;
      origin.answer(target, { headers: fresh, body: name });
      const answer = await get(asker.url + target);
      assert.equal(answer.text, name);
      assert.deepEqual(hops(answer), [owner, asker.edgeName], target);
    }
  }
  assert.ok(owners.size > 1, 'eight titles are not all on one edge');
});

test('an edge tells who is in its fleet, with which share, and what it holds', async () => {
  await start(['west', 'east', 'east']);
  const target = targetWhere('told', ([owner]) => owner === 'edge-1');
  origin.answer(target, { headers: fresh, body: 'told' });
  await get(edges[0].url + target);
  const told = await until('the object to be held', async () => {
    const fleet = (await get(`${edges[0].admin}/api/v1/fleet`)).json();
    return fleet.holds.objects === 1 && fleet;
  });
  assert.deepEqual([told.name, told.spread, told.holds.bytes], ['edge-1', 'object', 4]);
  assert.deepEqual(told.members.map(({ name, zone, self, up, drain }) => [name, zone, self, up, drain]), [
    ['edge-1', 'west', true, true, false], ['edge-2', 'east', false, true, false],
    ['edge-3', 'east', false, true, false]]);
  for (const { share } of told.members) assert.ok(Math.abs(share - 1 / 3) < 1e-6, `${share}`);  // six decimals are told
  assert.deepEqual(told.members.map((one) => one.asked_lately), [1, 0, 0]);
});

test('--where says what Cache-Status shows, fail-over too', async () => {
  await start(['', '', '', '', '']);
  for (let i = 0; i < 10; i++) {
    const target = `/where/t${i}`;
    origin.answer(target, { headers: fresh, body: target });
    const order = where(edges[i % 5].url + target, edges[i % 5]);
    assert.equal(order.length, 5);
    const asker = called(order[1 + (i % 4)]);
    assert.deepEqual(hops(await get(asker.url + target)), [order[0], asker.edgeName], target);
  }
  const target = targetWhere('over', ([owner]) => owner === 'edge-2');
  origin.answer(target, { headers: fresh, body: target });
  const [owner, next, , , last] = where(target);
  called(owner).kill();
  await called(owner).exited;
  assert.deepEqual(hops(await get(called(last).url + target)), [next, last]);
});
