// Two readers, one meaning: what a running edge forwards of thousands of damaged messages is compared
// with what Node's parser (llhttp, strict) reads in the very same bytes. Nothing may pass that the two
// read differently, in requests and in answers alike. A failure prints the payload.

import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { makeAnswer, makeRequests, randomness, readStrictly } from '../support/http_grammar.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

const seed = 20260725;
const requestPayloads = 4000, cleanPayloads = 300, answerPayloads = 2000;
const options = { insecureHTTPParser: false, keepAliveTimeout: 60_000, maxHeaderSize: 64 << 10 };
const show = (text) => JSON.stringify(text);

const cleanups = [];
after(async () => { for (const clean of cleanups.reverse()) await clean(); });

/** A server that keeps what Node read, and the raw bytes of each connection. */
async function startReader() {
  const read = [], refused = [], sockets = new Set();
  const parser = http.createServer(options, async (request, response) => {
    const entry = { method: request.method, target: request.url, body: '', whole: false };
    read.push(entry);
    request.setEncoding('latin1').on('error', () => {});
    response.on('error', () => {});
    try {
      for await (const piece of request) entry.body += piece;
    } catch {
      return;
    }
    if (!request.complete) return;
    entry.whole = true;
    response.writeHead(200, { 'content-length': 2, 'cache-control': 'no-store' }).end('ok');
  });
  parser.on('checkContinue', (request, response) => parser.emit('request', request, response));
  parser.on('checkExpectation', (request, response) => parser.emit('request', request, response));
  parser.on('connect', (request, socket) => { refused.push('CONNECT'); socket.destroy(); });
  parser.on('clientError', (error, socket) => {
    refused.push(error.code);
    socket.destroy();
  });
  const raw = [];
  const door = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const bytes = { text: '' };
    raw.push(bytes);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    parser.emit('connection', socket);
    // Only now: a listener from before would be passed over, the parser reads the socket itself.
    socket.on('data', (piece) => { bytes.text += piece.toString('latin1'); });
  });
  await new Promise((ready) => door.listen(0, '127.0.0.1', ready));
  cleanups.push(() => { door.close(); for (const socket of sockets) socket.destroy(); });
  return { read, refused, raw, port: door.address().port };
}

