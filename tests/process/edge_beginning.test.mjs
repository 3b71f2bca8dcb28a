// A member that asks for the rest of a body says that it holds the beginning: an edge that has nothing of
// it takes it from there, under one strong ETag only, and the rest from the origin. The member is played.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { countedBody } from '../support/counted_body.mjs';
import { get, request } from '../support/http.mjs';
import { ownersOf } from '../support/owners.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { purge } from '../support/purging.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { openAnswer } from '../support/streaming.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

const size = 2_000_000;
const body = pattern(size, 7);
const held = 600_000;
const holder = 'torchrelay-holder';
const heldOnly = 'torchrelay-held-only';
const byMember = { 'cdn-loop': 'edge-2.torchrelay' };

let origin;
let member;
let edge;

before(async () => {
  origin = await startScriptedOrigin();
  member = await startScriptedOrigin();
  member.answer('/-/health', { body: '' });
  const ports = await freePorts(2);
  const members = [{ name: 'edge-1', url: `http://127.0.0.1:${ports[0]}` }, { name: 'edge-2', url: member.url }];
  edge = await startEdge({ upstream: origin.url, ports,
    settings: { fleet: { members, purge_lease: '0s', handover: '0s' } } });
});
after(async () => {
  await cleanUp(edge, member, origin);
});

let number = 0;
/** A body at the origin whose key this edge owns: {path, counted}. */
function place() {
  let path;
  do path = `/placed/${number++}`; while (ownersOf(edge, path)[0] !== 'edge-1');
  const counted = countedBody(body);
  origin.answer(path, counted.script);
  return { path, counted };
}
/** What the member answers when it is asked for the beginning. */
function holds(path, { status = 206, headers = {}, bytes = body.subarray(0, held), most = held } = {}) {
  member.answer(path, (asked, response) => {
    response.writeHead(status, { ...fresh, etag: '"one"', 'content-type': 'video/mp4', 'content-length': bytes.length,
      'content-range': `bytes 0-${held - 1}/${size}`, ...headers });
    if (most < bytes.length) response.write(bytes.subarray(0, most), () => response.destroy());
    else response.end(bytes);
  });
}
const askForRest = (path, headers = {}) => request(edge.url + path, { headers: {
  ...byMember, range: `bytes=${held}-`, 'if-range': '"one"', [holder]: 'edge-2', ...headers } });
function assertRest(answer) {
  assert.equal(answer.status, 206);
  assert.equal(answer.headers['content-range'], `bytes ${held}-${size - 1}/${size}`);
  assert.ok(answer.body.equals(body.subarray(held)));
}
async function assertStored(path, counted) {
  const before = counted.answers.length;
  const hit = await until('a hit', async () => {
    const answer = await get(edge.url + path);
    return /; hit/.test(answer.headers['cache-status']) && answer;
  }, { every_ms: 5 });
  assert.ok(hit.body.equals(body));
  assert.equal(counted.answers.length, before);
  return hit;
}

test('the beginning comes from the member, the rest from the origin, and both together are kept', async () => {
  const { path, counted } = place();
  holds(path);
  assertRest(await askForRest(path));
  assert.deepEqual(counted.asked(), [`206 bytes=${held}-`]);
  assert.equal(counted.answers[0].ifRange, '"one"');
  assert.equal(counted.sent(), size - held);
  const [{ headers }] = member.requests.filter((one) => one.path === path);
  assert.equal(headers.range, `bytes=0-${held - 1}`);
  assert.equal(headers['if-range'], '"one"');
  assert.equal(headers[heldOnly], '1');
  assert.equal(headers['cdn-loop'], 'edge-1.torchrelay', 'or the member would take it for a loop');
  const hit = await assertStored(path, counted);
  assert.equal(hit.headers['content-type'], 'video/mp4');
  assert.equal(hit.headers['content-range'], undefined);
});

for (const [what, answer] of [
  ['does not hold it any more', { status: 504, bytes: Buffer.from('gone') }],
  ['holds another version', { headers: { etag: '"zero"' } }],
  ['holds it under a weak validator', { headers: { etag: 'W/"one"' } }],
  ['gives other bytes than it says', { headers: { 'content-range': `bytes 1-${held}/${size}` } }],
  ['gives fewer bytes than it says', { bytes: body.subarray(0, 1000) }],
  ['holds a body of another length', { headers: { 'content-range': `bytes 0-${held - 1}/${size + 1}` } }],
]) {
  test(`the member ${what}: the origin is asked for the whole`, async () => {
    const { path, counted } = place();
    holds(path, answer);
    assertRest(await askForRest(path));
    assert.equal(counted.asked().at(-1), '200 whole');
    assert.ok((await assertStored(path, counted)).body.equals(body));
  });
}

