// The origin's API as a broadcaster sees it: who may do what, what is refused and why, listing,
// events, deletion. No transcoder is there: every job fails, which none of this depends on.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { asset, remove, upload, uploadChunked, waitForState } from '../support/broadcaster.mjs';
import { listen } from '../support/events.mjs';
import { metricValue, request, sha256 } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { openRaw } from '../support/streaming.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';

const tenants = { demo: 'demo-key', other: 'other-key' };
let origin;

before(async () => {
  origin = await startOrigin({
    tenants,
    settings: { jobs: { transcoder: '/bin/false' }, uploads: { size_max: '1MiB', free_space_min: '1MiB' } },
  });
});

after(() => cleanUp(origin));

const bytes = (text) => Buffer.from(text);
const call = (method, path, { key = 'demo-key', headers = {}, body } = {}) =>
  request(`${origin.url}/api/v1/${path}`, {
    method, body, headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
  });

function assertProblem(response, status, words) {
  assert.equal(response.status, status, response.text);
  assert.equal(response.headers['content-type'], 'application/problem+json');
  const problem = response.json();
  assert.equal(problem.status, status);
  assert.match(problem.detail, words);
}

test('without a valid key nothing is told', async () => {
  for (const path of ['demo/assets', 'demo/assets/x', 'demo/events', 'demo/nothing', 'nobody/assets']) {
    const none = await call('GET', path, { key: null });
    assertProblem(none, 401, /key/);
    assert.equal(none.headers['www-authenticate'], 'Bearer');
    assertProblem(await call('GET', path, { key: 'wrong' }), 401, /not valid/);
    assertProblem(await call('GET', path, { key: 'other-key' }), 403, /not for tenant/);
  }
  assertProblem(await upload({ ...origin, authorization: () => ({}) }, 'demo/videos/x', bytes('x')), 401, /key/);
});

test('what is wrong is named', async () => {
  assertProblem(await call('GET', 'demo/assets/none'), 404, /no asset 'none'/);
  assertProblem(await call('GET', 'demo/nothing'), 404, /nothing at this address/);
  assertProblem(await call('GET', 'demo/assets?colour=red'), 400, /unknown query parameter 'colour'; allowed are kind/);
  assertProblem(await call('GET', 'demo/assets?kind=song'), 400, /allowed are video, photo/);
  assertProblem(await call('GET', 'demo/assets?limit=0'), 400, /from 1 to/);
  assertProblem(await call('PUT', 'demo/videos/a%20b', { body: 'x' }), 400, /a b/);
  assertProblem(await call('PUT', `demo/videos/${'a'.repeat(65)}`, { body: 'x' }), 400, /64/);
  assertProblem(await call('PUT', 'demo/videos/x?titel=T', { body: 'x' }), 400, /allowed are title, tag/);
  assertProblem(await call('PUT', 'demo/video/x', { body: 'x' }), 404, /\/videos\/\{asset\}/);
  assertProblem(await call('POST', 'demo/videos/x', { body: 'x' }), 405, /curl -T/);
  const form = { 'content-type': 'multipart/form-data; boundary=x' };
  assertProblem(await call('PUT', 'demo/videos/x', { headers: form, body: '--x--' }), 415, /curl -T/);
  const method = await call('POST', 'demo/assets');
  assertProblem(method, 405, /GET/);
  assert.equal(method.headers.allow, 'GET, HEAD');
});

test('wrong JSON is refused with the place', async () => {
  await upload(origin, 'demo/videos/json', bytes('json'));
  assertProblem(await call('PATCH', 'demo/assets/json', { body: '{\n  "title": ?' }), 400, /line 2, column 12/);
  assertProblem(await call('PATCH', 'demo/assets/json', { body: '{"colour": 1}' }), 400, /column 2.*allowed are title, tags/);
  const large = JSON.stringify({ title: 'a'.repeat(70_000) });
  assertProblem(await call('PATCH', 'demo/assets/json', { body: large }), 413, /larger than the 65536 bytes/);
  const changed = await call('PATCH', 'demo/assets/json', { body: '{"title": "Größe", "tags": ["a"]}' });
  assert.equal(changed.status, 200, changed.text);
  assert.equal(changed.json().title, 'Größe');
  assert.deepEqual((await asset(origin, 'demo/json')).tags, ['a']);
});

