// Encoders that push SRT: encrypted with the channel's passphrase, or with its key in the stream id.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { after, before, test } from 'node:test';
import { asset } from '../support/broadcaster.mjs';
import { listen } from '../support/events.mjs';
import { get, metricValue } from '../support/http.mjs';
import { fetchLive, followLive, openChannel, publish, quickGrid, renditionUrls, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';

let origin;
let port;
const publishers = [];

before(async () => {
  [port] = await freePorts(1);
  origin = await startOrigin({
    settings: { live: { rtmp: '', srt: `127.0.0.1:${port}`, srt_latency: '40ms', ...quickGrid } } });
});
after(async () => {
  for (const publisher of publishers) await publisher.stop();
  await cleanUp(origin);
});

function push(to, options) {
  const publisher = publish(to, options);
  publishers.push(publisher);
  return publisher;
}

const count = async (name) => metricValue(await origin.metrics(), name, { protocol: 'srt' });
/** How often an audio rendition's segment falls silent; Infinity when it cannot be decoded whole. */
async function holesIn(playlist, segment) {
  const bodies = [];
  for (const name of ['init.mp4', segment]) bodies.push((await get(new URL(name, playlist))).body);
  const { status, stderr } = spawnSync('ffmpeg', ['-nostdin', '-i', '-', '-af', 'silencedetect=n=-45dB:d=0.004', '-f', 'null', '-'],
    { input: Buffer.concat(bodies), encoding: 'utf8' });
  const is_decoded = status === 0 && /size=.* time=00:00:0(0\.[1-9]|[1-9])/.test(stderr);
  return is_decoded ? stderr.split('silence_duration').length - 1 : Infinity;
}

const primary = async (channel) => (await asset(origin, channel)).live.slots.primary;
const address = (query) => `srt://127.0.0.1:${port}?${query}`;

test('ffmpeg pushes to the encrypted address that the API gave, and is on air', async () => {
  const { ingest } = await openChannel(origin, 'demo/final');
  assert.match(ingest.srt, /passphrase=/);
  assert.ok(!ingest.srt.includes(ingest.key), 'the key is not sent in the clear');
  const publisher = push(ingest.srt);
  await waitForAir(origin, 'demo/final');
  assert.match(origin.log(), /publisher came.*channel=demo\/final.*latency_ms=40/);
  assert.equal(await count('origin_live_publishers'), 1);
  // ffmpeg puts many AAC frames into one PES packet: the first of them must be in time too.
  const { audio } = await renditionUrls(origin, 'demo/final');
  await until('two whole segments of sound in a row without a hole', async () => {
    const { segments } = await fetchLive(audio);
    const heard = segments.slice(-2).filter(({ gap }) => !gap);
    const holes = await Promise.all(heard.map(({ uri }) => holesIn(audio, uri)));
    return holes.length === 2 && holes.every((count) => count === 0);
  });
  await publisher.stop();
  await until('it is noticed', async () => await count('origin_live_publishers') === 0);
});

test('the key in the stream id will do, without encryption', async () => {
  const { ingest } = await openChannel(origin, 'demo/cup');
  push(address(`streamid=${encodeURIComponent(`#!::u=demo,r=cup,s=${ingest.key}`)}`));
  await waitForAir(origin, 'demo/cup');
});

test('who knows neither is refused before a byte is taken, counted, and told in document and events', async (t) => {
  const { ingest } = await openChannel(origin, 'demo/heat');
  const { events, close, ready } = listen(origin, 'demo');
  t.after(close);
  await ready;
  const ids = [['#!::u=demo,r=heat,s=wrong', '', 'the key was wrong'],
    ['#!::u=demo,r=heat', 'not the right passphrase', 'the passphrase was wrong'],
    ['#!::u=demo,r=heat', '', 'it came without the passphrase'],
    [`#!::u=demo,r=heat,s=${ingest.key}`, 'of its own', 'it is encrypted, which goes without a key in the stream id'],
    ['#!::u=demo,r=none', 'not the right passphrase'], ['nothing of the kind'], ['']];
  const publishing = await count('origin_live_publishers');
  for (const [id, passphrase, told] of ids) {
    const refused = await count('origin_live_refused_total');
    const query = [id && `streamid=${encodeURIComponent(id)}`, passphrase && `passphrase=${encodeURIComponent(passphrase)}`];
    // libsrt may sweep a refused socket away before it is accepted: then nobody counts it.
    await until(`${id} to be refused and counted`, async () => {
      const { code } = await push(address(query.filter(Boolean).join('&'))).exited;
      assert.notEqual(code, 0, id);
      return await count('origin_live_refused_total') > refused;
    });
    if (!told) continue;
    await until(`it to be told of ${id}`, async () => (await primary('demo/heat')).refused === told);
    await until(`an event that tells of ${id}`, () =>
      events.some(({ data }) => data.asset === 'heat' && data.live?.slots.primary.refused === told));
  }
  const refused_publishers = (await primary('demo/heat')).refused_publishers;
  assert.ok(refused_publishers >= 4, `${refused_publishers}`);
  assert.equal(await count('origin_live_publishers'), publishing);
});

test('who sends no MPEG-TS is let go, and the document says so', async () => {
  const { ingest } = await openChannel(origin, 'demo/raw');
  push(ingest.srt, { output: ['-an', '-b:v', '2M', '-minrate', '2M'], format: 'h264' });
  await until('it to be told', async () =>
    (await primary('demo/raw')).refused === 'what comes in is no MPEG transport stream');
});

test('a publisher may ask for a longer latency than the origin', async () => {
  const { ingest } = await openChannel(origin, 'demo/far');
  push(`${ingest.srt}&latency=300000`);
  await waitForAir(origin, 'demo/far');
  assert.match(origin.log(), /publisher came.*channel=demo\/far.*latency_ms=300/);
});

/** SRT's first packet (draft-sharabayko-srt 3.2.1), or with the cookie of its answer the second one. */
function handshake({ version = 4, extension = 2, type = 1, cookie = 0 } = {}, rest = Buffer.alloc(0)) {
  const packet = Buffer.alloc(64);
  packet.writeUInt32BE(0x80000000, 0);
  packet.writeUInt32BE(version, 16);
  packet.writeUInt16BE(extension, 22);
  packet.writeUInt32BE(1500, 28);
  packet.writeUInt32BE(8192, 32);
  packet.writeInt32BE(type, 36);
  packet.writeUInt32BE(77, 40);  // the socket's number
  packet.writeUInt32BE(cookie, 44);
  packet.writeUInt32LE(0x7f000001, 48);
  return Buffer.concat([packet, rest]);
}

/** A socket of UDP at the listener's port; `answers` grows. */
function knock(t) {
  const socket = dgram.createSocket('udp4');
  t.after(() => socket.close());
  const answers = [];
  socket.on('message', (bytes) => answers.push(bytes));
  const send = (bytes) => new Promise((sent) => { socket.send(bytes, port, '127.0.0.1', sent); });
  return { answers, send };
}

test('garbage and half handshakes beside a publisher on air disturb nothing', async (t) => {
  const video = Object.entries(await waitForAir(origin, 'demo/cup')).find(([name]) => name !== 'audio')[1];
  const { next: { msn } } = await followLive(video, ({ segments }) => segments.some(({ gap }) => !gap));
  const [publishing, { refused_publishers }] = [await count('origin_live_publishers'), await primary('demo/cup')];
  const noise = knock(t);
  for (let i = 0; i < 2000; i++) await noise.send(randomBytes(i % 1472));
  for (const head of [0x80000000, 0x80010000, 0x80050000, 0xffff0000, 0]) {  // well-known types, and data
    const bytes = randomBytes(200);
    bytes.writeUInt32BE(head, 0);
    await noise.send(bytes);
    bytes.writeUInt32BE(0, 12);  // for the listener itself
    await noise.send(bytes);
  }
  const conclusion = { version: 5, extension: 5, type: -1 };
  for (let i = 0; i < 20; i++) {
    const caller = knock(t);
    await until('the first half to be answered', async () => {
      if (caller.answers.length === 0) await caller.send(handshake());
      return caller.answers.length > 0;
    });
    const cookie = caller.answers[0].readUInt32BE(44);
    if (i % 4 === 1) await caller.send(handshake({ ...conclusion, cookie: (cookie ^ 1) >>> 0 }));
    if (i % 4 === 2) await caller.send(handshake({ ...conclusion, cookie }, randomBytes(300)));
    if (i % 4 === 3) await caller.send(handshake({ ...conclusion, cookie }, Buffer.from('00010003ffff', 'hex')));
  }
  const after = await fetchLive(video);
  const now = await followLive(video, ({ next }) => next.msn >= after.next.msn + 3);
  assert.deepEqual(now.segments.filter(({ number, gap }) => gap && number >= msn), []);
  const { state, publishing: is_there, refused_publishers: refused } = await primary('demo/cup');
  assert.deepEqual([state, is_there, refused], ['ready', true, refused_publishers]);
  assert.equal(await count('origin_live_publishers'), publishing);
  const { ingest } = await openChannel(origin, 'demo/after');
  push(ingest.srt);
  await waitForAir(origin, 'demo/after');
});
