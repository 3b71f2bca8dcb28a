// Channels that differ, and feeds as they come: by a narrow line, over a dead connection, with a key
// that was taken back.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { asset, authorize } from '../support/broadcaster.mjs';
import { captionedClip, captionsIn } from '../support/captions.mjs';
import { listen } from '../support/events.mjs';
import { get, request } from '../support/http.mjs';
import { isAlive, residentMib, transcodersOf } from '../support/jobs.mjs';
import { feedUrl, fetchLive, followLive, openChannel, publish, quickGrid, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { startTcpRelay } from '../support/tcp_relay.mjs';
import { cleanUp, startOrigin, temporaryFolder } from '../support/torchrelay.mjs';

let origin;
let port;
const publishers = [];
const relays = [];
const folders = [];

// One small rung: these tests are about feeds, and the machine may be slow.
const small = { rungs_max: 1, height_max: 180 };
const held_mib_max = 64;  // of a program, for what it may hold of a publisher

before(async () => {
  [port] = await freePorts(1);
  origin = await startOrigin({ settings: { live: { rtmp: `127.0.0.1:${port}`, srt: '', ...quickGrid } } });
});
after(async () => {
  for (const publisher of publishers) await publisher.stop();
  for (const relay of relays) await relay.stop();
  await cleanUp(origin);
  for (const folder of folders) fs.rmSync(folder, { recursive: true });
});

function push(to, options) {
  const publisher = publish(to, options);
  publishers.push(publisher);
  return publisher;
}

async function relay() {
  const started = await startTcpRelay(port);
  relays.push(started);
  return started;
}

const slotOf = async (channel, slot = 'primary') => (await asset(origin, channel)).live.slots[slot];
const videoOf = (urls) => Object.entries(urls).find(([name]) => name !== 'audio')[1];
const through = (address, { port: other }) => address.replace(`:${port}/`, `:${other}/`);
const put = (channel, body, query) => openChannel(origin, channel, { body, query });

test('a channel has constants and rules of its own', async (t) => {
  const own = { part: '200ms', group: '1s', segment: '2s', dvr: '1m', dvr_size_max: '1GiB',
    rungs_max: 1, height_max: 240, between: 'slate', busy_slot: 'replace', return_to_primary: false };
  const opened = await put('demo/own', { title: 'Its own', ...own });
  assert.equal(opened.status, 201, JSON.stringify(opened));
  assert.deepEqual((await asset(origin, 'demo/own')).live.settings, own);

  await t.test('what is wrong is said with its place', async () => {
    const refused = await request(`${origin.url}/api/v1/demo/channels/other`,
      { method: 'PUT', headers: authorize(origin, 'demo'), body: '{\n  "part": "9s"}' });
    assert.equal(refused.status, 400);
    assert.match(refused.json().detail, /line 2, column 11: member 'part' must be a duration from 100ms to 5s/);
    assert.equal((await put('demo/other', { group: '2s', segment: '3s' })).status, 400);
  });
  await t.test('constants stay, rules may change', async () => {
    const refused = await put('demo/own', { part: '400ms' });
    assert.equal(refused.status, 409);
    assert.match(refused.detail, /'part' never changes .*dvr, dvr_size_max and busy_slot may$/);
    assert.equal((await put('demo/own', { part: '200ms', dvr: '2m' })).status, 200);
    assert.equal((await asset(origin, 'demo/own')).live.settings.dvr, '2m');
  });
  await t.test('viewers get what was asked for, and a second publisher replaces the first', async () => {
    const first = push(opened.ingest.rtmp, { size: '640x360' });
    const urls = await waitForAir(origin, 'demo/own');
    assert.deepEqual(Object.keys(urls).sort(), ['audio', 'v234']);
    const { text } = await get(videoOf(urls));
    assert.match(text, /#EXT-X-TARGETDURATION:2\n/);
    assert.match(text, /PART-TARGET=0\.2\d*\n/);
    push(opened.ingest.rtmp);
    assert.notEqual((await first.exited).code, null);
    await until('the second one to be well', async () => (await slotOf('demo/own')).state === 'ready');
  });
});

test('a key that was taken back ends who published by it', async () => {
  const { ingest } = await put('demo/revoked', small);
  const { events, close, ready } = listen(origin, 'demo');
  await ready;
  const first = push(ingest.rtmp);
  await waitForAir(origin, 'demo/revoked');
  const renewed = await put('demo/revoked', {}, '?new_key=true');
  assert.notEqual(renewed.ingest.key, ingest.key);
  await first.exited;
  const told = () => events.filter(({ data }) => data.asset === 'revoked' && data.live).map(({ data }) => data.live);
  await until('events that say so', () => {
    const onAir = told().findIndex((live) => live.on_air === 'primary');
    return onAir >= 0 && told().slice(onAir).some((live) => !live.slots.primary.publishing);
  });
  assert.notEqual((await push(ingest.rtmp).exited).code, 0);
  assert.equal((await slotOf('demo/revoked')).refused, 'the key was wrong');
  push(renewed.ingest.rtmp);
  await until('the new key to be on air', async () => (await asset(origin, 'demo/revoked')).live.on_air);
  close();
});

test('who feeds no MPEG-TS is refused, and document and subscribers are told', async () => {
  await put('demo/garbage', small);
  const { events, close, ready } = listen(origin, 'demo');
  await ready;
  const answer = await request(feedUrl(origin, 'demo/garbage'),
    { method: 'POST', headers: authorize(origin, 'demo'), body: Buffer.alloc(200_000, 'x') });
  assert.equal(answer.status, 400, answer.text);
  const why = 'what comes in is no MPEG transport stream';
  assert.equal(answer.json().detail, why);
  await until('it to be told', async () => (await slotOf('demo/garbage')).refused === why);
  await until('an event that says so', () =>
    events.some(({ data }) => data.asset === 'garbage' && data.live?.slots.primary.refused === why));
  close();
});

test('a dead connection does not keep its slot from a publisher who comes back', async () => {
  const { ingest } = await put('demo/dead', small);
  const line = await relay();
  push(through(ingest.rtmp, line));
  await until('it to be on air', async () => (await asset(origin, 'demo/dead')).live.on_air);
  assert.notEqual((await push(ingest.rtmp).exited).code, 0);
  line.cut();  // nobody says that it is gone
  await until('it to be told', async () => (await slotOf('demo/dead')).state === 'lost');
  await until('the slot to be had', async () => {
    const again = push(ingest.rtmp);
    const left = await Promise.race([again.exited, new Promise((go) => { setTimeout(go, 1500, null); })]);
    return left === null;
  });
  await until('it to be on air again', async () => (await slotOf('demo/dead')).state === 'ready');
});

/** Every segment of a playlist has its place on the clock by which `begin` was made, and is there. */
const onClockOf = ({ segments: [{ number, date }] }) => ({ segments }) => {
  for (const segment of segments) {
    assert.equal(segment.date, date + (segment.number - number) * 1000, 'a segment has its place on the clock');
    assert.equal(segment.gap, false, `${segment.number} is a gap`);
  }
};

/** Waits until a channel's publisher is in time, and wants it to be no later than a segment or two. */
async function isInTime(channel) {
  const { delay } = await until('it to be in time', async () => {
    const slot = await slotOf(channel);
    return slot.state === 'ready' && slot.delay >= 0 && slot;
  });
  assert.ok(delay < 2.5, `a delay of ${delay} s`);
}

test('a line that is too narrow for a while neither breaks the numbers nor adds delay', async () => {
  const { ingest } = await put('demo/narrow', { ...small, between: 'slate' });
  const line = await relay();
  push(through(ingest.rtmp, line));
  const url = videoOf(await waitForAir(origin, 'demo/narrow'));
  const begin = await followLive(url, (now) => now.segments.length > 1);
  const onClock = onClockOf(begin);
  line.narrow({ rate: 15_000, bucket: 30_000 });
  const narrowed = await followLive(url, (now) => now.next.msn >= begin.next.msn + 6, onClock);
  line.narrow(null);
  await followLive(url, (now) => now.next.msn >= narrowed.next.msn + 3, onClock);
  await isInTime('demo/narrow');
});

for (const speed of [0.7, 1.5]) {
  test(`a publisher whose clock goes at ${speed} of its speed neither breaks the numbers nor adds delay`, async (t) => {
    const channel = `demo/pace-${10 * speed}`;
    const { ingest } = await put(channel, { ...small, between: 'slate' });
    const publisher = push(ingest.rtmp, { speed });
    const url = videoOf(await waitForAir(origin, channel));
    const begin = await followLive(url, (now) => now.segments.length > 1);
    const held_mib = new Map([origin.pid, ...transcodersOf(origin.pid)].map((pid) => [pid, residentMib(pid)]));
    // Seconds enough for what is sent to be some seconds off.
    await followLive(url, (now) => now.next.msn >= begin.next.msn + 12, onClockOf(begin));
    await isInTime(channel);
    const { jumps, dropped_frames } = await slotOf(channel);
    t.diagnostic(`mapped anew ${jumps} times, ${dropped_frames} frames left out`);
    assert.ok(jumps > 0);
    for (const [pid, held] of held_mib) {
      if (isAlive(pid)) assert.ok(residentMib(pid) - held < held_mib_max, `${held}, then ${residentMib(pid)} MiB`);
    }
    await publisher.stop();
  });
}

test('captions inside the pictures reach every rendition, each letter once', async () => {
  const into = temporaryFolder('captions');
  folders.push(into);
  const captions = ['GOOD EVENING', 'FROM MILANO!', 'AND CORTINA!'];
  const clip = captionedClip(into, { captions, size: '640x360', every: 50, audio: false });
  const { ingest } = await put('demo/said', { rungs_max: 2 });
  const headers = authorize(origin, 'demo');
  // Twice, for the channel is on air some time after the first picture.
  const feed = spawn('ffmpeg', ['-v', 'error', '-nostdin', '-re', '-stream_loop', '1', '-i', clip, '-c', 'copy', '-f', 'mpegts',
    '-method', 'POST', '-headers', Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join(''),
    feedUrl(origin, 'demo/said')], { stdio: 'ignore' });
  const gone = new Promise((resolve) => { feed.on('exit', resolve); });
  publishers.push({ stop: () => { feed.kill('SIGKILL'); return gone; } });
  const urls = await waitForAir(origin, 'demo/said');
  await gone;
  await until('the last part to be there', async () => (await asset(origin, 'demo/said')).live.on_air === null);
  const multivariant = async () => (await get(`${origin.url}/demo/said/index.m3u8`)).text;
  const declared = await multivariant();
  assert.match(declared, /TYPE=CLOSED-CAPTIONS,GROUP-ID="captions",.*INSTREAM-ID="CC1"/);
  for (const [name, url] of Object.entries(urls).filter(([each]) => each !== 'audio')) {
    const folder = url.slice(0, url.lastIndexOf('/') + 1);
    const bodies = [(await get(`${folder}init.mp4`)).body];
    const { segments } = await fetchLive(url);
    for (const { uri } of segments.filter(({ gap }) => !gap)) bodies.push((await get(folder + uri)).body);
    const file = path.join(into, `${name}.mp4`);
    fs.writeFileSync(file, Buffer.concat(bodies));
    const said = captionsIn(file).join(' ');
    assert.ok(said.includes(captions.join(' ')), `${name}: ${said}`);
  }

  // Another transcoder hears nothing, and says what was said.
  for (const pid of transcodersOf(origin.pid)) process.kill(pid, 'SIGKILL');
  push(ingest.rtmp);
  await until('another transcoder to be on air', async () => (await asset(origin, 'demo/said')).live.on_air);
  assert.equal(await multivariant(), declared);
});
