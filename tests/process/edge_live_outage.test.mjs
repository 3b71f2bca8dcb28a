// Live playlists at an edge whose origin is down for a moment, or holds its tongue: players give up after few
// errors, so a viewer waits where waiting can help, and is told 503 where it cannot.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { metricValue, request } from '../support/http.mjs';
import { followLive, openChannel, publishTs, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { startScriptedLive } from '../support/scripted_live.mjs';
import { startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge, startFleet } from '../support/torchrelay.mjs';

const waited_ms = 6_000;  // for an origin that does not answer
const type = 'application/vnd.apple.mpegurl';

let running = [];
afterEach(async () => {
  await cleanUp(...running.reverse());
  running = [];
});

/** A scripted channel, of which copies are good for a second, and one edge. */
async function start(shape = {}) {
  const origin = await startScriptedOrigin();
  running.push(origin);
  const live = startScriptedLive(origin, '/demo/final/v1/v720', { parts: 8, segments: 12, ...shape });
  running.push({ stop: () => live.release() });
  const edge = await startEdge({ upstream: origin.url });
  running.push(edge);
  return { origin, live, edge };
}

const ask = (edge, path, deadline_ms = 60_000) => request(edge.url + path, { deadline_ms });

/** By a player on a page of another site, which else sees no status at all. */
function assertReadable({ headers }) {
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.match(headers['access-control-expose-headers'], /Retry-After/);
}

function assertComeAgain(answer) {
  assert.equal(answer.status, 503, answer.text);
  assertReadable(answer);
  assert.equal(answer.headers['retry-after'], '1');
  assert.equal(answer.headers['cache-control'], 'public, max-age=1');
}

/** Asks all the time while the origin is away, until the edge has asked for it in vain a few times. */
async function whileAway({ origin, edge, live }, path) {
  await origin.close();
  const answers = [];
  await until('the edge to have asked again', async () => {
    answers.push(ask(edge, path));
    return metricValue(await edge.metrics(), 'relay_edge_live_requests_total') >= 3;
  });
  live.addPart();
  await origin.reopen();
  return Promise.all(answers);
}

const multivariant = '/demo/final/index.m3u8';
const offerMultivariant = (origin) => origin.answer(multivariant, { body: '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv1/v720/index.m3u8\n',
  headers: { 'content-type': type, 'cache-control': 'public, max-age=1, must-revalidate' } });

const viewers = {
  'an ordinary player': ({ live }) => live.playlist,
  'a low-latency player that has just come': ({ live }) => `${live.playlist}?_HLS_msn=${live.next()[0] - 1}`,
  'who opens the page': () => multivariant,
};
for (const [who, pathOf] of Object.entries(viewers)) {
  test(`${who} waits while the origin is away, and goes on`, async () => {
    const one = await start();
    offerMultivariant(one.origin);
    const path = pathOf(one);
    if (who === 'an ordinary player') assert.equal((await ask(one.edge, path)).status, 200);
    const answers = await whileAway(one, path);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    if (path !== multivariant) assert.equal(answers.at(-1).text, one.live.text());
  });
}

test('who waits for an origin that does not come back is told to come again', async () => {
  const one = await start();
  offerMultivariant(one.origin);
  await one.origin.close();
  const answers = await Promise.all(Object.values(viewers).map((pathOf) => ask(one.edge, pathOf(one))));
  for (const answer of answers) assertComeAgain(answer);
  const begun = performance.now();
  const segment = await ask(one.edge, '/demo/final/v1/v720/7.m4s');
  assert.equal(segment.status, 502, 'nor is anything else kept waiting');
  assertReadable(segment);
  assert.ok(performance.now() - begun < waited_ms);
});

/** The path's origin takes requests and says nothing; what it holds is in the list. */
function holdTongue(origin, path) {
  const held = [];
  origin.answer(path, (asked, response) => held.push(response));
  return held;
}
const less_than_silence_ms = 20_000;  // timeouts.first_byte is 30 s

test('an origin that takes requests and says nothing is waited for as long as one that is away', async () => {
  const { origin, edge } = await start();
  const path = '/demo/final/v1/v480/index.m3u8';
  const held = [multivariant, path].flatMap((each) => ({ path: each, list: holdTongue(origin, each) }));
  const answers = await Promise.all(held.flatMap((one) =>
    Array.from({ length: 3 }, () => ask(edge, one.path, less_than_silence_ms))));
  for (const answer of answers) assertComeAgain(answer);
  // What it says after that is for whoever asks again.
  const again = held.map((one) => ask(edge, one.path));
  for (const { list } of held) {
    list[0].writeHead(200, { 'content-type': type, 'cache-control': 'max-age=600' }).end('#EXTM3U\n');
  }
  for (const answer of await Promise.all(again)) assert.equal(answer.text, '#EXTM3U\n');
  for (const one of held) assert.equal(origin.count(one.path), 1, 'one fetch for all of them');
});

test('while an origin says nothing a copy stands in where it may', async () => {
  const { origin, edge } = await start();
  const path = '/demo/other/index.m3u8';
  origin.answer(path, { headers: { 'content-type': type, 'cache-control': 'max-age=10', age: '20' }, body: '#EXTM3U\n' });
  await until('it is kept', async () => {
    await ask(edge, path);
    return (await request(`${edge.admin}/api/v1/cache`)).json().some.some(({ key }) => key === path);
  });
  holdTongue(origin, path);
  const answer = await ask(edge, path, less_than_silence_ms);
  assert.equal(answer.text, '#EXTM3U\n');
  assert.match(answer.headers['cache-status'], /; hit/);
});

test('a playlist that is for one viewer only is fetched once for it', async () => {
  const { origin, edge } = await start();
  const path = '/demo/mine/index.m3u8';
  origin.answer(path, { headers: { 'content-type': type, 'cache-control': 'private' }, body: '#EXTM3U\n' });
  assert.equal((await ask(edge, path)).text, '#EXTM3U\n');
  assert.equal(origin.count(path), 1);
});

test('an outage makes few playlists more that are asked for all the time', async () => {
  const { origin, edge } = await start();
  const places = 512;
  await origin.close();
  const waiting = Array.from({ length: places }, (_, i) => ask(edge, `/demo/none/${i}.m3u8?_HLS_msn=1`));
  await until('all places to be taken', async () =>
    metricValue(await edge.metrics(), 'relay_edge_live_playlists') === places);
  const more = await ask(edge, '/demo/none/more.m3u8?_HLS_msn=1');
  assertComeAgain(more);
  assert.match(more.text, /too many playlists/);
  for (const answer of await Promise.all(waiting)) assertComeAgain(answer);
});

test('an origin in trouble is asked on for who waits', async () => {
  const one = await start();
  let tries = 0;
  one.origin.answer('/demo/final/v1/v240/index.m3u8', (asked, response) => {
    tries += 1;
    const body = one.live.text();
    if (tries < 3) return response.writeHead(503, { 'content-length': 0 }).end();
    return response.writeHead(200, { 'content-type': type, 'content-length': body.length }).end(body);
  });
  const answer = await ask(one.edge, '/demo/final/v1/v240/index.m3u8?_HLS_msn=3');
  assert.equal(answer.status, 200, answer.text);
  assert.equal(tries, 3);
});

test('503 after three target durations is the edge\'s own, though its request is held on', async () => {
  const one = await start({ parts: 2 });  // a target duration of 1 s
  const [segment, part] = one.live.next();
  await ask(one.edge, `${one.live.playlist}?_HLS_msn=${segment - 1}`);
  await one.live.blocked(1);
  const asked = one.live.requests().length;
  const less_than_held_ms = 20_000;  // timeouts.first_byte is 30 s
  const waiting = Array.from({ length: 20 }, () =>
    ask(one.edge, `${one.live.playlist}?_HLS_msn=${segment}&_HLS_part=${part}`, less_than_held_ms));
  for (const answer of await Promise.all(waiting)) assertComeAgain(answer);
  assert.equal(one.live.requests().length, asked);
  await one.live.blocked(1);
  const again = ask(one.edge, `${one.live.playlist}?_HLS_msn=${segment}&_HLS_part=${part}`);
  one.live.addPart();
  assert.equal((await again).text, one.live.text());
});

test('what is too far ahead is 400 at once, what is as far as one may ask is waited for', async () => {
  const one = await start();
  const [segment] = one.live.next(), far = 2 * 8;  // parts of two segments
  const query = (msn, part) => `${one.live.playlist}?_HLS_msn=${msn}${part === undefined ? '' : `&_HLS_part=${part}`}`;
  await ask(one.edge, query(segment - 1));
  await one.live.blocked(1);
  const asked = one.live.requests().length;
  for (const path of [query(segment + 2), query(segment, far), query(segment + 1, far), query(segment + 900, 0),
    `${one.live.playlist}?_HLS_part=0`, `${query(segment)}&_HLS_msn=${segment}`, query(segment, -1), query('1e3')]) {
    const answer = await ask(one.edge, path);
    assert.equal(answer.status, 400, path);
    assertReadable(answer);
    assert.equal(answer.headers['cache-control'], 'public, max-age=1', path);
  }
  const waiting = [query(segment + 1), query(segment, far - 1), query(segment + 1, 0)].map((path) => ask(one.edge, path));
  assert.equal(one.live.requests().length, asked, 'none of it reached the origin');
  for (let i = 0; i < 16; ++i) {
    await one.live.blocked(1);
    one.live.addPart();
  }
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200, answer.text);
});

