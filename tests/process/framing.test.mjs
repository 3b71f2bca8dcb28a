// The framing gate of a running edge, from both sides: clients that send what two parsers read
// differently, and upstreams that answer so. Nothing behind a refused head is ever looked at.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { request } from '../support/http.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

let upstream, edge;

before(async () => {
  upstream = await startUpstream();
  edge = await startEdge({ upstream: upstream.url });
});

after(async () => {
  await cleanUp(edge);
  upstream?.stop();
});

/** An origin made of raw bytes: `answers` maps a path to what is sent for it, else a plain 200. */
async function startUpstream() {
  const seen = [], answers = new Map(), sockets = new Set();
  let connections = 0;
  const server = net.createServer((socket) => {
    const number = ++connections;
    let text = '';
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end; (end = text.indexOf('\r\n\r\n')) >= 0; text = text.slice(end + 4)) {
        const path = text.split(' ')[1];
        seen.push({ path, connection: number, head: text.slice(0, end) });
        socket.write(answers.get(path) ?? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain', 'latin1');
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    seen, answers, url: `http://127.0.0.1:${server.address().port}`,
    stop: () => { server.close(); for (const socket of sockets) socket.destroy(); },
  };
}

/** Everything the edge sends until it closes the connection. */
function exchange(bytes) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(edge.port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    let text = '';
    socket.setTimeout(20_000, () => socket.destroy(new Error('the edge kept the connection open')));
    socket.on('data', (piece) => { text += piece.toString('latin1'); });
    socket.on('end', () => { socket.end(); resolve(text); });
    socket.on('error', reject);
  });
}

const head = (...lines) => ['GET /gate HTTP/1.1', 'Host: h', ...lines].join('\r\n') + '\r\n\r\n';
const post = (body, ...lines) =>
  ['POST /gate HTTP/1.1', 'Host: h', ...lines].join('\r\n') + '\r\n\r\n' + body;