test('an upload is answered with its asset, and the same again changes nothing', async () => {
  const created = await upload(origin, 'demo/videos/same?title=The%20final&tag=sport&tag=live', bytes('same'));
  assert.equal(created.status, 201, created.text);
  assert.equal(created.headers.location, '/api/v1/demo/assets/same');
  const first = created.json();
  assert.equal(first.title, 'The final');
  assert.deepEqual(first.tags, ['sport', 'live']);
  assert.equal(first.sha256, sha256('same'));
  assert.equal(first.bytes, 4);
  const again = await upload(origin, 'demo/videos/same', bytes('same'));
  assert.ok([200, 202].includes(again.status), 'unchanged, or tried again when it had failed');
  assert.equal(again.json().title, 'The final');
  const other = await upload(origin, 'demo/videos/same', bytes('other'));
  assert.equal(other.status, 202, other.text);
  assert.notEqual(other.json().version, first.version);
});

test('a name belongs to one kind', async () => {
  await upload(origin, 'demo/videos/kind', bytes('kind'));
  assertProblem(await upload(origin, 'demo/photos/kind', bytes('kind')), 409, /is a video; delete it first/);
});

test('a digest that does not hold is refused', async () => {
  const digest = (text) => `sha-256=:${createHash('sha256').update(text).digest('base64')}:`;
  const wrong = await upload(origin, 'demo/videos/digest', bytes('digest'), { 'content-digest': digest('other') });
  assertProblem(wrong, 400, /do not match the digest/);
  assertProblem(await upload(origin, 'demo/videos/digest', bytes('digest'), { 'repr-digest': 'sha-256=x' }), 400, /base64/);
  assertProblem(await call('GET', 'demo/assets/digest'), 404, /no asset/);
  const right = await upload(origin, 'demo/videos/digest', bytes('digest'), { 'repr-digest': digest('digest') });
  assert.equal(right.status, 201, right.text);
});

test('empty and too large uploads are refused, whether their length is told or not', async () => {
  assertProblem(await upload(origin, 'demo/videos/empty', bytes('')), 400, /empty/);
  const large = Buffer.alloc((1 << 20) + 1);
  assertProblem(await upload(origin, 'demo/videos/large', large), 413, /1048576 bytes/);
  assertProblem(await uploadChunked(origin, 'demo/videos/large', large), 413, /1048576 bytes/);
  assert.equal((await uploadChunked(origin, 'demo/videos/fits', large.subarray(1))).status, 201);
});

test('an upload that trickles or stands still is ended with an answer and leaves nothing; one that is only slow is taken', { timeout: 120_000 }, async () => {
  const port = new URL(origin.url).port;
  const begin = (name, length) => openRaw(port, `PUT /api/v1/demo/videos/${name} HTTP/1.1\r\nHost: h\r\n` +
    `Authorization: Bearer demo-key\r\nContent-Length: ${length}\r\n\r\n`);
  const [trickle, slow] = [await begin('trickle', 100_000), await begin('slow', 100_000)];
  const still = await begin('still', 100_000);
  still.send('some of it');
  let left = 100_000, ended = false;
  trickle.closed.then(() => { ended = true; });
  const timer = setInterval(() => {
    if (trickle.socket.writable) trickle.send('x'.repeat(24));
    if (left > 0) slow.send('x'.repeat(Math.min(left, 2_000)));
    left -= 2_000;
  }, 500);
  try {
    await until('the trickle to be ended', () => ended, { deadline_ms: 90_000 });
    await until('the slow one to be answered', () => /^HTTP\/1\.1 20\d /.test(slow.text()), { deadline_ms: 60_000 });
    for (const [name, peer, why] of [['trickle', trickle, /too slowly/], ['still', still, /stalled/]]) {
      await until(`the answer to ${name}`, () => why.test(peer.text()), { deadline_ms: 60_000 });
      assert.match(peer.text(), /^HTTP\/1\.1 408 /);
      assertProblem(await call('GET', `demo/assets/${name}`), 404, /no asset/);
    }
  } finally {
    clearInterval(timer);
    trickle.socket.destroy();
    slow.socket.destroy();
    still.socket.destroy();
  }
  await remove(origin, 'demo/slow');
});