/** Sends the payload and all of its end; resolves with what came back once the peer has closed. */
function speak(port, payload) {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    socket.end(payload, 'latin1');
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on('data', (piece) => { text += piece.toString('latin1'); });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

/** How a request looks behind the edge: flights may ask for a HEAD with GET, and bodies of both stay. */
const forwarded = (request) => fetched({ ...request, body: isSafe(request) ? '' : request.body });
const isSafe = ({ method }) => method === 'GET' || method === 'HEAD';
const fetched = (request) => (request.method === 'HEAD' ? { ...request, method: 'GET' } : request);

const same = (a, b) => a.method === b.method && a.target === b.target && a.body === b.body;
/** The one spelling of a path that the edge gives to odd ones; targets of the grammar only. */
const isPlain = (target) => /^\/[\w./;=?-]*$/.test(target) && !/\/\.\.?(\/|\?|$)/.test(target);

function isInOrder(few, many) {
  let at = 0;
  for (const one of many) {
    if (at < few.length && (same(few[at], one) || (!isPlain(one.target) &&
        few[at].method === one.method && few[at].body === one.body))) at++;
  }
  return at === few.length;
}

let upstream, reference, edge;
before(async () => {
  upstream = await startReader();
  reference = await startReader();
  edge = await startEdge({ upstream: `http://127.0.0.1:${upstream.port}`, settings: { log: { level: 'error' } } });
  cleanups.push(() => cleanUp(edge));
});

/** What Node reads in the payload, and what came through the edge, as Node and a strict reader say. */
async function compare(payload) {
  for (const reader of [upstream, reference]) reader.read.length = reader.refused.length = 0;
  for (const bytes of upstream.raw) bytes.text = '';
  await speak(edge.port, payload);
  await speak(reference.port, payload);
  const strict = upstream.raw.filter(({ text }) => text !== '').map(({ text }) => readStrictly(text));
  // The body of a GET or HEAD stays here, so an edge asks upstream before it has seen that body's end.
  const whole = ({ read }) => read.filter((one) => one.whole || isSafe(one)).map(({ method, target, body }) => ({ method, target, body }));
  return {
    came: whole(upstream).map(fetched), refused: [...upstream.refused], strict,
    expected: whole(reference).map(forwarded), known: !reference.refused.includes('HPE_INVALID_METHOD'),
  };
}

test(`${cleanPayloads} plain payloads: all of them pass, and Node reads the same`, async () => {
  const random = randomness(seed, 0);
  for (let i = 0; i < cleanPayloads; i++) {
    const count = 1 + random.below(3);
    const payload = Array.from({ length: count }, (_, k) =>
      `POST /plain/${i}.${k} HTTP/1.1\r\nHost: h\r\nContent-Length: ${k}\r\n\r\n${'x'.repeat(k)}`).join('');
    const { came, expected } = await compare(payload);
    assert.equal(came.length, count, show(payload));
    assert.deepEqual(came, expected, show(payload));
  }
});

test(`${requestPayloads} damaged requests: what is forwarded is what Node reads`, async () => {
  const random = randomness(seed);
  let passed = 0, stopped = 0;
  for (let i = 0; i < requestPayloads; i++) {
    const payload = makeRequests(random, i);
    const { came, refused, strict, expected, known } = await compare(payload);
    const why = () => `seed ${seed}, payload ${i}: ${show(payload)}\n  forwarded: ${show(came)}\n  ` +
      `as Node reads it: ${show(expected)}\n  strictly: ${strict.map((one) => one.message ?? show(one))}`;
    for (const one of strict) assert.ok(Array.isArray(one), why());
    // A method that Node's table does not have stops Node there; the strict reader goes on alone.
    const odd = refused.includes('HPE_INVALID_METHOD') || !known;
    if (!odd) {
      assert.deepEqual(refused, [], why());
      assert.equal(strict.reduce((sum, one) => sum + one.length, 0), came.length, why());
      assert.ok(isInOrder(came, expected), why());
    }
    passed += came.length;
    stopped += came.length < expected.length;
  }
  assert.ok(passed > requestPayloads / 2, `only ${passed} requests came through`);
  assert.ok(stopped > 0, 'the gate is stricter than Node somewhere');
});

/** A server that answers every request with the bytes that stand for its path, and may then close. */
async function startSpeaker() {
  const answers = new Map(), sockets = new Set();
  const server = net.createServer({ noDelay: true }, (socket) => {
    let text = '';
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
      for (let end; (end = text.indexOf('\r\n\r\n')) >= 0; text = text.slice(end + 4)) {
        const { bytes, close } = answers.get(text.split(' ')[1]);
        socket.write(bytes, 'latin1');
        if (close) socket.end();
      }
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  cleanups.push(() => { server.close(); for (const socket of sockets) socket.destroy(); });
  return { answers, url: `http://127.0.0.1:${server.address().port}` };
}

/** {status, body} of a whole answer; null for a broken one and for one that never comes. */
function ask(url) {
  return new Promise((resolve) => {
    let begun = false;
    const asked = http.get(url, { ...options, agent: false }, (answer) => {
      let body = '';
      begun = true;
      answer.setEncoding('latin1').on('data', (piece) => { body += piece; });
      answer.on('error', () => {});
      answer.on('close', () => resolve(answer.complete ? { status: answer.statusCode, body } : null));
    });
    asked.setTimeout(10_000, () => asked.destroy());
    // Once there is an answer, an error may be about what follows it: its own end tells.
    asked.on('error', () => { if (!begun) resolve(null); });
  });
}

test(`${answerPayloads} damaged answers: what is handed on is what Node reads`, async () => {
  const random = randomness(seed + 1);
  const speaker = await startSpeaker();
  const behind = await startEdge({ upstream: speaker.url, settings: { log: { level: 'error' },
    timeouts: { first_byte: '150ms', stall: '150ms' } } });
  cleanups.push(() => cleanUp(behind));
  let passed = 0;
  for (let i = 0; i < answerPayloads; i++) {
    const bytes = makeAnswer(random, i), path = `/answer/${i}`;
    // Where the length says too much, the end of the connection tells it sooner than a deadline.
    speaker.answers.set(path, { bytes, close: random.chance(0.95) || !/\r\n\r\n/.test(bytes) });
    const through = await ask(behind.url + path);
    const why = (direct) => `seed ${seed + 1}, payload ${i}: ${show(bytes)}\n  handed on: ${show(through)}\n  ` +
      `as Node reads it: ${show(direct)}`;
    if (!through || through.status === 502 || through.status === 504) continue;
    const direct = await ask(speaker.url + path);
    assert.deepEqual(through, direct, why(direct));
    assert.ok(!through.body.includes('poison') || direct.body.includes('poison'), why(direct));
    passed++;
  }
  assert.ok(passed > answerPayloads / 4, `only ${passed} answers came through`);
});
