// A deletion reaches every edge: at once where it is confirmed, and as soon as an edge is back where
// it is not.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { remove, upload, waitForState } from '../support/broadcaster.mjs';
import { request } from '../support/http.mjs';
import { photo } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { startFleet } from '../support/torchrelay.mjs';

let fleet;

before(async () => { fleet = await startFleet(2); });
after(() => fleet?.cleanUp());

async function publish(name) {
  const stored = await upload(fleet.origin, `demo/photos/${name}`, photo({ size: '640x360' }));
  assert.equal(stored.status, 201, stored.text);
  const ready = await waitForState(fleet.origin, `demo/${name}`, 'ready');
  const path = ready.renditions[0].jpeg;
  for (const edge of fleet.edges) assert.equal((await request(edge.url + path)).status, 200);
  return path;
}

const confirmations = (deleted) =>
  Object.fromEntries(deleted.json().edges.map(({ edge, confirmed }) => [edge, confirmed]));

test('what was deleted is gone from every edge before the answer', async () => {
  const path = await publish('gone');
  const deleted = await remove(fleet.origin, 'demo/gone');
  assert.equal(deleted.status, 200, deleted.text);
  assert.deepEqual(confirmations(deleted),
    Object.fromEntries(fleet.edges.map((edge) => [edge.admin, true])));
  for (const program of [...fleet.edges, fleet.origin]) {
    assert.equal((await request(program.url + path)).status, 404);
  }
});

test('an edge that was down forgets when it is back', async () => {
  const path = await publish('later');
  const [up, down] = fleet.edges;
  down.kill();
  await down.exited;
  const deleted = await remove(fleet.origin, 'demo/later');
  assert.deepEqual(confirmations(deleted), { [up.admin]: true, [down.admin]: false });
  assert.equal((await request(up.url + path)).status, 404);
  fleet.edges[1] = await down.restart();
  try {
    await until('the edge to have forgotten', async () =>
      (await request(fleet.edges[1].url + path)).status === 404);
  } finally {
    await fleet.edges[1].stop();
  }
});