const coded = (body) => post(body, 'Transfer-Encoding: chunked');
/** Every shape of framing that two parsers have been seen to read differently, as field lines. */
const framings = [
  ['unknown coding', 501, ['Transfer-Encoding: blegh']],
  ['gzip with a length', 400, ['Transfer-Encoding: gzip', 'Content-Length: 5']],
  ['length, then an unknown coding', 400, ['Content-Length: 5', 'Transfer-Encoding: blegh']],
  ['chunked, identity', 501, ['Transfer-Encoding: chunked, identity']],
  ['gzip, chunked', 501, ['Transfer-Encoding: gzip, chunked']],
  ['gzip and chunked in two fields', 400, ['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked']],
  ['chunked and identity in two fields', 400, ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity']],
  ['chunked, chunked', 400, ['Transfer-Encoding: chunked, chunked']],
  ['chunked twice', 400, ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
  ['\\xa0 around chunked', 400, ['Transfer-Encoding: \xa0chunked\xa0']],
  ['\\xff before chunked', 400, ['Transfer-Encoding: \xffchunked']],
  ['a tab behind chunked', 400, ['Transfer-Encoding: chunked\t']],
  ['no coding named', 400, ['Transfer-Encoding:']],
  ['coding, then length', 400, ['Transfer-Encoding: chunked', 'Content-Length: 5']],
  ['length, then coding', 400, ['Content-Length: 5', 'Transfer-Encoding: chunked']],
  ['length list', 400, ['Content-Length: 5, 5']],
  ['length list of two', 400, ['Content-Length: 5, 6']],
  ['two equal lengths', 400, ['Content-Length: 5', 'Content-Length: 5']],
  ['two lengths', 400, ['Content-Length: 5', 'Content-Length: 6']],
  ['signed length', 400, ['Content-Length: +5']],
  ['length with a letter', 400, ['Content-Length: 5a']],
  ['obs-fold', 400, ['A: b', ' c']],
  ['folded coding', 400, ['Transfer-Encoding:', ' chunked']],
  ['bare CR', 400, ['A: b\rc']],
  ['bare LF', 400, ['A: b\nc: d']],
  ['NUL', 400, ['A: b\0c']],
  ['space before the colon', 400, ['Content-Length : 5']],
];
/** Chunked bodies that are broken behind a good head. */
const brokenChunks = [
  ['a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a size over 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
  ['bare LF behind the size', '5\nhello\r\n0\r\n\r\n'],
  ['bare LF behind the data', '5\r\nhello\n0\r\n\r\n'],
  ['more data than the size says', '4\r\nhello\r\n0\r\n\r\n'],
  ['a size line over 8 KiB', `5;${'a'.repeat(9000)}\r\nhello\r\n0\r\n\r\n`],
  ['a length among the trailers', '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n'],
];
const hostile = [
  ...framings.map(([what, status, lines]) => [what, status, head(...lines)]),
  ...brokenChunks.map(([what, body]) => [what, 400, coded(body)]),
  ['chunked in HTTP/1.0', 400, 'GET /gate HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['no Host', 400, 'GET /gate HTTP/1.1\r\n\r\n'],
  ['two Hosts', 400, head('Host: h')],
  ['an empty Host', 400, 'GET /gate HTTP/1.1\r\nHost:\r\n\r\n'],
  ['absolute-form', 400, 'GET http://other/gate HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['OPTIONS *', 400, 'OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['target !', 400, 'GET ! HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['a line feed in the target', 400, 'GET /ga\nte HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['CONNECT', 501, 'CONNECT /gate HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['PRI', 501, 'PRI /gate HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['HTTP/1.2', 505, 'GET /gate HTTP/1.2\r\nHost: h\r\n\r\n'],
  ['HTTP/2.0', 505, 'GET /gate HTTP/2.0\r\nHost: h\r\n\r\n'],
  ['too many fields', 431, head(...Array(100).fill('a: b'))],
  ['a head over 32 KiB', 431, head(`A: ${'a'.repeat(33 << 10)}`)],
  ['target too long', 414, `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: h\r\n\r\n`],
];

for (const [what, status, bytes] of hostile) {
  test(`request with ${what}: ${status}, close, nothing forwarded`, async () => {
    const before = upstream.seen.length;
    const answer = await exchange(`${bytes}GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n`);
    assert.equal(answer.slice(0, 13), `HTTP/1.1 ${status} `);
    assert.equal(answer.match(/HTTP\/1\.1 /g).length, 1, 'one answer only');
    assert.equal(upstream.seen.length, before, JSON.stringify(upstream.seen.slice(before)));
  });
}

test('bare line feeds only: no end of a head, nothing forwarded', async () => {
  const before = upstream.seen.length;
  const socket = net.connect(edge.port, '127.0.0.1');
  socket.on('error', () => {}).end('GET /gate HTTP/1.1\nHost: h\n\nGET /smuggled HTTP/1.1\nHost: h\n\n');
  await new Promise((closed) => socket.on('close', closed).resume());
  assert.equal(upstream.seen.length, before);
});

test('a refused head behind a good request: both are answered, and the edge goes on', async () => {
  const answer = await exchange(`${head()}${head('Host: other')}`);
  assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400']);
  assert.equal((await request(`${edge.url}/alive`)).status, 200);
});

test('a body on GET is not forwarded, and what follows it is the next request', async () => {
  const body = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';
  const answer = await exchange(
    `GET /with-body HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}` +
    'GET /next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  assert.equal(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 2, answer);
  const paths = upstream.seen.map(({ path }) => path);
  assert.ok(paths.includes('/with-body') && paths.includes('/next'), `${paths}`);
  assert.ok(!paths.includes('/smuggled'), `${paths}`);
});

const reply = (...lines) => ['HTTP/1.1 200 OK', 'Cache-Control: max-age=60', ...lines].join('\r\n');
const refusedAnswers = [
  ...framings.map(([what, , lines]) => [what, `${reply(...lines)}\r\n\r\nhello`]),
  ['chunked in HTTP/1.0',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['status 101', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['a head over 32 KiB', `${reply(`A: ${'a'.repeat(33 << 10)}`)}\r\n\r\nhello`],
];

for (const [i, [what, bytes]] of refusedAnswers.entries()) {
  test(`answer with ${what}: 502, and its connection is not used again`, async () => {
    const path = `/answer-${i}`;
    upstream.answers.set(path, bytes);
    assert.equal((await request(edge.url + path)).status, 502);
    const used = upstream.seen.filter((one) => one.path === path).map((one) => one.connection);
    upstream.answers.delete(path);
    const good = await request(edge.url + path);
    assert.equal(good.text, 'plain', 'the bad answer was not stored');
    const again = upstream.seen.at(-1);
    assert.equal(again.path, path);
    assert.ok(!used.includes(again.connection), `connection ${again.connection} of ${used}`);
  });
}

for (const [i, [what, body]] of brokenChunks.entries()) {
  test(`answer with ${what}: its readers are cut off, and nothing of it is kept`, async () => {
    const path = `/broken-${i}`;
    upstream.answers.set(path, `${reply('Transfer-Encoding: chunked')}\r\n\r\n${body}`);
    const cut = await request(edge.url + path).then(({ status }) => status, () => 'cut');
    assert.ok(cut === 'cut' || cut === 502, `${cut}`);
    upstream.answers.delete(path);
    assert.equal((await request(edge.url + path)).text, 'plain', 'the bad answer was not stored');
  });
}

const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
const bodyless = [
  ['204', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello'],
  ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello'],
  ['204, then an answer', 'OPTIONS', `HTTP/1.1 204 No Content\r\n\r\n${poison}`],
  ['200 to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['200 to HEAD, chunked', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ['404 to HEAD', 'HEAD', 'HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello'],
  ['200 to HEAD, then an answer', 'HEAD', `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${poison}`],
];

for (const [i, [what, method, bytes]] of bodyless.entries()) {
  test(`bytes behind an answer without a body (${what}): the connection is not used again`, async () => {
    const path = `/bodyless-${i}`;
    upstream.answers.set(path, bytes);
    const answer = await request(edge.url + path, { method });
    assert.equal(String(answer.status), what.slice(0, 3));
    assert.equal(answer.text, '');
    const { connection, head: asked } = upstream.seen.findLast((one) => one.path === path);
    assert.ok(asked.startsWith(`${method} `), asked);
    assert.equal((await request(`${edge.url}/after-${i}`)).text, 'plain');
    assert.notEqual(upstream.seen.at(-1).connection, connection);
  });
}

test('a body on GET leaves no length behind: the upstream connection stays in step', async () => {
  const body = 'x'.repeat(37);
  const pair = (n) => exchange(`GET /step-${n} HTTP/1.1\r\nHost: h\r\nContent-Length: 37\r\n\r\n${body}` +
    `GET /stepped-${n} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  for (let n = 0; n < 5; n++) await pair(n);
  for (const { head: forwardedHead } of upstream.seen.filter((one) => one.path.startsWith('/step'))) {
    assert.doesNotMatch(forwardedHead, /content-length|transfer-encoding/i);
  }
});
