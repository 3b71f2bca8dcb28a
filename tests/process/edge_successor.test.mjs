// The owner of a key dies in the middle of a body. Whoever owns the key next goes on from the bytes that
// some edge holds, so the origin sends each byte about once.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { afterEach, test } from 'node:test';
import { countedBody } from '../support/counted_body.mjs';
import { get, metricValue } from '../support/http.mjs';
import { ownersOf } from '../support/owners.mjs';
import { until } from '../support/poll.mjs';
import { purge } from '../support/purging.mjs';
import { pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { openAnswer } from '../support/streaming.mjs';
import { cleanUp, startEdges } from '../support/torchrelay.mjs';

const size = 8 << 20;
const body = pattern(size, 3);
const part = Math.floor(0.6 * size);
const about_one_body = 1.1 * size;
const path = '/match/7.m4s';

let origin;
let edges;
let owner, successor, third, fourth;
let counted;

afterEach(async () => {
  await cleanUp(...edges, origin);
});

async function start(fleet = {}) {
  origin = await startScriptedOrigin();
  edges = await startEdges(4, origin.url, { settings: { fleet } });
  [owner, successor, third, fourth] = ownersOf(edges[0], path)
    .map((name) => edges.find((edge) => edge.edgeName === name));
  counted = countedBody(body);
  counted.hold(1, part);
  origin.answer(path, counted.script);
}

/** A viewer that reads as fast as it gets: {received(), ended}, the latter with all that came. */
async function view(edge) {
  const { incoming } = await openAnswer(edge.url + path);
  const pieces = [];
  let bytes = 0;
  incoming.on('data', (piece) => {
    pieces.push(piece);
    bytes += piece.length;
  });
  const ended = new Promise((done) => {
    incoming.on('close', () => done({ body: Buffer.concat(pieces), complete: incoming.complete }));
  });
  return { received: () => bytes, ended };
}
/** Viewers of these edges, `each` a piece, that have got all that the origin has sent until now. */
async function watch(some, each = 1) {
  const viewers = await Promise.all(some.flatMap((edge) => Array.from({ length: each }, () => view(edge))));
  await until('all to have the beginning', () => viewers.every(({ received }) => received() >= part), { every_ms: 5 });
  return viewers;
}
async function assertWhole(viewers) {
  for (const got of await Promise.all(viewers.map(({ ended }) => ended))) {
    assert.ok(got.complete && got.body.equals(body), `${got.body.length} bytes`);
  }
}
const taken = async (edge) => metricValue(await edge.metrics(), 'relay_edge_beginnings_total');
const isStored = (edge) => until('it to be stored', async () =>
  new RegExp(`${edge.edgeName}; hit`).test((await get(edge.url + path)).headers['cache-status']));

for (const signal of ['SIGKILL', 'SIGSTOP']) {
  test(`${signal}, the successor holds nothing: the beginning comes from a member, the rest from the origin`, async () => {
    await start({ probe_interval: '200ms' });
    const viewers = await watch([third], 3);
    owner.signal(signal);
    await assertWhole(viewers);
    assert.deepEqual(counted.asked(), ['200 whole', `206 bytes=${part}-`]);
    assert.equal(counted.answers[1].ifRange, '"one"');
    assert.equal(counted.sent(), size);
    assert.equal(await taken(successor), 1);
    await isStored(successor);
    assert.ok((await get(successor.url + path)).body.equals(body));
    assert.equal(counted.answers.length, 2, 'and it is kept there');
  });
}

test('viewers on all members: about one body in all', async () => {
  await start();
  const viewers = await watch([successor, third, fourth], 5);
  const lost = await watch([owner]);
  owner.kill();
  await assertWhole(viewers);
  assert.equal((await lost[0].ended).complete, false);
  assert.ok(counted.sent() <= about_one_body, `${counted.sent()} bytes of ${size}`);
  assert.equal(counted.asked()[0], '200 whole');
  assert.ok(counted.asked().slice(1).every((each) => each.startsWith('206')), `${counted.asked()}`);
});

test('two members hold beginnings, the successor none', async () => {
  await start();
  const viewers = await watch([third, fourth], 2);
  owner.kill();
  await assertWhole(viewers);
  assert.ok(counted.sent() <= about_one_body, `${counted.sent()} bytes of ${size}`);
});

/** One thread takes the signal, and stops the others when it runs. */
async function pause(edge) {
  edge.signal('SIGSTOP');
  const threads = `/proc/${edge.pid}/task`;
  const stopped = (thread) => /^State:\s+T/m.test(fs.readFileSync(`${threads}/${thread}/status`, 'utf8'));
  await until('all its threads to stop', () => fs.readdirSync(threads).every(stopped), { every_ms: 5 });
}

test('the successor has begun anew when a member comes that holds more', async () => {
  await start({ probe_interval: '10s' });  // a member that is stopped for a moment is not held for dead
  counted.hold(2, 300_000, 400_000);
  const viewers = await watch([third]);
  await pause(third);
  owner.kill();
  await owner.exited;
  const early = await view(successor);
  await until('the origin to be asked again', () => counted.answers.length === 2, { every_ms: 5 });
  third.signal('SIGCONT');
  // The rest is asked for by a member: its offer is there with it. The origin then sends one piece more.
  await until('the rest to be asked for', async () =>
    metricValue(await third.metrics(), 'relay_edge_flights_resumed_total') === 1);
  counted.release(2);
  await assertWhole([...viewers, early]);
  assert.equal(counted.asked()[2], `206 bytes=${part}-`);
  assert.ok(counted.sent() <= about_one_body, `${counted.sent()} bytes of ${size}`);
});

test('the body has another version by now: whoever began with the old one is cut off, nothing is mixed', async () => {
  await start();
  const viewers = await watch([third]);
  counted.body = pattern(size, 4);
  counted.etag = '"two"';
  owner.kill();
  const got = await viewers[0].ended;
  assert.equal(got.complete, false);
  assert.ok(got.body.equals(body.subarray(0, got.body.length)));
  const whole = await until('the new one', async () => {
    const answer = await get(third.url + path);
    return answer.body.equals(counted.body) && answer;
  });
  assert.equal(whole.headers.etag, '"two"');
  assert.equal(await taken(successor), 0);
});

test('it was purged meanwhile: no edge goes on from what was before', async () => {
  await start();
  const viewers = await watch([third]);
  assert.equal((await purge(successor, { url: path })).status, 200);
  const after = counted.answers.length;
  counted.body = pattern(size, 5);  // under the same ETag: only who asks for the whole gets it right
  owner.kill();
  await viewers[0].ended;
  for (const edge of [successor, third, fourth]) assert.ok((await get(edge.url + path)).body.equals(counted.body));
  assert.equal(await taken(successor), 0);
  assert.ok(counted.asked().slice(after).some((each) => each === '200 whole'));
});

const holdsIt = async (edge) =>
  (await get(`${edge.admin}/api/v1/cache`)).json().some.some(({ key }) => key === path);
/** These hold it whole from now on, and the successor only if it is among them. */
async function letHold(some) {
  for (const edge of some) {
    await get(edge.url + path);
    await until('it to be held', () => holdsIt(edge), { every_ms: 5 });
  }
  assert.equal(await holdsIt(successor), some.includes(successor));
}

test('two members hold it whole when the owner dies: the successor has it from one of them', async () => {
  await start();
  counted.release(1);
  await letHold([third, fourth]);
  owner.kill();
  await owner.exited;
  for (const edge of [successor, third, fourth]) assert.ok((await get(edge.url + path)).body.equals(body));
  await until('it to be held by the successor', () => holdsIt(successor), { every_ms: 5 });
  assert.deepEqual(counted.asked(), ['200 whole'], 'the origin does not notice');
});

for (const [what, holding, expected] of [
  ['every member holds it: it is confirmed once', () => edges, [304, '"one"']],
  ['but the successor all hold it: it is fetched once', () => [owner, third, fourth], [200, undefined]],
]) {
  test(`it is stale when the owner dies, ${what}`, async () => {
    await start();
    const small = countedBody(pattern(20_000, 6), { headers: { age: '600' } });
    origin.answer(path, small.script);
    await letHold(holding());
    const before = small.answers.length;
    small.headers = {};  // whoever asks now has it confirmed for a while
    owner.kill();
    await owner.exited;
    const asking = [third, fourth].flatMap((edge) => Array.from({ length: 10 }, () => get(edge.url + path)));
    for (const answer of await Promise.all(asking)) assert.ok(answer.body.equals(small.body));
    assert.ok((await get(successor.url + path)).body.equals(small.body));
    assert.deepEqual(small.answers.slice(before).map(({ status, ifNoneMatch }) => [status, ifNoneMatch]), [expected]);
  });
}
