// System calls that fail under a running edge: the store's writes and syncs, sockets, descriptors.
// It goes on answering, says in its log what is wrong, stores nothing it could not write, and is as
// before when the fault ends.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { makeFaults } from '../support/faults.mjs';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { openAnswer, openRaw, readBytes } from '../support/streaming.mjs';
import { cleanUp, startEdge, temporaryFolder } from '../support/torchrelay.mjs';

let origin, edge, faults, folder;

beforeEach(async () => {
  origin = await startScriptedOrigin();
  folder = temporaryFolder('faults');
  faults = makeFaults(folder);
  edge = await startEdge({ upstream: origin.url, folder, environment: faults.environment, settings: { edge: { threads: 1 } } });
});
afterEach(async () => {
  for (const call of ['write', 'sync', 'open', 'accept', 'socket']) faults.work(call);
  faults.close();
  await cleanUp(edge, origin);
});

const isHit = (answer) => /; hit/.test(answer.headers['cache-status']);
const becomesHit = (path) => until(`${path} to be a hit`, async () => isHit(await get(edge.url + path)), { every_ms: 10 });
const failures = async () => metricValue(await edge.metrics(), 'relay_edge_cache_store_failures_total', { reason: 'disk' });
function offer(path, size) {
  const body = pattern(size, size);
  origin.answer(path, { headers: fresh, body });
  return body;
}

for (const error of ['ENOSPC', 'EIO']) {
  test(`writes of the store fail with ${error}: bodies stream, nothing is kept, and it is over when it is over`, async () => {
    for (let i = 0; i < 60; i++) offer(`/early/${i}`, 200_000);
    for (let i = 0; i < 60; i++) await get(`${edge.url}/early/${i}`);
    await until('60 objects', async () => metricValue(await edge.metrics(), 'relay_edge_cache_objects') === 60);
    const early = pattern(200_000, 200_000), during = offer('/during', 300_000), small = offer('/small', 900);
    faults.fail('write', error);
    for (let round = 1; round <= 3; round++) {
      assert.deepEqual((await get(`${edge.url}/during`)).body, during);
      assert.deepEqual((await get(`${edge.url}/small`)).body, small);
      await until('the store to fail', async () => (await failures()) >= 2 * round);
    }
    assert.ok(faults.failed('write') > 0);
    assert.equal(origin.count('/during'), 3, 'fetched anew each time');
    // A full disk is tried once with some objects less.
    const kept = [];
    for (let i = 0; i < 60; i++) {
      const old = await get(`${edge.url}/early/${i}`);
      assert.deepEqual(old.body, early);
      if (isHit(old)) kept.push(`/early/${i}`);
    }
    assert.ok(kept.length >= 25, `${kept.length} of 60 are still there`);
    assert.match(edge.log(), /level=error .*event="cache cannot write"/);

    faults.work('write');
    await becomesHit('/during');
    await becomesHit('/small');
    edge.kill();
    await edge.exited;
    edge = await edge.restart();
    for (const [path, body] of [[kept[0], early], ['/during', during], ['/small', small]]) {
      const answer = await get(edge.url + path);
      assert.ok(isHit(answer), `${path} is there after a crash`);
      assert.deepEqual(answer.body, body);
    }
  });
}

const reopened = async () => metricValue(await edge.metrics(), 'relay_edge_cache_reopened_total');
for (const times of [1, -1]) {
  test(`a meta page that cannot be written (${times} times): opened anew under a reader, without a restart`, async () => {
    const large = offer('/large', 20_000_000), small = offer('/small', 900);
    await becomesHit('/large');
    await becomesHit('/small');
    const reader = await openAnswer(`${edge.url}/large`);
    const first = await readBytes(reader.incoming, 100_000);

    // Which of the writes is that of the meta page is for LMDB to say: one of the first few.
    let after = 0;
    for (; after < 12 && (await reopened()) === 0; after++) {
      offer(`/during/${after}`, 400_000);
      const before = await failures();
      faults.fail('write', 'EIO', { after, times });
      await get(`${edge.url}/during/${after}`);
      await until('the store to fail, or not to', async () => (await failures()) > before
        || isHit(await get(`${edge.url}/during/${after}`)), { every_ms: 5 });
      faults.work('write');
    }
    assert.ok((await reopened()) > 0, 'LMDB gave a file up');
    assert.match(edge.log(), /level=warn .*event="cache files opened anew"/);

    for (const [path, body] of [['/large', large], ['/small', small]]) {
      const old = await get(edge.url + path);
      assert.ok(isHit(old), `${path} is still there`);
      assert.deepEqual(old.body, body);
    }
    const late = offer('/late', 400_000);
    await becomesHit('/late');
    const rest = await reader.whole();
    assert.ok(Buffer.concat([first, rest.body]).equals(large), 'who was reading has the right bytes');

    edge.kill();
    await edge.exited;
    edge = await edge.restart();
    for (const [path, body] of [['/large', large], ['/small', small], ['/late', late]]) {
      const kept = await get(edge.url + path);
      assert.ok(isHit(kept), `${path} is there after a crash`);
      assert.deepEqual(kept.body, body);
    }
  });
}