test('the member breaks off: what is missing comes from the origin', async () => {
  const { path, counted } = place();
  holds(path, { most: 250_000 });
  assertRest(await askForRest(path));
  assert.equal(counted.asked()[0], `206 bytes=${held}-`);
  const from = Number(/bytes=(\d+)-/.exec(counted.answers[1].range)[1]);
  assert.ok(from <= 250_000 && counted.answers.length === 2, `${counted.asked()}`);
  await assertStored(path, counted);
});

test('the member says nothing: the origin is asked for the whole', async () => {
  const { path, counted } = place();
  const silent = [];
  member.answer(path, (asked, response) => { silent.push(response); });
  assertRest(await askForRest(path));
  assert.equal(silent.length, 1);
  assert.deepEqual(counted.asked(), ['200 whole']);
});

test('the two do not make the body that was promised: cut off, and not kept', async () => {
  const { path, counted } = place();
  holds(path, { headers: { 'repr-digest': 'xxh3-128=:AAAAAAAAAAAAAAAAAAAAAA==:' } });
  await assert.rejects(askForRest(path));
  assert.ok((await get(edge.url + path)).body.equals(body));
  assert.equal(counted.asked().at(-1), '200 whole');
});

test('the origin has another version: that one is given, whole', async () => {
  const { path, counted } = place();
  holds(path);
  counted.body = pattern(size, 8);
  counted.etag = '"two"';
  const answer = await askForRest(path);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.etag, '"two"');
  assert.ok(answer.body.equals(counted.body));
  assert.deepEqual(counted.asked(), [`200 bytes=${held}-`], 'and nothing else is fetched for it');
});

for (const [what, headers] of [
  ['a beginning that is hardly worth it', { range: 'bytes=1000-' }],
  ['a beginning under a weak validator', { 'if-range': 'W/"one"' }],
  ['a beginning of somebody unknown', { [holder]: 'edge-9' }],
  ['a beginning told by somebody who is no member', { 'cdn-loop': 'elsewhere' }],
]) {
  test(`${what} is not asked for`, async () => {
    const { path, counted } = place();
    holds(path);
    const answer = await askForRest(path, headers);
    const whole = answer.status === 200;
    assert.ok(answer.body.equals(whole ? body : body.subarray(Number(/(\d+)-/.exec(answer.headers['content-range'])[1]))));
    assert.deepEqual(counted.asked(), ['200 whole']);
    assert.ok(!member.requests.some((one) => one.path === path));
    assert.equal(origin.requests.findLast((one) => one.path === path).headers[holder], undefined);
  });
}

test('what was just purged is not taken from a member, who may not know', async () => {
  const { path, counted } = place();
  holds(path);
  assert.equal((await purge(edge, { url: path })).status, 202, 'the played member does not answer to it');
  assertRest(await askForRest(path));
  assert.deepEqual(counted.asked(), ['200 whole']);
  assert.ok(!member.requests.some((one) => one.path === path));
});

test('an edge gives what has come of a body under way, and never waits for more', async () => {
  const { path, counted } = place();
  counted.hold(1, held);
  const viewer = await openAnswer(edge.url + path);
  const ask = (range, more = {}) => request(edge.url + path, { headers: {
    ...byMember, [heldOnly]: '1', 'if-range': '"one"', ...(range ? { range } : {}), ...more } });
  const answer = await until('the beginning', async () => {
    const one = await ask(`bytes=0-${held - 1}`);
    return one.status === 206 && one;
  }, { every_ms: 5 });
  assert.ok(answer.body.equals(body.subarray(0, held)));
  assert.equal(answer.headers['content-range'], `bytes 0-${held - 1}/${size}`);
  assert.ok((await ask('bytes=1000-1999')).body.equals(body.subarray(1000, 2000)));
  for (const [range, more] of [[`bytes=0-${held}`], [`bytes=${held}-`], ['bytes=0-'], [undefined],
    ['bytes=0-999', { 'if-range': '"two"' }]]) {
    assert.equal((await ask(range, more)).status, 504, `${range} ${JSON.stringify(more)}`);
  }
  assert.equal((await purge(edge, { url: path })).status, 202);
  assert.equal((await ask('bytes=0-999')).status, 504, 'purged');
  counted.release(1);
  assert.ok((await viewer.whole()).complete);
});
