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
        seen.push({ path, connection: number });
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
const hostile = [
  ['unknown coding', 501, head('Transfer-Encoding: blegh')],
  ['gzip with a length', 400, head('Transfer-Encoding: gzip', 'Content-Length: 5')],
  ['chunked, identity', 501, head('Transfer-Encoding: chunked, identity')],
  ['chunked twice', 400, head('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
  ['odd bytes around chunked', 400, head('Transfer-Encoding: \xa0chunked')],
  ['chunked in HTTP/1.0', 400, 'GET /gate HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['coding and length', 400, head('Transfer-Encoding: chunked', 'Content-Length: 5')],
  ['length list', 400, head('Content-Length: 0, 0')],
  ['two equal lengths', 400, head('Content-Length: 0', 'Content-Length: 0')],
  ['signed length', 400, head('Content-Length: +0')],
  ['no Host', 400, 'GET /gate HTTP/1.1\r\n\r\n'],
  ['two Hosts', 400, head('Host: h')],
  ['absolute-form', 400, 'GET http://other/gate HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['obs-fold', 400, head('A: b', ' c')],
  ['bare CR', 400, head('A: b\rc')],
  ['bare LF', 400, head('A: b\nc: d')],
  ['NUL', 400, head('A: b\0c')],
  ['space before the colon', 400, head('A : b')],
  ['HTTP/2.0', 505, 'GET /gate HTTP/2.0\r\nHost: h\r\n\r\n'],
  ['too many fields', 431, head(...Array(100).fill('a: b'))],
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
  ['unknown coding', `${reply('Transfer-Encoding: blegh')}\r\n\r\nhello`],
  ['gzip with a length', `${reply('Transfer-Encoding: gzip', 'Content-Length: 5')}\r\n\r\nhello`],
  ['coding and length',
    `${reply('Transfer-Encoding: chunked', 'Content-Length: 5')}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`],
  ['chunked in HTTP/1.0',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ['length list', `${reply('Content-Length: 5, 5')}\r\n\r\nhello`],
  ['two lengths', `${reply('Content-Length: 5', 'Content-Length: 6')}\r\n\r\nhello`],
  ['obs-fold', `${reply('A: b', ' c', 'Content-Length: 5')}\r\n\r\nhello`],
  ['bare LF', `${reply('A: b\nc: d', 'Content-Length: 5')}\r\n\r\nhello`],
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
