// Methods other than GET: what they make invalid, what of their answers is kept, what they refresh;
// and that an answer which nobody asked the cache for carries its signature too.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fresh, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdges } from '../support/torchrelay.mjs';

let origin;
let edges;

before(async () => {
  origin = await startScriptedOrigin();
  edges = await startEdges(2, origin.url);
});
after(async () => {
  await cleanUp(...(edges ?? []), origin);
});

const status = (answer) => answer.headers['cache-status'];
const numbered = (headers = fresh) => (_, response, number) => response.writeHead(200, headers).end(`${number}`);
/** Waits until `edge` answers the path from its own store. */
function warm(edge, path) {
  return until(`${path} to be a hit at ${edge.edgeName}`, async () => {
    const answer = await get(edge.url + path);
    return new RegExp(`(^|, )${edge.edgeName}; hit[^,]*$`).test(status(answer)) && answer;
  }, { every_ms: 5 });
}

for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH']) {
  test(`${method} makes the copies of its target invalid, at the owner's too`, async () => {
    for (let i = 0; i < 4; i++) {  // some are owned here, some there
      const path = `/changed/${method}/${i}`;
      origin.answer(path, numbered());
      for (const edge of edges) await warm(edge, path);
      assert.equal(origin.count(path), 1);
      assert.equal((await request(edges[0].url + path, { method, body: 'x' })).status, 200);
      const asked = origin.count(path);
      assert.equal(asked, 2, 'once, whatever the way');
      assert.equal((await get(edges[0].url + path)).text, String(asked + 1));
    }
  });
}

test('the whole fleet hears of a change, also of a form and of variants', async () => {
  const fleet = await startEdges(4, origin.url, { settings: { cache: { size: '64MiB' } } });
  try {
    for (let i = 0; i < 4; i++) {
      const path = `/everywhere/${i}`, named = `/everywhere/named/${i}`;
      let kind = 'first';
      origin.answer(path, (asked, response) => {
        if (asked.method === 'POST') {
          kind = 'second';
          return response.writeHead(201, { location: named }).end();
        }
        return response.writeHead(200, { ...fresh, vary: 'X-Kind' }).end(kind);
      });
      origin.answer(named, (_, response) => response.writeHead(200, fresh).end(kind));
      for (const edge of fleet) {
        await warm(edge, path);
        await warm(edge, named);
      }
      assert.equal((await request(fleet[i].url + path, { method: 'POST', body: 'x' })).status, 201);
      for (const edge of fleet) {
        await until(`${edge.edgeName} to have the new ones`, async () =>
          (await get(edge.url + path)).text === 'second' && (await get(edge.url + named)).text === 'second', { every_ms: 5 });
      }
    }
    let told = 0;
    for (const edge of fleet) told += metricValue(await edge.metrics(), 'relay_edge_changes_told_total', { outcome: 'taken' });
    assert.ok(told >= 4 * 2 * 2 && told <= 4 * 2 * 3, `${told}: two keys to those who had no part in it`);
  } finally {
    await cleanUp(...fleet);
  }
});

test('a member that is gone holds up no change, and strangers change nothing', async () => {
  const fleet = await startEdges(3, origin.url, { settings: { fleet: { key: 'a-secret-of-at-least-32-characters' } } });
  try {
    const path = '/kept-from-strangers';
    origin.answer(path, numbered());
    for (const edge of fleet) await warm(edge, path);
    const letter = JSON.stringify({ from: 'edge-1', keys: [path] });
    const stranger = await request(`${fleet[1].url}/-/changes`, { method: 'POST', body: letter });
    assert.equal(stranger.status, 403);
    assert.equal((await request(`${fleet[1].url}/-/changes`)).status, 405);
    assert.match(status(await get(fleet[1].url + path)), /edge-2; hit[^,]*$/);
    fleet[2].kill();
    await fleet[2].exited;
    await request(fleet[0].url + path, { method: 'POST', body: 'x' });
    await until('the other one to have heard', async () => Number((await get(fleet[1].url + path)).text) > 2, { every_ms: 5 });
  } finally {
    await cleanUp(...fleet);
  }
});

