// Which answers are used again, by their fields: rows that stand only in newer versions of
// http-cache-tests (RFC 9111, 9213), read as those read them, and a few rules that no row shows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { startScriptedEdge } from '../support/scripted_edge.mjs';
import { fresh } from '../support/scripted_origin.mjs';

const { origin, edge } = await startScriptedEdge();

const status = (answer) => answer.headers['cache-status'];
/** An answer may be sent some milliseconds before it is stored. */
const objects = async () => metricValue(await edge.metrics(), 'relay_edge_cache_objects');
const stored = (path, headers) => until(`${path} to be a hit`, async () =>
  /; hit/.test(status(await get(edge.url + path, { headers }))), { every_ms: 5 });
const date = (seconds) => new Date(Date.now() + 1000 * seconds).toUTCString();
const now = () => ({ date: date(0) });

// The first one, so that no other object comes into the store meanwhile.
test('a successor that may not be stored ends the stale answer before it', async () => {
  origin.answer('/successor', { headers: { 'cache-control': 'max-age=1, stale-if-error=600', age: '5' }, body: 'old' });
  await get(`${edge.url}/successor`);
  await until('it to be stored', async () => (await objects()) === 1, { every_ms: 5 });
  origin.answer('/successor', { headers: { 'cache-control': 'no-store' }, body: 'new' });
  assert.equal((await get(`${edge.url}/successor`)).text, 'new');
  origin.answer('/successor', { status: 503, headers: {}, body: 'broken' });
  assert.equal((await request(`${edge.url}/successor`)).status, 503);
});

