// Live playlists at the edge: one blocking request upstream whatever viewers ask, versions that never
// go back, parts that are fetched by their hint and sent whole.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import zlib from 'node:zlib';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { purge } from '../support/purging.mjs';
import { pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { startScriptedLive } from '../support/scripted_live.mjs';
import { cleanUp, startEdge, startEdges } from '../support/torchrelay.mjs';

let origin;
let live;
let edges = [];

beforeEach(async () => {
  origin = await startScriptedOrigin();
  live = startScriptedLive(origin, '/demo/final/v1/v720', { parts: 8, segments: 12, tags: 'live' });
});
afterEach(async () => {
  live.release();
  await cleanUp(...edges, origin);
  edges = [];
});

async function startOne(settings = {}) {
  const edge = await startEdge({ upstream: origin.url, settings });
  edges.push(edge);
  return edge;
}

const ask = (edge, query = '', headers = {}) =>
  request(`${edge.url}${live.playlist}${query && `?${query}`}`, { headers });
const text = (answer) => answer.body.toString();

test('a hundred viewers that wait for the next part are one request upstream', async () => {
  const edge = await startOne();
  const [segment, part] = live.next();
  const first = await ask(edge, `_HLS_msn=${segment - 1}`);
  assert.equal(first.status, 200);
  await live.blocked(1);
  const waiting = Array.from({ length: 100 }, () => ask(edge, `_HLS_msn=${segment}&_HLS_part=${part}`));
  live.addPart();
  const answers = await Promise.all(waiting);
  for (const answer of answers) {
    assert.equal(answer.status, 200);
    assert.match(text(answer), new RegExp(`${segment}\\.${part}\\.m4s"`));
  }
  assert.equal(new Set(answers.map(text)).size, 1);
  // The whole, then one for each version that came.
  await live.blocked(1);
  assert.equal(live.requests().length, 3, live.requests().join('\n'));
});

test('every directive is answered from the one that came', async () => {
  const edge = await startOne();
  const [segment] = live.next();
  const whole = text(await ask(edge, `_HLS_msn=${segment - 2}`));
  const delta = await ask(edge, `_HLS_msn=${segment - 2}&_HLS_skip=YES`);
  assert.match(text(delta), /#EXT-X-SKIP:SKIPPED-SEGMENTS=\d+/);
  assert.ok(text(delta).length < whole.length);
  const packed = await ask(edge, `_HLS_msn=${segment - 2}`, { 'accept-encoding': 'gzip' });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.equal(zlib.gunzipSync(packed.body).toString(), whole);
  assert.equal(text(await ask(edge)), whole, 'without a directive too');
  assert.equal((await ask(edge, `_HLS_msn=${segment + 5}`)).status, 400);
  assert.equal((await ask(edge, '_HLS_part=1')).status, 400);
  assert.equal((await ask(edge, '_HLS_msn=x')).status, 400);
  const head = await request(`${edge.url}${live.playlist}?_HLS_msn=${segment - 1}`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  await live.blocked(1);
  assert.equal(live.requests().length, 2, live.requests().join('\n'));
});

test('a playlist never goes back in time', async () => {
  const edge = await startOne();
  live.addPart();
  const [segment, part] = live.next();
  const before = text(await ask(edge, `_HLS_msn=${segment - 1}`));
  await live.blocked(1);
  live.goBack(3);  // as after a switch to an origin that is behind
  await until('such a version came and was not used', async () =>
    metricValue(await edge.metrics(), 'relay_edge_live_versions_behind_total') > 0);
  assert.equal(text(await ask(edge)), before);
  for (let i = 0; i < 4; ++i) live.addPart();
  const after = await ask(edge, `_HLS_msn=${segment}&_HLS_part=${part}`);
  assert.match(text(after), new RegExp(`${segment}\\.${part}\\.m4s"`));
});

test('nor when nobody has followed it for a while and upstream is gone', async () => {
  const edge = await startOne();
  live = startScriptedLive(origin, '/demo/final/v1/v360', { parts: 2, segments: 12 });
  const old = await ask(edge);
  assert.equal(old.status, 200);
  const shown = await ask(edge, `_HLS_msn=${live.next()[0] - 1}`);
  assert.match(shown.headers['cache-control'], /, must-revalidate$/, 'nor at a cache behind this one');
  await live.blocked(1);
  live.addPart();
  await until('it went on', async () => text(await request(edge.url + live.playlist)) !== text(old));
  await origin.close();
  // No question more, or it would be followed on.
  await until('nobody follows it', async () =>
    metricValue(await edge.metrics(), 'relay_edge_live_playlists') === 0, { deadline_ms: 60_000 });
  const answer = await ask(edge);
  assert.notEqual(answer.status, 200, text(answer));
});

for (const what of [
  { url: '/demo/final/v1/v720/index.m3u8' }, { prefix: '/demo/final/' }, { tag: 'live' }, { tenant: 'demo' }, { all: true },
]) {
  test(`a followed playlist is asked for anew after a purge by ${Object.keys(what)}`, async () => {
    const edge = await startOne();
    const [segment] = live.next();
    const before = text(await ask(edge, `_HLS_msn=${segment - 1}`));
    await live.blocked(1);
    live.goBack(3);  // which only a purge makes it show
    await until('what is behind came and was not used', async () =>
      metricValue(await edge.metrics(), 'relay_edge_live_versions_behind_total') > 0);
    await live.blocked(1);
    assert.equal(text(await ask(edge)), before);

    assert.equal((await purge(edge, what)).status, 200);
    const wholes = () => live.requests().filter((path) => path === live.playlist).length;
    const asked = wholes();
    assert.equal(text(await ask(edge)), live.text());
    assert.equal(wholes(), asked + 1);
    // Its follower waits upstream since before the purge: not even what that brings is used.
    const directed = ask(edge, `_HLS_msn=${segment - 2}`);
    live.addPart();
    assert.equal(text(await directed), live.text());
    assert.equal(wholes(), asked + 2);
  });
}

test('the hinted part is there before a viewer asks for it, and leaves whole', async () => {
  const edge = await startOne();
  const [segment, part] = live.next();
  await ask(edge, `_HLS_msn=${segment - 1}`);
  const target = live.partPath(segment, part);
  await origin.asked(target);
  const early = get(edge.url + target);
  live.addPart({ body: pattern(40_000, 7), halves: true });
  await live.halfSent(target);
  let answered = false;
  early.then(() => { answered = true; });
  await ask(edge, `_HLS_msn=${segment}&_HLS_part=${part}`);
  assert.equal(answered, false, 'no byte of it, not even its head, before all is there');
  live.sendRest(target);
  const answer = await early;
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, pattern(40_000, 7));
  assert.equal(origin.count(target), 1);
  await until('it is kept', async () => /; hit/.test((await get(edge.url + target)).headers['cache-status']));
});

for (const [status, told, headers] of [[404, 404, {}], [503, 502, { 'cache-control': 'no-store' }]]) {
  test(`a hinted part that does not come is one ${status} for all who wait for it`, async () => {
    const edge = await startOne();
    const [segment, part] = live.next();
    const target = live.partPath(segment, part);
    const held = [];
    origin.answer(target, (asked, response) => held.push(response));
    await ask(edge, `_HLS_msn=${segment - 1}`);
    await origin.asked(target);
    const waiting = Array.from({ length: 20 }, () => request(edge.url + target));
    await ask(edge);
    origin.answer(target, { status, headers, body: 'never made' });
    held[0].writeHead(status, headers).end('never made');
    for (const answer of await Promise.all(waiting)) assert.ok([status, told].includes(answer.status), `${answer.status}`);
    // Some may have come too late for that one.
    assert.ok(origin.count(target) <= 4, `${origin.count(target)} requests`);
  });
}

test('what is gone upstream is told, and what is no live playlist goes the ordinary way', async () => {
  const edge = await startOne();
  const [segment] = live.next();
  await ask(edge, `_HLS_msn=${segment - 1}`);
  await live.blocked(1);
  live.remove();
  await until('it is 404', async () => (await ask(edge, `_HLS_msn=${segment - 1}`)).status === 404);
  origin.answer('/vod/index.m3u8', { headers: { 'cache-control': 'max-age=600',
    'content-type': 'application/vnd.apple.mpegurl' }, body: '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.m4s\n#EXT-X-ENDLIST\n' });
  const vod = await get(`${edge.url}/vod/index.m3u8?_HLS_msn=0`);
  assert.equal(vod.status, 200);
  assert.match(text(vod), /ENDLIST/);
});

test('the end of the channel reaches who waits', async () => {
  const edge = await startOne();
  const [segment, part] = live.next();
  await ask(edge, `_HLS_msn=${segment - 1}`);
  const waiting = ask(edge, `_HLS_msn=${segment}&_HLS_part=${part}`);
  await live.blocked(1);
  live.end();
  assert.match(text(await waiting), /#EXT-X-ENDLIST/);
  // Each of its viewers asked with a directive of its own: the edge has the end for all of them.
  const earlier = live.requests().length;
  for (const query of ['_HLS_msn=3', '_HLS_msn=4&_HLS_part=1', '_HLS_msn=9999', '_HLS_skip=YES', '']) {
    assert.match(text(await ask(edge, query)), /#EXT-X-ENDLIST/, query);
  }
  assert.equal(live.requests().length, earlier, live.requests().join('\n'));
});

test('an ordinary playlist is one object, whatever directives come with it', async () => {
  const edge = await startOne();
  const path = '/plain/index.m3u8';
  origin.answer(path, { headers: { 'cache-control': 'max-age=600', 'content-type': 'application/vnd.apple.mpegurl' },
    body: '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.m4s\n' });
  for (const n of [0, 1, 2]) assert.equal((await get(`${edge.url}${path}?_HLS_msn=${n}`)).status, 200);
  // Whether it is a live one has to be looked at each time; what is served was fetched once.
  assert.equal(origin.count(path), 1 + 3);
  assert.equal((await get(`${edge.url}${path}`)).status, 200);
  assert.equal(origin.count(path), 1 + 3);
});

test('wrong directives and playlists that are not there take no place from live ones', async () => {
  const edge = await startOne();
  const places = 4096;
  for (let done = 0; done < places + 100; done += 100) {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) =>
      request(`${edge.url}/none/${done + i}.m3u8?${i === 0 ? '_HLS_msn=1' : '_HLS_part=1'}`)));
    assert.deepEqual(answers.map((answer) => answer.status), answers.map((_, i) => (i === 0 ? 404 : 400)));
  }
  const [segment] = live.next();
  await ask(edge, `_HLS_msn=${segment - 1}`);
  await live.blocked(1);
  assert.equal(metricValue(await edge.metrics(), 'relay_edge_live_playlists'), 1);
});

test('a fleet asks the origin once for each version', async () => {
  edges = await startEdges(3, origin.url);
  const [segment, part] = live.next();
  await Promise.all(edges.map((edge) => ask(edge, `_HLS_msn=${segment - 1}`)));
  await live.blocked(1);
  const begun = live.requests().length;
  for (let i = 0; i < 3; ++i) {
    const [s, p] = live.next();
    const waiting = edges.flatMap((edge) => Array.from({ length: 20 }, () => ask(edge, `_HLS_msn=${s}&_HLS_part=${p}`)));
    await live.blocked(1);
    live.addPart();
    const answers = await Promise.all(waiting);
    assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
    await live.blocked(1);
  }
  assert.equal(live.requests().length - begun, 3, live.requests().slice(begun).join('\n'));
  assert.equal(origin.count(live.partPath(segment, part)), 1, 'and for each part');
});

test('an edge that stops lets go of who waits', async () => {
  const edge = await startOne();
  const [segment, part] = live.next();
  await ask(edge, `_HLS_msn=${segment - 1}`);
  const waiting = ask(edge, `_HLS_msn=${segment}&_HLS_part=${part}`).catch((error) => error);
  await live.blocked(1);
  await edge.stop();
  const answer = await waiting;
  assert.ok(answer instanceof Error || [200, 503].includes(answer.status), `${answer.status}`);
});

for (const by of ['url', 'tag']) {
  test(`a purge by ${by} breaks off what is held upstream, so that viewers get a fresh answer`, async () => {
    live = startScriptedLive(origin, '/demo/final/v1/v720', { parts: 8, segments: 12, tags: 'final' });
    edges = await startEdges(3, origin.url);
    const [segment] = live.next();
    const known = `_HLS_msn=${segment - 1}`;
    for (const edge of edges) assert.equal((await ask(edge, known)).status, 200);
    await live.blocked(1);
    const begun = live.requests().length;
    assert.equal((await purge(edges[0], by === 'url' ? { url: live.playlist } : { tag: 'final' })).status, 200);
    // No part comes: nothing but the purge can wake anybody.
    for (const answer of await Promise.all(edges.map((edge) => ask(edge, known)))) {
      assert.equal(answer.status, 200, text(answer));
    }
    assert.ok(live.requests().slice(begun).includes(live.playlist), 'the whole was asked for anew');
    for (const edge of edges) {
      assert.equal(metricValue(await edge.metrics(), 'relay_edge_upstream_failures_total'), 0, 'nobody failed');
    }
  });
}