test('assets are listed by page, kind, text and tag', async () => {
  for (const [name, query] of [['p-a', 'tag=x'], ['p-b', 'title=Needle'], ['p-c', 'tag=x']]) {
    assert.equal((await upload(origin, `other/photos/${name}?${query}`, bytes(name))).status, 201);
  }
  await upload(origin, 'other/videos/v-a?tag=x', bytes('v'));
  const names = async (query) => {
    const page = (await call('GET', `other/assets?${query}`, { key: 'other-key' })).json();
    return [page.assets.map((each) => each.asset).join(' '), page.cursor];
  };
  assert.deepEqual(await names('limit=2'), ['p-a p-b', 'p-b']);
  assert.deepEqual(await names('limit=2&cursor=p-b'), ['p-c v-a', null]);
  assert.deepEqual(await names('kind=photo&tag=x'), ['p-a p-c', null]);
  assert.deepEqual(await names('q=needle'), ['p-b', null]);
});

test('every change is told to those who listen, and later to those who come back', async () => {
  const live = listen(origin, 'demo');
  await live.ready;
  await upload(origin, 'demo/videos/told', bytes('told'));
  await upload(origin, 'other/videos/secret', bytes('secret'));
  await remove(origin, 'demo/told');
  const of = (events) => events.filter(({ data }) => data.asset === 'told');
  await until('the deletion to be told', () => of(live.events).some(({ data }) => data.state === 'deleted'));
  live.close();
  const told = of(live.events).filter(({ id }) => id);
  assert.equal(told[0].data.state, 'queued');
  assert.equal(told.at(-1).event, 'deleted');
  assert.ok(!live.events.some(({ data }) => data.tenant === 'other'), 'another tenant is never told');
  const back = listen(origin, 'demo', { 'last-event-id': told[0].id });
  await until('the missed deletion', () => of(back.events).some(({ data }) => data.state === 'deleted'));
  back.close();
  assert.ok(back.events.every(({ id }) => Number(id) > Number(told[0].id)), 'nothing is told twice');
  const stranger = listen(origin, 'demo', { 'last-event-id': '999999' });
  await until('to be told to start over', () => stranger.events.some(({ event }) => event === 'reset'));
  stranger.close();
});

test('a deleted asset is gone, and its name is free', async () => {
  await upload(origin, 'demo/photos/gone', bytes('gone'));
  const deleted = await remove(origin, 'demo/gone');
  assert.equal(deleted.status, 200, deleted.text);
  assert.deepEqual(deleted.json().edges, []);
  assertProblem(await call('GET', 'demo/assets/gone'), 404, /no asset/);
  assertProblem(await remove(origin, 'demo/gone'), 404, /no asset/);
  assert.equal((await upload(origin, 'demo/videos/gone', bytes('gone'))).status, 201);
});

test('the watch page is 404 where there is nothing, and there for what is not ready', async () => {
  const watch = async (name) => {
    const { status, headers, text } = await request(`${origin.url}/watch/${name}`);
    assert.match(headers['content-type'], /^text\/html/);
    return { status, says: /<title>There is nothing at this address/.test(text) };
  };
  for (const name of ['demo/unseen', 'nobody/unseen', `demo/${'a'.repeat(65)}`]) {
    assert.deepEqual(await watch(name), { status: 404, says: true }, name);
  }
  await upload(origin, 'demo/videos/unseen', bytes('bytes of unseen'));
  assert.deepEqual(await watch('demo/unseen'), { status: 200, says: false });
  assert.deepEqual(await watch('demo/%75nseen'), { status: 200, says: false }, 'however it is spelled');
  await remove(origin, 'demo/unseen');
  assert.deepEqual(await watch('demo/unseen'), { status: 404, says: true });
});

test('a job that cannot run ends failed with a reason', async () => {
  await upload(origin, 'demo/videos/failing', bytes('failing'));
  const failed = await waitForState(origin, 'demo/failing', ({ state }) => state === 'failed');
  assert.ok(failed.error.length > 10, failed.error);
  assert.equal(failed.playback, null);
});

test('every request is counted once', async () => {
  const count = async () => metricValue(await origin.metrics(), 'origin_responses_total', { class: '4xx' });
  const earlier = await count();
  await call('GET', 'demo/assets/none');
  await request(`${origin.url}/demo/none/index.m3u8`);
  await until('two more', async () => (await count()) === earlier + 2);
});