test('all variants become invalid', async () => {
  const path = '/varies';
  origin.answer(path, (asked, response, number) =>
    response.writeHead(200, { ...fresh, vary: 'X-Kind' }).end(`${asked.headers['x-kind']} ${number}`));
  const ask = (kind) => get(edges[0].url + path, { headers: { 'x-kind': kind } });
  for (const kind of ['a', 'b']) {
    await until(`${kind} to be a hit`, async () => /edge-1; hit[^,]*$/.test(status(await ask(kind))), { every_ms: 5 });
  }
  assert.equal(origin.count(path), 2);
  await request(edges[0].url + path, { method: 'POST', body: 'x' });
  assert.equal((await ask('a')).text, 'a 4');
  assert.equal((await ask('b')).text, 'b 5');
});

test('a method that fails, or is safe, makes nothing invalid', async () => {
  const path = '/unchanged';
  origin.answer(path, numbered());
  await warm(edges[0], path);
  origin.answer(path, { status: 500, body: 'no' });
  await request(edges[0].url + path, { method: 'POST', body: 'x' });
  await request(edges[0].url + path, { method: 'OPTIONS' });
  assert.match(status(await get(edges[0].url + path)), /edge-1; hit[^,]*$/);
});

test('Location and Content-Location on the same host are invalid as well', async () => {
  for (const name of ['a', 'b', 'elsewhere']) {
    origin.answer(`/named/${name}`, numbered());
    await warm(edges[0], `/named/${name}`);
  }
  origin.answer('/named/form', (_, response) => {
    response.writeHead(201, { location: 'a', 'content-location': `${edges[0].url}/named/b` }).end();
  });
  await request(`${edges[0].url}/named/form`, { method: 'POST', body: 'x' });
  origin.answer('/named/form', (_, response) => {
    response.writeHead(201, { location: 'http://other.example/named/elsewhere' }).end();
  });
  await request(`${edges[0].url}/named/form`, { method: 'POST', body: 'x' });
  for (const name of ['a', 'b']) assert.doesNotMatch(status(await get(`${edges[0].url}/named/${name}`)), /edge-1; hit/);
  assert.match(status(await get(`${edges[0].url}/named/elsewhere`)), /edge-1; hit[^,]*$/);
});

test('a change that passes a flight keeps its answer out of the cache', async () => {
  const path = '/overtaken';
  let release;
  origin.answer(path, (asked, response, number) => {
    if (asked.method === 'POST') return response.writeHead(204).end();
    if (number > 1) return response.writeHead(200, fresh).end('new');
    response.writeHead(200, { ...fresh, 'content-length': 3 }).write('ol');
    release = () => response.end('d');
    return null;
  });
  const old = get(edges[0].url + path);
  await origin.asked(path, 1);
  await until('the answer to have begun', () => release, { every_ms: 5 });
  assert.equal((await request(edges[0].url + path, { method: 'POST', body: 'x' })).status, 204);
  release();
  assert.equal((await old).text, 'old');
  assert.equal((await get(edges[0].url + path)).text, 'new');
});

test('a change that passes a tail keeps it out of the cache', async () => {
  const path = '/overtaken-tail';
  let release;
  origin.answer(path, (asked, response, number) => {
    if (asked.method === 'POST') return response.writeHead(204).end();
    response.writeHead(206, { ...fresh, 'content-range': 'bytes 7-9/10', 'content-length': 3 });
    if (number > 1) return response.end('new');
    response.write('ol');
    release = () => response.end('d');
    return null;
  });
  const ask = () => request(edges[0].url + path, { headers: { range: 'bytes=-3' } });
  const old = ask();
  await until('the answer to have begun', () => release, { every_ms: 5 });
  assert.equal((await request(edges[0].url + path, { method: 'POST', body: 'x' })).status, 204);
  release();
  assert.equal((await old).text, 'old');
  assert.equal((await ask()).text, 'new');
});

test('a POST whose answer is the new representation is kept', async () => {
  const path = '/posted';
  origin.answer(path, (asked, response) =>
    response.writeHead(200, { ...fresh, 'content-location': path }).end(asked.method));
  assert.equal((await request(edges[0].url + path, { method: 'POST', body: 'x' })).text, 'POST');
  const kept = await get(edges[0].url + path);
  assert.equal(kept.text, 'POST');
  assert.match(status(kept), /edge-1; hit/);
  for (const [i, headers] of [{ ...fresh, 'content-location': '/other' }, fresh,
    { etag: '"1"', 'content-location': '/not-kept/2' }].entries()) {
    const other = `/not-kept/${i}`;
    origin.answer(other, (asked, response) => response.writeHead(200, headers).end(asked.method));
    await request(edges[0].url + other, { method: 'POST', body: 'x' });
    assert.equal((await get(edges[0].url + other)).text, 'GET');
  }
});

