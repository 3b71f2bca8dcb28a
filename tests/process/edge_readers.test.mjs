// Readers of one flight when somebody is slow: an upstream that falls silent or crawls, a reader that
// takes nothing of a body that fills no socket's buffers.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { countedBody } from '../support/counted_body.mjs';
import { get, metricValue } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { openAnswer, readBytes } from '../support/streaming.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

const stall_ms = 2000;
const origin = await startScriptedOrigin();
const edge = await startEdge({ upstream: origin.url, size: '512MiB',
  settings: { cache: { object_max: '128MiB' }, timeouts: { stall: `${stall_ms}ms` } } });
after(() => cleanUp(edge, origin));

const metric = async (name) => metricValue(await edge.metrics(), name);
const open = (path, count) => Promise.all(Array.from({ length: count }, () => openAnswer(edge.url + path)));
const nothingInFlight = () => until('no flights, no bytes', async () =>
  (await metric('relay_edge_flights')) === 0 && (await metric('relay_edge_flight_bytes')) === 0);

test('an upstream falls silent in mid-body: readers are cut, the flight ends, the next one is whole', async () => {
  const body = pattern(300_000);
  let closed = false;
  origin.answer('/silent', (asked, response) => {
    response.on('close', () => { closed = true; });
    response.writeHead(200, { ...fresh, 'content-length': body.length });
    response.write(body.subarray(0, 200_000));
  });
  for (const { body: got, complete } of await Promise.all((await open('/silent', 3)).map((one) => one.whole()))) {
    assert.equal(complete, false);
    assert.ok(got.equals(body.subarray(0, 200_000)), 'what came was given out');
  }
  assert.equal(origin.count('/silent'), 1);
  await until('its connection to be closed', () => closed);
  await nothingInFlight();
  origin.answer('/silent', { headers: fresh, body });
  const again = await get(`${edge.url}/silent`);
  assert.ok(again.body.equals(body));
  assert.match(again.headers['cache-status'], /fwd=uri-miss/);
});

test('an upstream falls silent under a validator: readers get the rest by a range', async () => {
  const body = countedBody(pattern(300_000, 3));
  body.hold(1, 200_000);
  origin.answer('/silent-pinned', body.script);
  for (const { body: got, complete } of await Promise.all((await open('/silent-pinned', 3)).map((one) => one.whole()))) {
    assert.ok(complete && got.equals(body.body));
  }
  assert.deepEqual(body.asked(), ['200 whole', '206 bytes=200000-']);
});

test('an upstream that crawls is let be: what counts is the time without a byte', async () => {
  const body = pattern(50, 5);
  const every_ms = 100;
  assert.ok(body.length * every_ms > 2 * stall_ms);
  origin.answer('/crawls', (asked, response) => {
    response.writeHead(200, { ...fresh, 'content-length': body.length });
    let sent = 0;
    const crawl = setInterval(() => {
      response.write(body.subarray(sent, ++sent));
      if (sent < body.length) return;
      clearInterval(crawl);
      response.end();
    }, every_ms);
    response.on('close', () => clearInterval(crawl));
  });
  for (const { body: got, complete } of await Promise.all((await open('/crawls', 2)).map((one) => one.whole()))) {
    assert.ok(complete && got.equals(body));
  }
  assert.equal(origin.count('/crawls'), 1);
});

test('readers that take nothing of 64 MiB: others get all of it, and its bytes are held once', async () => {
  const body = pattern(64 << 20, 7);
  origin.answer('/large', (asked, response) => {
    response.writeHead(200, { ...fresh, 'content-length': body.length }).end(body);
  });
  const [leaves, stays] = await open('/large', 2);
  const begun = await Promise.all([leaves, stays].map((one) => readBytes(one.incoming, 10)));
  for (const got of begun) assert.ok(got.equals(body.subarray(0, 10)));
  for (const reader of await open('/large', 3)) {
    let at = 0;
    for await (const piece of reader.incoming) {
      assert.ok(piece.equals(body.subarray(at, at + piece.length)), `the bytes at ${at}`);
      at += piece.length;
    }
    assert.equal(at, body.length);
  }
  assert.equal(origin.count('/large'), 1);
  assert.equal(await metric('relay_edge_flight_bytes'), body.length, 'one flight, whoever still reads it');
  leaves.leave();
  const rest = await stays.whole();
  assert.ok(rest.complete && rest.body.equals(body.subarray(10)));
  await nothingInFlight();
});
