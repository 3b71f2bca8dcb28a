// Clients that mean harm, many at once: heads and bodies that trickle in, answers that nobody takes,
// idle crowds, floods of fields, ranges and connections. They are ended by deadlines, normal
// requests go on meanwhile, memory stays where it was. Honest slowness is let be.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { get, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

const crowd = 200;
const memory_bytes_max = 64 << 20;  // more than before, while they are all there

let origin, edge;
const page = pattern(3_000), film = pattern(24 << 20);
const isHit = (answer) => /; hit/.test(answer.headers['cache-status']);
const warm = (path) => until(`${path} to be a hit`, async () => isHit(await get(edge.url + path)));

before(async () => {
  origin = await startScriptedOrigin();
  origin.answer('/page', { headers: fresh, body: page });
  origin.answer('/film', { headers: fresh, body: film });
  origin.answer('/form', { body: 'thanks' });
  edge = await startEdge({ upstream: origin.url });
  await warm('/page');
  await warm('/film');
});
after(async () => {
  await cleanUp(edge, origin);
});

const memory = () => Number(/VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${edge.pid}/status`, 'utf8'))[1]) * 1024;

const descriptors = () => fs.readdirSync(`/proc/${edge.pid}/fd`).length;
/** A connection that begins with `first` and then goes on as `step` says, every `every_ms`. */
function attacker(first, step, every_ms) {
  const one = { ended: false, text: '' };
  const socket = net.connect({ port: edge.port, host: '127.0.0.1' }, () => socket.write(first, 'latin1'));
  const timer = step && setInterval(() => { if (socket.writable) step(socket); }, every_ms);
  const end = () => { one.ended = true; clearInterval(timer); };
  socket.on('error', end).on('close', end).on('end', end);
  one.leave = () => { end(); socket.destroy(); };
  one.socket = socket;
  return one;
}
const many = (make) => Array.from({ length: crowd }, make);
const listen = (one) => { one.socket.on('data', (piece) => { one.text += piece.toString('latin1').slice(0, 64); }); return one; };

const slowHeads = () => many(() => listen(attacker('GET /page HTTP/1.1\r\nHost: h\r\n',
  (socket) => socket.write('A: b\r\n'), 500)));
const slowBodies = () => many(() => listen(attacker('POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n',
  (socket) => socket.write('x'.repeat(24)), 500)));
const slowChunks = () => many(() => listen(attacker('POST /form HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n',
  (socket) => socket.write('1\r\nx\r\n'), 500)));
/** Ask for much and take a few bytes now and then. */
const slowReaders = () => many(() => {
  const one = attacker('GET /film HTTP/1.1\r\nHost: h\r\n\r\n', (socket) => socket.read(32), 500);
  one.socket.pause();
  return one;
});

test('trickles and readers of nothing are ended; others are served; memory stays', { timeout: 150_000 }, async () => {
  const before = memory(), none = descriptors();
  const idle = many(() => attacker(''));
  await until('the idle ones to be taken', () => descriptors() >= none + crowd - 8);
  const open = descriptors();
  const all = [slowHeads(), slowBodies(), slowChunks(), slowReaders()];
  await until('all of them to be there', () => descriptors() >= open + 3 * crowd);
  let most = 0, served = 0;
  try {
    await until('all of them to be ended', async () => {
      const answer = await get(`${edge.url}/page`);
      assert.deepEqual(answer.body, page);
      served++;
      most = Math.max(most, memory());
      // Whose socket is full learns of its end only when it reads on: the edge's side counts.
      return descriptors() <= open + 8;
    }, { deadline_ms: 100_000, every_ms: 100 });
    assert.ok(served > 100, `${served} normal requests`);
    assert.ok(most - before < memory_bytes_max, `${(most - before) >> 20} MiB more`);
    assert.ok(idle.every((one) => !one.ended), 'who is only idle may stay longer');
    assert.equal(origin.count('/form'), 0, 'an unfinished body is not sent on');
  } finally {
    for (const one of [...idle, ...all.flat()]) one.leave();
  }
});

test('a slow reader that takes enough is let be', { timeout: 90_000 }, async () => {
  let taken = 0;
  // What lies in the buffers of the two kernels is taken first; only behind that the edge sees it.
  const one = attacker('GET /film HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', (socket) => {
    taken += socket.read(Math.min(50_000, socket.readableLength) || undefined)?.length ?? 0;
  }, 100);
  one.socket.pause();
  await until('the whole body', () => one.ended || taken > film.length, { deadline_ms: 80_000 });
  assert.ok(taken > film.length, `cut off after ${taken} bytes`);
  one.leave();
});

test('floods of fields, ranges and connections cost themselves only', async () => {
  const before = memory();
  const flood = `GET /page HTTP/1.1\r\nHost: h\r\n${'a: b\r\n'.repeat(200)}\r\n`;
  const large = `GET /page HTTP/1.1\r\nHost: h\r\nA: ${'a'.repeat(60_000)}`;
  for (const bytes of [flood, large]) {
    const all = many(() => listen(attacker(bytes)));
    await until('the floods to be refused', () => all.every((one) => one.ended));
    for (const { text } of all) assert.match(text, /^HTTP\/1\.1 431 |^$/);
    assert.ok(all.filter(({ text }) => text).length > crowd / 2);
  }
  const ranges = Array.from({ length: 1000 }, (_, i) => `${i}-${i + 1}`).join(',');
  const answers = await Promise.all(many(() => request(`${edge.url}/page`, { headers: { range: `bytes=${ranges}` } })));
  for (const { status, body } of answers) {
    assert.equal(status, 200, 'too many ranges: the whole, once');
    assert.deepEqual(body, page);
  }
  for (let round = 0; round < 10; round++) {
    const churn = many(() => attacker('GET /pa'));
    await Promise.all(churn.map(({ socket }) => new Promise((open) => socket.on('connect', open))));
    for (const one of churn) one.leave();
  }
  assert.deepEqual((await get(`${edge.url}/page`)).body, page);
  assert.ok(memory() - before < memory_bytes_max, `${(memory() - before) >> 20} MiB more`);
});

test('two thousand idle connections: each costs little, and each is still answered', async () => {
  const count = 2000, bytes_max = 4096;
  const ask = 'GET /page HTTP/1.1\r\nHost: h\r\n\r\n';
  const all = [];
  await cleanUp(edge);
  edge = await startEdge({ upstream: origin.url });  // one whose memory nobody has stretched yet
  await warm('/page');
  const before = memory();
  try {
    for (let i = 0; i < count; i++) {
      const one = attacker(ask);
      one.got = 0;
      one.socket.on('data', (piece) => { one.got += piece.length; });
      await new Promise((open) => one.socket.on('connect', open));
      all.push(one);
    }
    await until('all first answers', () => all.every(({ got }) => got > page.length));
    // Buffers are given back a moment after the answer; the least that is seen counts.
    let each = Infinity;
    await until('the buffers to be given back', () => {
      each = Math.min(each, (memory() - before) / count);
      return each < bytes_max;
    }).catch((error) => assert.fail(`${each} bytes each: ${error.message}`));
    for (const one of all) one.got = 0, one.socket.write(ask);
    await until('all second answers', () => all.every(({ got }) => got > page.length));
    assert.ok(all.every(({ ended }) => !ended));
  } finally {
    for (const one of all) one.leave();
  }
});