test('HEAD refreshes what has no validator, or shows that it is another', async () => {
  const stale = { 'cache-control': 'max-age=1', age: '5' };
  for (const [path, head, then] of [['/head-same', 3, 'old'], ['/head-other', 4, 'new']]) {
    origin.answer(path, { headers: { ...stale, 'x-a': '1' }, body: 'old' });
    await get(edges[0].url + path);
    await until(`${path} to be stored`, async () => {
      const { some } = (await get(`${edges[0].admin}/api/v1/cache`)).json();
      return some.some(({ key }) => key === path);
    }, { every_ms: 5 });
    origin.answer(path, (asked, response) => {
      if (asked.method === 'HEAD') response.writeHead(200, { ...fresh, 'x-a': '2', 'content-length': head }).end();
      else response.writeHead(200, { ...fresh, 'x-a': '3' }).end('new');
    });
    assert.equal((await request(edges[0].url + path, { method: 'HEAD' })).headers['x-a'], '2');
    assert.equal(origin.requests.at(-1).method, 'HEAD');
    const got = await until('the store to have heard of it', async () => {
      const answer = await get(edges[0].url + path);
      return answer.text === then && answer;
    }, { every_ms: 5 });
    assert.equal(got.headers['x-a'], then === 'old' ? '2' : '3');
  }
});

test('Max-Forwards counts the hops of OPTIONS and TRACE', async () => {
  const { url } = edges[0];
  const ask = (method, left) => request(`${url}/hops`, { method, headers: { 'max-forwards': left } });
  origin.answer('/hops', (asked, response) => response.end(asked.headers['max-forwards']));
  assert.equal((await ask('OPTIONS', '5')).text, '4');
  assert.equal((await ask('TRACE', '1')).text, '0');
  assert.equal((await ask('DELETE', '0')).text, '0', 'it means nothing there');
  const before = origin.count('/hops');
  assert.equal((await ask('OPTIONS', '0')).status, 204);
  assert.equal((await ask('TRACE', '0')).status, 501);
  assert.equal(origin.count('/hops'), before);
});

test('answers of the edge itself carry Cache-Status and Via', async () => {
  const url = edges[0].url;
  const loop = { 'cdn-loop': 'edge-1.torchrelay' };
  const own = [
    [508, await request(`${url}/x`, { headers: loop })],
    [504, await request(`${url}/never-seen`, { headers: { 'cache-control': 'only-if-cached' } })],
    [400, await request(`${url}/%zz`)],
    [413, await request(`${url}/x`, { method: 'POST', body: Buffer.alloc((1 << 20) + 1) })],
    [200, await get(`${url}/-/health`)],
    [405, await request(`${url}/-/leaving/edge-2`)],
    [405, await request(`${url}/-/purges`)],
    [400, await request(`${url}/-/purges`, { method: 'POST', body: '{}' })],
    [200, await request(`${url}/-/purges`, { method: 'POST', body: '{"from":"edge-2","reached":{}}' })],
    [413, await request(`${url}/-/changes`, { method: 'POST', body: Buffer.alloc(1 << 20) })],
    [405, await request(`${url}/-/changes`)],
    [204, await request(`${url}/-/changes`, { method: 'POST', body: '{"from":"edge-2","keys":[]}' })],
  ];
  for (const [code, answer] of own) {
    assert.equal(answer.status, code);
    assert.equal(status(answer), 'edge-1', 'neither a hit nor sent on');
    assert.equal(answer.headers.via, '1.1 edge-1');
    if (code === 405) assert.equal(answer.headers.allow, 'POST');
  }
  const refused = await new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect(edges[0].port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\n\r\n'));
    socket.on('data', (bytes) => { text += bytes; }).on('error', reject).on('close', () => resolve(text));
  });
  assert.match(refused, /^HTTP\/1\.1 400 /);
  assert.match(refused, /\r\nCache-Status: edge-1\r\n/);
});