const again = true;
const asked = false;
// An Age stands for the time that such tests would wait.
const rows = [
  // CDN-Cache-Control
  [again, { 'cdn-cache-control': 'max-age=3600' }],
  [again, { 'cdn-cache-control': 'max-age=2147483648' }],
  [again, { 'cdn-cache-control': 'max-age=99999999999' }],
  [asked, { ...now(), 'cdn-cache-control': 'max-age=3600', age: '7200' }],
  [asked, { 'cache-control': 'max-age=1', 'cdn-cache-control': 'max-age =100', age: '5' }],
  [asked, { 'cache-control': 'max-age=1', 'cdn-cache-control': 'max-age= 100', age: '5' }],
  [asked, { 'cdn-cache-control': 'max-age=0' }],
  [again, { 'cdn-cache-control': 'foobar, max-age=3600' }],
  [asked, { 'cdn-cache-control': 'MaX-aGe=3600' }],
  [again, { ...now(), 'cdn-cache-control': 'max-age=3600', expires: date(-10000) }],
  [again, { ...now(), 'cdn-cache-control': 'max-age=3600', expires: '0' }],
  [asked, { ...now(), 'cdn-cache-control': 'max-age=0', expires: date(10000) }],
  [again, { 'cache-control': 'max-age=1', 'cdn-cache-control': 'max-age=3600', age: '5' }],
  [asked, { 'cache-control': 'max-age=3600', 'cdn-cache-control': 'max-age=1', age: '5' }],
  [asked, { ...now(), 'cache-control': 'max-age=10000', 'cdn-cache-control': 'private', expires: date(10000) }],
  [asked, { ...now(), 'cache-control': 'max-age=10000', 'cdn-cache-control': 'no-cache', expires: date(10000) }],
  [asked, { ...now(), 'cache-control': 'max-age=10000', 'cdn-cache-control': 'no-store', expires: date(10000) }],
  [again, { 'cache-control': 'no-store', 'cdn-cache-control': 'max-age=10000' }],
  [asked, { 'cache-control': 'no-store', 'cdn-cache-control': 'max-age=10000, &&&&&' }],
  [asked, { 'cache-control': 'no-store', 'cdn-cache-control': 'max-age="10000"' }],
  // Ours in front of it, Surrogate-Control behind it
  [again, { 'torchrelay-cdn-cache-control': 'max-age=60', 'cdn-cache-control': 'no-store' }],
  [asked, { 'torchrelay-cdn-cache-control': 'no-store', 'cdn-cache-control': 'max-age=60' }],
  [asked, { 'cdn-cache-control': 'no-store', 'surrogate-control': 'max-age=60' }],
  [again, { 'cache-control': 'private', 'surrogate-control': 'max-age=60;torchrelay' }],
  // Age
  [asked, { ...now(), 'cache-control': 'max-age=1', age: '5' }],
  [asked, { ...now(), 'cache-control': 'max-age=3600', age: '2147483647' }],
  [asked, { ...now(), 'cache-control': 'max-age=3600', age: '2147483648' }],
  [asked, { ...now(), 'cache-control': 'max-age=3600', age: '2147483649' }],
  [asked, { ...now(), 'cache-control': 'max-age=3600', age: '7200, 0' }],
  [asked, { ...now(), 'cache-control': 'max-age=3600', age: ['7200', '0'] }],
  [again, { ...now(), 'cache-control': 'max-age=3600', age: ['0', '7200'] }],
  [again, { ...now(), 'cache-control': 'max-age=3600', age: '0, 0' }],
  [again, { ...now(), 'cache-control': 'max-age=3600', age: ['0', '0'] }],
  [again, { ...now(), 'cache-control': 'max-age=10000', age: '3600, 3600' }],
  [again, { ...now(), 'cache-control': 'max-age=3600', age: 'abc' }],
  [again, { ...now(), 'cache-control': 'max-age=3600', age: '-7200' }],
  [again, { ...now(), 'cache-control': 'max-age=3600', age: '7200.0' }],
  // Expires: what is no date of RFC 9110 is past
  [again, { ...now(), expires: 'Thu, 18 Aug 2050 02:01:18 GMT' }],
  [again, { ...now(), expires: 'Sun, 21 Nov 2286 04:46:39 GMT' }],
  [again, { ...now(), expires: 'Thursday, 18-Aug-50 02:01:18 GMT' }],
  [again, { ...now(), expires: 'Thu Aug 18 02:01:18 2050' }],
  [asked, { ...now(), expires: 'Thu, 18 Aug 2050 02:01:18 UTC' }],
  [asked, { ...now(), expires: 'Thu, 18 Aug 2050 02:01:18 AEST' }],
  [asked, { ...now(), expires: 'Thu, 18 Aug 50 02:01:18 GMT' }],
  [asked, { ...now(), expires: 'Thu 18 Aug 2050 02:01:18 GMT' }],
  [asked, { ...now(), expires: 'Thu, 18  Aug  2050 02:01:18 GMT' }],
  [asked, { ...now(), expires: 'Thu, 18-Aug-2050 02:01:18 GMT' }],
  [asked, { ...now(), expires: 'Thu, 18 Aug 2050 02.01.18 GMT' }],
  [asked, { ...now(), expires: 'Thu, 18 Aug 2050 2:01:18 GMT' }],
  [asked, { ...now(), expires: ['Thu, 18 Aug 2050 02:01:18 GMT', 'Thu, 18 Aug 2050 02:01:19 GMT'] }],
  // must-understand: this cache knows 200
  [again, { 'cache-control': 'max-age=3600, must-understand' }],
  [again, { 'cache-control': 'max-age=3600, must-understand, no-store' }],
  [asked, { 'cache-control': 'max-age=3600, no-store' }],
];
test('fields decide whether an answer is used again', async (t) => {
  for (const [i, [reused, headers]] of rows.entries()) {
    await t.test(`${JSON.stringify(headers)}: ${reused ? 'used again' : 'asked again'}`, async () => {
      const path = `/row/${i}`;
      origin.answer(path, (_, response, number) => {
        response.writeHead(200, headers).end(String(number));
      });
      assert.equal((await get(edge.url + path)).text, '1');
      assert.equal((await get(edge.url + path)).text, reused ? '1' : '2');
    });
  }
});

test('a targeted field goes on to those behind this cache', async () => {
  origin.answer('/targeted', { headers: { ...fresh, 'cdn-cache-control': 'foo', 'surrogate-control': 'foo' } });
  for (let i = 0; i < 2; i++) {
    const { headers } = await get(`${edge.url}/targeted`);
    assert.deepEqual([headers['cdn-cache-control'], headers['surrogate-control']], ['foo', 'foo']);
  }
  assert.equal(origin.requests.at(-1).headers['surrogate-capability'], 'torchrelay="Surrogate/1.0"');
});

