// Interim answers of an origin (102, 103) on their way through the edge, RFC 9110 15.2 and RFC 8297.

import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fresh, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { openAnswer, openRaw } from '../support/streaming.mjs';
import { cleanUp, startEdge, startEdges } from '../support/torchrelay.mjs';

const link = '</style.css>; rel=preload; as=style';
let origin, edge;

beforeEach(async () => {
  origin = await startScriptedOrigin();
  edge = await startEdge({ upstream: origin.url });
});
afterEach(async () => {
  await cleanUp(edge, origin);
});

/** Hints at once; the answer when `release` is called. */
function offerHints(path, headers = fresh, status = 200) {
  let release;
  const released = new Promise((go) => { release = go; });
  origin.answer(path, async (_, response) => {
    response.writeProcessing();
    response.writeEarlyHints({ link, 'x-hint': 'yes' });
    await released;
    response.writeHead(status, headers).end('final');
  });
  return () => release();
}

const stored = (count) => until(`${count} objects`,
  async () => metricValue(await edge.metrics(), 'relay_edge_cache_objects') === count, { every_ms: 5 });

/** {interim: {status, headers}[], first: Promise, answer: Promise of {status, headers, text}} */
function ask(url, { method = 'GET', body } = {}) {
  const interim = [];
  const outgoing = http.request(url, { method, agent: false });
  const answer = new Promise((done, bad) => {
    outgoing.on('error', bad);
    outgoing.on('response', async (incoming) => {
      let text = '';
      for await (const piece of incoming) text += piece;
      done({ status: incoming.statusCode, headers: incoming.headers, text });
    });
  });
  const hinted = new Promise((done) => {
    outgoing.on('information', ({ statusCode, headers }) => {
      interim.push({ status: statusCode, headers });
      if (statusCode === 103) done();
    });
  });
  outgoing.end(body);
  return { interim, hinted: Promise.race([hinted, answer]), answer };
}

test('the leader of a flight gets them while upstream still thinks, and a hit has none', async () => {
  const release = offerHints('/page');
  const first = ask(`${edge.url}/page`);
  await first.hinted;
  assert.deepEqual(first.interim.map((one) => one.status), [102, 103]);
  assert.equal(first.interim[1].headers.link, link);
  assert.equal(first.interim[1].headers['x-hint'], 'yes');
  assert.match(first.interim[1].headers.via, new RegExp(`1\\.1 ${edge.edgeName}$`));

  const joined = ask(`${edge.url}/page`);
  release();
  for (const asked of [first, joined]) {
    const answer = await asked.answer;
    assert.equal(answer.text, 'final');
    assert.equal(answer.headers.link, undefined, 'their fields are not those of the answer');
    assert.equal(answer.headers['x-hint'], undefined);
  }
  assert.equal(origin.count('/page'), 1);

  await stored(1);
  const hit = ask(`${edge.url}/page`);
  assert.match((await hit.answer).headers['cache-status'], /; hit/);
  assert.equal((await hit.answer).headers.link, undefined);
  assert.deepEqual(hit.interim, []);
});

test('what is not stored has them each time, and so has what changes something', async () => {
  offerHints('/private', { 'cache-control': 'no-store' })();
  offerHints('/missing', { 'cache-control': 'no-store' }, 404)();
  for (const [path, method] of [['/private', 'GET'], ['/private', 'GET'], ['/private', 'HEAD'], ['/private', 'POST'], ['/missing', 'GET']]) {
    const asked = ask(edge.url + path, { method, body: method === 'POST' ? 'x' : undefined });
    const answer = await asked.answer;
    assert.equal(answer.status, path === '/missing' ? 404 : 200);
    assert.deepEqual(asked.interim.map((one) => one.status), [102, 103], `${method} ${path}`);
  }
});

test('a confirmation has them too', async () => {
  const stale = { 'cache-control': 'max-age=0', etag: '"a"' };
  offerHints('/page', stale)();
  await get(`${edge.url}/page`);
  await stored(1);
  origin.answer('/page', (asked, response) => {
    response.writeEarlyHints({ link });
    response.writeHead(asked.headers['if-none-match'] ? 304 : 500, stale).end();
  });
  const again = ask(`${edge.url}/page`);
  assert.equal((await again.answer).text, 'final');
  assert.deepEqual(again.interim.map((one) => one.status), [103]);
});

test('a client of HTTP/1.0 gets none', async () => {
  for (const [path, headers] of [['/stored', fresh], ['/private', { 'cache-control': 'no-store' }]]) {
    offerHints(path, headers)();
    const raw = await openRaw(edge.port, `GET ${path} HTTP/1.0\r\nHost: h\r\n\r\n`);
    await raw.closed;
    assert.match(raw.text(), /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(raw.text(), /final$/);
  }
});

test('they come from the owner through another member', async () => {
  const members = await startEdges(3, origin.url);
  try {
    let hops = 0;
    for (let i = 0; i < 6; i++) {
      offerHints(`/page/${i}`)();
      const asked = ask(`${members[0].url}/page/${i}`);
      assert.equal((await asked.answer).text, 'final');
      assert.deepEqual(asked.interim.map((one) => one.status), [102, 103]);
      hops = Math.max(hops, asked.interim[1].headers.via.split(',').length);
    }
    assert.equal(hops, 2, 'some are owned by others');
  } finally {
    await cleanUp(...members);
  }
});

/** An origin of raw bytes: `interim` before each answer. */
async function startRawOrigin(interim) {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write(`${interim}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfinal`));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

async function through(interim, look) {
  const raw = await startRawOrigin(interim);
  const before = await startEdge({ upstream: raw.url });
  try {
    await look(before);
  } finally {
    await cleanUp(before, raw);
  }
}

test('a 100 of upstream and fields of its connection stay behind', async () => {
  const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nConnection: X-Hop\r\nX-Hop: 1\r\n'
    + `Keep-Alive: timeout=5\r\nContent-Length: 0\r\nLink: ${link}\r\n\r\n`;
  await through(interim, async (before) => {
    const asked = ask(`${before.url}/x`);
    assert.equal((await asked.answer).text, 'final');
    assert.equal(asked.interim.length, 1);
    assert.deepEqual(Object.keys(asked.interim[0].headers).sort(), ['link', 'via']);
  });
});

test('interim answers that promise a body, or never end, are no answer', async () => {
  for (const interim of ['HTTP/1.1 103 X\r\nContent-Length: 5\r\n\r\n', 'HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 103 X\r\nA: b\r\n c\r\n\r\n', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(33),
    `HTTP/1.1 103 X\r\nLink: ${'x'.repeat(12_000)}\r\n\r\n`.repeat(3)]) {
    await through(interim, async (before) => {
      assert.equal((await request(`${before.url}/x`)).status, 502, interim.slice(0, 60));
    });
  }
});

test('a client that left, or reads nothing, harms nobody', async () => {
  const release = offerHints('/page');
  const leaving = ask(`${edge.url}/page`);
  leaving.answer.catch(() => {});
  await leaving.hinted;
  const joined = openAnswer(`${edge.url}/page`);
  const crawling = await openRaw(edge.port, 'GET /page HTTP/1.1\r\nHost: h\r\n\r\n');
  crawling.socket.pause();
  release();
  assert.equal((await (await joined).whole()).body.toString(), 'final');
  crawling.socket.destroy();
  assert.equal(origin.count('/page'), 1);
});
