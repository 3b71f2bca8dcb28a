// Files of a store that were damaged while the edge was down, by bits that flipped and pages that
// were torn or lost: what is damaged is fetched anew, and where nothing tells any more what was
// purged, everything is.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { get, request } from '../support/http.mjs';
import { randomness } from '../support/http_grammar.mjs';
import { until } from '../support/poll.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

let origin, edge;

beforeEach(async () => {
  origin = await startScriptedOrigin();
  edge = await startEdge({ upstream: origin.url });
});
afterEach(async () => {
  await cleanUp(edge, origin);
});

const isHit = (answer) => /; hit/.test(answer.headers['cache-status']);
const warm = (address) => until(`${address} to be a hit`, async () => isHit(await get(edge.url + address)), { every_ms: 5 });
const fileOf = (...names) => path.join(edge.folder, 'cache', ...names);

const bodies = new Map();
for (let i = 0; i < 24; i++) bodies.set(`/o${i}`, pattern([300, 9_000, 90_000, 900_000][i % 4] + i, i + 1));
async function fill() {
  for (const [address, body] of bodies) {
    origin.answer(address, { headers: fresh, body });
    await warm(address);
  }
}

/** While the edge is down. */
function change(file, how) {
  const bytes = fs.readFileSync(file);
  how(bytes);
  fs.writeFileSync(file, bytes);
}

for (const way of ['kill', 'stop']) {
  test(`after ${way === 'kill' ? 'kill -9' : 'SIGTERM'} flipped bits of bodies are misses`, async () => {
    await fill();
    await edge[way]();
    await edge.exited;
    const damaged = ['/o4', '/o1', '/o2', '/o3'];
    for (const [i, address] of damaged.entries()) {
      const body = bodies.get(address), within = body.length >> 1;
      change(fileOf(['small', 'small', 'medium', 'large'][i], 'data.mdb'), (bytes) => {
        const at = bytes.indexOf(body.subarray(within, within + 100));
        assert.ok(at > 0, address);
        bytes[at] ^= 1 << i;
      });
    }
    edge = await edge.restart();
    for (const [address, body] of bodies) {
      const answer = await get(edge.url + address);
      assert.ok(answer.body.equals(body), `${address}: wrong bytes`);
      assert.equal(isHit(answer), !damaged.includes(address), address);
    }
  });
}

test('an edge lives with whatever was written over the pages of its store', { timeout: 240_000 }, async () => {
  await fill();
  const random = randomness(20260726);
  for (let round = 0; round < 40; round++) {
    await edge[random.chance(0.5) ? 'kill' : 'stop']();
    await edge.exited;
    for (let times = 0; times < 3; times++) {
      change(fileOf(random.pick(['small', 'medium', 'large', 'purges']), 'data.mdb'), (bytes) => {
        const pages = bytes.length >> 12, page = random.below(pages) << 12, other = random.below(pages) << 12;
        const noise = Buffer.from(Array.from({ length: 4096 }, () => random.below(256)));
        if (random.chance(0.5)) bytes[page + random.below(random.pick([32, 4096]))] ^= 1 << random.below(8);
        else if (random.chance(0.5)) bytes.copy(bytes, page, other, other + 4096);
        else noise.copy(bytes, page);
      });
    }
    edge = await edge.restart();
    for (const [address, body] of bodies) assert.ok((await get(edge.url + address)).body.equals(body), `${address} in round ${round}`);
    await request(`${edge.admin}/purge`, { method: 'POST', body: JSON.stringify({ url: `/o${round % bodies.size}` }) });
  }
});

test('a log of purges that was damaged empties the store', async () => {
  await fill();
  const purged = await request(`${edge.admin}/purge`, { method: 'POST', body: '{"url":"/o2"}' });
  assert.equal(purged.status, 200);
  edge.kill();
  await edge.exited;
  change(fileOf('purges', 'redo'), (bytes) => { bytes[8] ^= 4; });  // in the number of the only record
  edge = await edge.restart();
  assert.match(edge.log(), /purge journal set aside/);
  assert.match(edge.log(), /cache emptied: nothing tells what was purged/);
  for (const [address, body] of bodies) {
    const answer = await get(edge.url + address);
    assert.ok(answer.body.equals(body) && !isHit(answer), address);
  }
});