test('Date and Expires stay as they came, Age tells the time since', async () => {
  const lives = { '/dates': [{}, 600], '/dates-longer-here': [{ 'cache-control': 'max-age=1', 'cdn-cache-control': 'max-age=600' }, 1] };
  for (const [path, [more, seconds]] of Object.entries(lives)) {
    const came = { date: date(-30), expires: date(seconds - 30) };
    origin.answer(path, { headers: { ...came, ...more } });
    for (let i = 0; i < 2; i++) {
      const { headers } = await get(edge.url + path);
      assert.deepEqual({ date: headers.date, expires: headers.expires }, came);
      assert.ok(Number(headers.age) >= 30, headers.age);
    }
    assert.equal(origin.count(path), 1);
  }
});

test('the time that the origin took is in the Age of the first answer', async () => {
  origin.answer('/slow', async (_, response) => {
    const begun = Date.now();
    await until('more than a second to pass', () => Date.now() - begun > 1050);
    response.writeHead(200, { ...fresh, ...now() }).end('late');
  });
  const { text, headers } = await get(`${edge.url}/slow`);
  assert.equal(text, 'late');
  assert.ok(Number(headers.age) >= 1, headers.age);
});

test('a variant is not validated with the tag of another', async () => {
  origin.answer('/tags', (wish, response) => {
    response.writeHead(200, { ...fresh, vary: 'X-Who', etag: '"one"' }).end(wish.headers['x-who']);
  });
  for (const who of ['a', 'b']) {
    assert.equal((await get(`${edge.url}/tags`, { headers: { 'x-who': who } })).text, who);
    assert.equal(origin.requests.at(-1).headers['if-none-match'], undefined);
    await stored('/tags', { 'x-who': who });
  }
});

test('interim answers are not the answer', async () => {
  origin.answer('/interim', (_, response) => {
    response.writeProcessing();
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    response.writeHead(200, fresh).end('final');
  });
  for (let i = 0; i < 2; i++) {
    const answer = await get(`${edge.url}/interim`);
    assert.equal(answer.text, 'final');
    assert.equal(answer.headers.link, undefined);
  }
  assert.equal(origin.count('/interim'), 1);
});

test('fields that are for the first client alone', async () => {
  const cookie = { 'set-cookie': 'a=b', 'x-me': '1', 'x-all': '2' };
  origin.answer('/own', { headers: { 'cache-control': 'max-age=60, private="X-Me", no-cache="Set-Cookie"', ...cookie } });
  const first = await get(`${edge.url}/own`);
  assert.deepEqual([first.headers['set-cookie'], first.headers['x-me'], first.headers['x-all']], [['a=b'], '1', '2']);
  const second = await get(`${edge.url}/own`);
  assert.deepEqual([second.headers['set-cookie'], second.headers['x-me'], second.headers['x-all']],
    [undefined, undefined, '2']);
  assert.equal(origin.count('/own'), 1);
});

test('one answer serves every wish for its language, and no other', async () => {
  origin.answer('/language', (wish, response) => {
    const language = /^de\b/.test(wish.headers['accept-language']) ? 'de' : 'en';
    response.writeHead(200, { ...fresh, vary: 'Accept-Language', 'content-language': language }).end(language);
  });
  const ask = async (wish) => (await get(`${edge.url}/language`, { headers: { 'accept-language': wish } })).text;
  assert.equal(await ask('de, fr;q=0.5'), 'de');
  assert.equal(await ask('en-GB, en;q=0.8'), 'en');
  assert.equal(origin.count('/language'), 2);
  for (const wish of ['de, fr;q=0.5', 'en-GB, en;q=0.8']) await stored('/language', { 'accept-language': wish });
  for (const wish of ['de', 'DE;q=1.0, en;q=0.3', 'fr;q=0.5,de', 'de;q=0.9']) assert.equal(await ask(wish), 'de', wish);
  assert.equal(origin.count('/language'), 2);
  await ask('de-AT, de;q=0.9');
  assert.equal(origin.count('/language'), 3, 'another wish is asked for');
});

test('what the head says of storing is what will be tried', async () => {
  origin.answer('/says', { headers: fresh, body: 'x' });
  assert.match(status(await get(`${edge.url}/says`)), /fwd=uri-miss; fwd-status=200; stored$/);
  origin.answer('/says-not', { headers: { 'cache-control': 'no-store' }, body: 'x' });
  assert.match(status(await get(`${edge.url}/says-not`)), /fwd=uri-miss; fwd-status=200$/);
});