test('viewers of every kind go on through the restart of a real origin', async (t) => {
  const fleet = await startFleet(2, { origin: { transcoder: { live: { rungs_max: 1 } },
    settings: { live: { rtmp: '', srt: '', part: '250ms', group: '1s', segment: '1s' } } } });
  running.push({ stop: () => fleet.cleanUp() });
  await openChannel(fleet.origin, 'demo/final');
  running.push(publishTs(fleet.origin, 'demo/final', { size: '160x90' }));
  const urls = await waitForAir(fleet.edges[1], 'demo/final');
  const paths = ['/demo/final/index.m3u8', ...Object.values(urls).map((url) => new URL(url).pathname)];
  const seen = [];
  const asked_ms = new Map();  // of each poll: since when it waits
  let over = false;
  const poll = async (url) => {
    while (!over) {
      asked_ms.set(url, performance.now());
      const { status, headers } = await request(url, { deadline_ms: 60_000 });
      seen.push({ url, status, retry_after: headers['retry-after'] });
      await new Promise((wake) => setTimeout(wake, 100));
    }
  };
  const polls = fleet.edges.flatMap(({ url }) => paths.map((path) => poll(url + path)));
  const begun = performance.now();
  fleet.origin.kill();
  await fleet.origin.exited;
  await until('everybody to wait', () => [...asked_ms].every(([url, at]) =>
    url.includes(multivariant) || performance.now() - at > 300));  // of that, a copy may stand in
  fleet.origin = await fleet.origin.restart();
  const away_ms = performance.now() - begun;
  running.push(publishTs(fleet.origin, 'demo/final', { size: '160x90' }));
  const [url] = Object.values(urls);
  const before = (await followLive(url, () => true)).next.msn;
  await followLive(url, ({ segments }) => segments.some(({ number, gap }) => number > before && !gap));
  over = true;
  await Promise.all(polls);
  t.diagnostic(`${seen.length} answers, the origin was away for ${Math.round(away_ms)} ms`);
  const bad = seen.filter(({ status, retry_after }) =>
    status !== 200 && !(status === 503 && retry_after === '1' && away_ms > waited_ms));
  assert.deepEqual(bad, []);
});