test('somebody cuts the files of the store off: the edge goes on, and begins anew when it is restarted', async () => {
  const sizes = { small: 900, medium: 200_000, large: 3_000_000 };
  const bodies = {};
  for (const [name, size] of Object.entries(sizes)) {
    for (let i = 0; i < 6; i++) bodies[`/${name}/${i}`] = offer(`/${name}/${i}`, size);
  }
  for (const path of Object.keys(bodies)) await becomesHit(path);
  for (const name of Object.keys(sizes)) {
    const [file] = fs.readdirSync(folder, { recursive: true }).filter((each) => each.endsWith(`${name}/data.mdb`));
    fs.truncateSync(path.join(folder, file), 8192);
  }
  for (const [asked, body] of Object.entries(bodies)) {
    // One client may see its answer broken off; nobody a wrong byte.
    await until(`${asked} to be answered`, async () => {
      const answer = await request(edge.url + asked).catch(() => null);
      if (answer) assert.deepEqual(answer.body, body);
      return answer?.status === 200;
    }, { every_ms: 5 });
  }
  const late = offer('/late', 5_000);
  for (let i = 0; i < 3; i++) assert.deepEqual((await get(`${edge.url}/late`)).body, late);
  assert.equal((await request(`${edge.admin}/healthz`)).status, 200);
  await until('the log to say so', () => /level=error .*event="cache stores nothing until a restart"/.test(edge.log()));
  assert.equal((await edge.stop()).code, 0);
  edge = await edge.restart();
  for (const asked of ['/small/0', '/medium/0', '/large/0', '/late']) await becomesHit(asked);
});

test('a store that fails in the middle of a commit keeps what was whole before', async () => {
  const early = offer('/early', 200_000), late = offer('/late', 400_000);
  await becomesHit('/early');
  for (let after = 0; after < 6; after++) {
    faults.fail('write', 'EIO', { after, times: 1 });
    assert.deepEqual((await get(`${edge.url}/late`)).body, late);
    await until('the fault to strike', () => faults.failed('write') > 0, { deadline_ms: 2_000 }).catch(() => {});
    const old = await get(`${edge.url}/early`);
    assert.deepEqual(old.body, early);
  }
  faults.work('write');
  edge.kill();
  await edge.exited;
  edge = await edge.restart();
  assert.deepEqual((await get(`${edge.url}/early`)).body, early);
  assert.deepEqual((await get(`${edge.url}/late`)).body, late);
  await becomesHit('/late');
});

test('a disk that takes nothing any more does not hold up the end', async () => {
  for (const path of ['/kept', '/gone']) {
    offer(path, 5_000);
    await becomesHit(path);
  }
  faults.fail('write', 'EIO');
  await request(`${edge.url}/gone`, { method: 'DELETE' });  // what has to leave the disk cannot
  assert.ok(isHit(await get(`${edge.url}/kept`)));
  await until('the store to fail', () => faults.failed('write') > 0);
  assert.equal((await edge.stop()).code, 0);
  faults.work('write');
  edge = await edge.restart();
  assert.ok(isHit(await get(`${edge.url}/kept`)));
});

test('a purge that cannot be synced is not acknowledged, and is in force all the same', async () => {
  offer('/page', 5_000);
  await becomesHit('/page');
  const purge = () => request(`${edge.admin}/purge`, { method: 'POST', body: '{"url":"/page"}' });
  faults.fail('sync', 'EIO');
  const refused = await purge();
  assert.ok(refused.status >= 500, `${refused.status} ${refused.text}`);
  assert.ok(faults.failed('sync') > 0);
  assert.ok(!isHit(await get(`${edge.url}/page`)));
  faults.work('sync');
  assert.equal((await purge()).status, 200);
  await becomesHit('/page');
});

test('no descriptor for upstream: 502, hits go on, and it is over when it is over', async () => {
  offer('/kept', 5_000);
  offer('/new', 5_000);
  await becomesHit('/kept');
  await origin.close();  // so that no pooled connection is left
  await origin.reopen();
  faults.fail('socket', 'EMFILE');
  const refused = await request(`${edge.url}/new`);
  assert.equal(refused.status, 502, refused.text);
  assert.ok(isHit(await get(`${edge.url}/kept`)));
  assert.ok(faults.failed('socket') > 0);
  faults.work('socket');
  await get(`${edge.url}/new`);
});

for (const error of ['EMFILE', 'ENFILE', 'ENOBUFS']) {
  test(`accept fails with ${error}: open connections are served, new ones later`, async () => {
    offer('/kept', 5_000);
    await becomesHit('/kept');
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await get(`${edge.url}/kept`, { agent });
    faults.fail('accept', error);
    const waiting = get(`${edge.url}/kept`);
    await until('accept to fail', () => faults.failed('accept') > 0);
    for (let i = 0; i < 3; i++) assert.ok(isHit(await get(`${edge.url}/kept`, { agent })));
    faults.work('accept');
    assert.ok(isHit(await waiting), 'who came meanwhile is taken as well');
    agent.destroy();
  });
}

test('descriptors really run out: those inside are served, the others wait for their turn', async () => {
  offer('/kept', 5_000);
  const tight = await startEdge({ upstream: origin.url, descriptors: 100, settings: { edge: { threads: 1 } } });
  try {
    await until('a hit', async () => isHit(await get(`${tight.url}/kept`)), { every_ms: 10 });
    const inside = await openRaw(tight.port);
    const ask = 'GET /kept HTTP/1.1\r\nHost: h\r\n\r\n';
    inside.send(ask);
    await until('the first answer', () => inside.text().length > 5_000);
    const crowd = Array.from({ length: 120 }, () => net.connect(tight.port, '127.0.0.1').on('error', () => {}));
    await until('the log to say so', () => /event="cannot take a connection"/.test(tight.log()));
    inside.send(ask);
    await until('the second answer', () => inside.text().length > 10_000);
    for (const socket of crowd) socket.destroy();
    await until('a new connection', async () => (await request(`${tight.url}/kept`)).status === 200);
    inside.socket.destroy();
  } finally {
    await cleanUp(tight);
  }
});
