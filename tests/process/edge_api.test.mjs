// The origin's API and console through an edge, which is a reverse proxy for all of its upstream:
// it works there too, and nothing that a key opens is ever given to somebody without it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asset, remove, upload, waitForState } from '../support/broadcaster.mjs';
import { request } from '../support/http.mjs';
import { photo } from '../support/media.mjs';
import { openAnswer } from '../support/streaming.mjs';
import { startFleet } from '../support/torchrelay.mjs';

let fleet;
let edge;  // what the helpers of a broadcaster need of an origin, at an edge's address

before(async () => {
  fleet = await startFleet(2, { origin: { tenants: { demo: 'demo-key', other: 'other-key' } } });
  edge = { url: fleet.edges[0].url, authorization: fleet.origin.authorization };
});
after(() => fleet?.cleanUp());

const call = (path, key) => request(`${edge.url}/api/v1/${path}`,
  { headers: key ? { authorization: `Bearer ${key}` } : {} });

test('an asset lives through an edge as it does at the origin, and each answer is new', async () => {
  assert.equal((await call('demo/assets/podium', 'demo-key')).status, 404);
  const stored = await upload(edge, 'demo/photos/podium', photo({ size: '640x360' }));
  assert.equal(stored.status, 201, stored.text);
  await waitForState(edge, 'demo/podium', 'ready');
  const changed = await request(`${edge.url}/api/v1/demo/assets/podium`,
    { method: 'PATCH', headers: edge.authorization('demo'), body: '{"title": "Podium"}' });
  assert.equal(changed.status, 200, changed.text);
  assert.equal((await asset(edge, 'demo/podium')).title, 'Podium');
  assert.equal((await remove(edge, 'demo/podium')).status, 200);
  assert.equal((await call('demo/assets/podium', 'demo-key')).status, 404);
});

test('what a key opens stays behind it, whoever asked before', async () => {
  await upload(edge, 'demo/photos/secret', photo({ size: '640x360' }));
  for (const path of ['demo/assets', 'demo/assets/secret', 'demo/assets?kind=photo']) {
    for (let i = 0; i < 2; i += 1) {
      const opened = await call(path, 'demo-key');
      assert.equal(opened.status, 200, path);
      assert.doesNotMatch(opened.headers['cache-status'], /; hit|; stored/, path);
      assert.match(opened.headers['cache-control'], /no-store/, path);
    }
    assert.equal((await call(path)).status, 401, path);
    assert.equal((await call(path, 'wrong')).status, 401, path);
    assert.equal((await call(path, 'other-key')).status, 403, path);
    assert.equal((await call(path, 'demo-key')).status, 200, `${path}: refusals are not kept`);
  }
});

test('refusals and problems are not kept either', async () => {
  for (const [path, key, status] of [['demo/assets/none', 'demo-key', 404], ['demo/nothing', 'demo-key', 404],
    ['demo/assets?kind=song', 'demo-key', 400], ['demo/assets', undefined, 401]]) {
    for (let i = 0; i < 2; i += 1) {
      const answer = await call(path, key);
      assert.equal(answer.status, status, path);
      assert.match(answer.headers['cache-control'] ?? '', /no-store/, path);
      assert.doesNotMatch(answer.headers['cache-status'], /; hit|; stored/, path);
    }
  }
});

test('events arrive through an edge while they happen', async (t) => {
  const stream = await openAnswer(`${edge.url}/api/v1/demo/events`, { headers: edge.authorization('demo') });
  t.after(() => stream.leave());
  assert.equal(stream.status, 200);
  await upload(edge, 'demo/photos/event', photo({ size: '640x360' }));
  let told = '';
  for await (const piece of stream.incoming) {
    told += piece;
    if (/"asset":"event".*"state":"ready"/.test(told)) break;
  }
  assert.match(told, /"asset":"event"/);
});

test('a body that is too large for an edge is refused with the reason', async () => {
  const answer = await upload(edge, 'demo/videos/large', Buffer.alloc(2 << 20));
  assert.equal(answer.status, 413);
  assert.match(answer.json().detail, /origin|larger/);
});
