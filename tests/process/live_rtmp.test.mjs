// Encoders that push RTMP and RTMPS: the key is asked for first, a slot has one publisher, garbage harms
// nobody, and a channel outlives who publishes it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { asset } from '../support/broadcaster.mjs';
import { publishEnhanced } from '../support/enhanced_rtmp.mjs';
import { listen } from '../support/events.mjs';
import { metricValue } from '../support/http.mjs';
import { followLive, openChannel, publish, quickGrid, slotReady, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { cleanUp, startOrigin, temporaryFolder } from '../support/torchrelay.mjs';

let origin;
let address;
let final;  // how to publish on demo/final
const publishers = [];

before(async () => {
  const folder = temporaryFolder('certificate');
  const [rtmp, rtmps] = await freePorts(2);
  const certificate = path.join(folder, 'certificate.pem');
  const key = path.join(folder, 'key.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  address = { rtmp: `rtmp://127.0.0.1:${rtmp}`, port: rtmp };
  origin = await startOrigin({ tenants: { demo: 'demo-key', rival: 'rival-key' }, settings: { live: {
    rtmp: `127.0.0.1:${rtmp}`, rtmps: `127.0.0.1:${rtmps}`, rtmps_certificate: certificate, rtmps_key: key,
    srt: '', ...quickGrid } } });
  fs.rmSync(folder, { recursive: true });
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

const slotOf = async (channel, slot = 'primary') => (await asset(origin, channel)).live.slots[slot];
const publishing = async () =>
  metricValue(await origin.metrics(), 'origin_live_publishers', { protocol: 'rtmp' });

/** Opens the tenant's events for the length of a test. */
async function subscribe(t) {
  const told = listen(origin, 'demo');
  t.after(told.close);
  await told.ready;
  return told;
}

/**
 * What is told of a channel's primary slot, as long as the document says it and subscribers have heard it;
 * one publisher was refused there. `publishing`: somebody is there all the same.
 */
async function refusalOf(channel, { events }, { publishing: expected = false } = {}) {
  const { refused, publishing: is_there, refused_publishers } = await until('the refusal to be told', async () => {
    const slot = await slotOf(channel);
    const heard = events.map(({ data }) => data).filter(({ asset: of, live }) => live && of === channel.split('/')[1]);
    return slot.refused && heard.some(({ live }) => live.slots.primary.refused === slot.refused) && slot;
  });
  assert.deepEqual([is_there, refused_publishers], [expected, 1]);
  return refused;
}

test('ffmpeg pushes to the address that the API gave, and is on air', async () => {
  ({ ingest: final } = await openChannel(origin, 'demo/final'));
  push(final.rtmp);
  const urls = await waitForAir(origin, 'demo/final');
  const video = Object.entries(urls).find(([name]) => name !== 'audio')[1];
  const start = (await followLive(video, (now) => now.segments.length > 0)).next.msn;
  const now = await followLive(video, (playlist) => playlist.next.msn > start + 2);
  assert.ok(now.segments.slice(-2).every((segment) => !segment.gap));
});

test('a second publisher on the slot is told so, as are subscribers, and the first one stays', async (t) => {
  const told = await subscribe(t);
  const second = push(final.rtmp);
  const { code, said } = await second.exited;
  assert.notEqual(code, 0);
  assert.match(said, /Input\/output error|Operation not permitted|publishes/i);
  assert.equal(await publishing(), 1);
  assert.equal(await refusalOf('demo/final', told, { publishing: true }), 'somebody publishes there already');
  assert.equal((await slotOf('demo/final')).state, 'ready');
});

test('without the right key nothing is taken, and the channel says so', async (t) => {
  await openChannel(origin, 'demo/locked');
  const told = await subscribe(t);
  const refused = async () => metricValue(await origin.metrics(), 'origin_live_refused_total', { protocol: 'rtmp' });
  const before = await refused() ?? 0;
  for (const stream of ['demo/locked?key=wrong', 'demo/final', 'rival/final?key=wrong', 'demo/none?key=x']) {
    const { code } = await push(`${address.rtmp}/${stream}`).exited;
    assert.notEqual(code, 0, stream);
  }
  assert.equal(await refused(), before + 4);
  assert.equal(await refusalOf('demo/locked', told), 'the key was wrong');
});

test('HEVC comes by enhanced RTMP', async (t) => {
  const { ingest } = await openChannel(origin, 'demo/hevc');
  const publisher = await publishEnhanced(ingest.rtmp);
  t.after(publisher.stop);
  const urls = await waitForAir(origin, 'demo/hevc');
  const video = Object.entries(urls).find(([name]) => name !== 'audio')[1];
  const start = (await followLive(video, (now) => now.segments.length > 0)).next.msn;
  const now = await followLive(video, (playlist) => playlist.next.msn > start + 3);
  assert.ok(now.segments.slice(-3).every((segment) => !segment.gap), publisher.said());
  const { video: picture, audio, jumps } = await slotOf('demo/hevc');
  assert.match(picture, /^hevc 320x180/);
  assert.match(audio, /^aac 48000 2/);
  assert.equal(jumps, 0);
});

test('a coding that RTMP does not carry is named, to the encoder and in the document', async (t) => {
  const why = 'av1 is not taken by RTMP: send H.264 or HEVC with AAC or MP3';
  const { ingest } = await openChannel(origin, 'demo/av1');
  const told = await subscribe(t);
  const publisher = await publishEnhanced(ingest.rtmp, { coding: 'av01' });
  t.after(publisher.stop);
  await until('the refusal', () => publisher.said().includes(why));
  assert.equal(await refusalOf('demo/av1', told), why);
});

test('who stops to speak RTMP after the beginning is told of too', async (t) => {
  const { ingest } = await openChannel(origin, 'demo/spoilt');
  const told = await subscribe(t);
  const publisher = await publishEnhanced(ingest.rtmp);
  t.after(publisher.stop);
  await until('it to publish', async () => (await slotOf('demo/spoilt')).publishing);
  publisher.spoil(Buffer.alloc(200_000, 0xff));
  const why = await refusalOf('demo/spoilt', told);
  assert.match(why, /\w+ \w+/);
  t.diagnostic(why);
});

test('OBS wants server and stream key by themselves: together they are the address', async () => {
  const { ingest } = await openChannel(origin, 'demo/obs', { body: { rungs_max: 1, height_max: 180 } });
  assert.equal(`${ingest.rtmp_server}/${ingest.rtmp_stream}`, ingest.rtmp);
  assert.equal(`${ingest.rtmps_server}/${ingest.rtmps_stream}`, ingest.rtmps);
  const publisher = push(ingest.rtmp_server, { output: ['-rtmp_playpath', ingest.rtmp_stream] });
  await waitForAir(origin, 'demo/obs');
  await slotReady(origin, 'demo/obs', 'primary');
  await publisher.stop();
  await until('it to be missed', async () => await publishing() === 1);
});

test('RTMPS is the same with TLS', async () => {
  const { ingest } = await openChannel(origin, 'rival/cup');
  push(ingest.rtmps);
  await waitForAir(origin, 'rival/cup');
});

test('garbage and half-open connections harm nobody, and are closed', async (t) => {
  const greeting = Buffer.alloc(3073, 3);  // C0, C1 and C2, and nothing behind them
  const shapes = [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(100_000, 3), greeting,
    Buffer.concat([greeting, Buffer.alloc(5000, 0xff)]), Buffer.alloc(0), greeting.subarray(0, 700)];
  const connect = (bytes) => new Promise((connected) => {
    const socket = net.connect(address.port, '127.0.0.1', () => { socket.write(bytes); connected(socket); });
    socket.on('error', () => {}).resume();
    t.after(() => socket.destroy());
  });
  const sockets = await Promise.all(shapes.map(connect));
  const slow = await connect(greeting.subarray(0, 1));
  const drip = setInterval(() => { if (slow.writable) slow.write(greeting.subarray(1, 2)); }, 200);
  t.after(() => clearInterval(drip));
  sockets.push(slow);
  await until('those that are no RTMP, or stand half open, to be closed', () => {
    const open = sockets.flatMap(({ closed }, i) => (closed ? [] : [i]));
    return open.length === 0 || Promise.reject(new Error(`open are ${open.join()}`));
  }, { deadline_ms: 90_000 });
  assert.equal(await publishing(), 1);
  assert.equal((await slotOf('demo/final'))?.state, 'ready');
});

test('one peer\'s connections that publish nothing keep out nobody else', async (t) => {
  const most = 64;
  const too_many = 10;
  const refused = async () => metricValue(await origin.metrics(), 'origin_live_refused_total', { protocol: 'rtmp' });
  const knock = () => net.connect({ port: address.port, host: '127.0.0.1', localAddress: '127.0.0.2' })
    .on('error', () => {}).resume();
  const before = await refused();
  const sockets = Array.from({ length: most + too_many }, knock);
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await until('those above the limit to be refused', async () => await refused() === before + too_many);
  await until('them to be closed', () => sockets.filter(({ closed }) => closed).length >= too_many);
  assert.match(origin.log(), /cannot take a publisher.*peer=127\.0\.0\.2 why="too many of its connections/);
  const { ingest } = await openChannel(origin, 'demo/beside');
  push(ingest.rtmp);
  await until('another peer to publish', async () => (await slotOf('demo/beside')).publishing);
  for (const socket of sockets) socket.destroy();
  await until('that peer to be heard again', async () => {
    const socket = knock();
    sockets.push(socket);
    socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1536)]));  // a handshake begins
    await until('an answer, or none', () => socket.bytesRead > 0 || socket.closed);
    return socket.bytesRead > 0;
  });
});
