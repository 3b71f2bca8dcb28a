// What else than low-latency players may ask of a live channel at an edge: the ffmpeg command reads it as any
// HLS, parts can be had for as long as RFC 8216bis wants, and what is not there yet is not missing for long.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startCountingProxy } from '../support/counting_proxy.mjs';
import { get, request, sha256 } from '../support/http.mjs';
import { fetchLive, followLive, openChannel, publishTs, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startFleet } from '../support/torchrelay.mjs';

const run = promisify(execFile);
const channel = 'demo/final';

let fleet;
let publisher;
let folder;  // of the video, at the origin

// 29.97 frames a second: segments of 1.001 s have a target duration of 2 s.
before(async () => {
  fleet = await startFleet(2, { origin: { transcoder: { live: { rungs_max: 1 } },
    settings: { live: { rtmp: '', srt: '', part: '250ms', group: '1s', segment: '1s' } } } });
  await openChannel(fleet.origin, channel);
  publisher = publishTs(fleet.origin, channel, { size: '160x90', rate: '30000/1001', group: 30 });
  const urls = await waitForAir(fleet.origin, channel);
  const [, url] = Object.entries(urls).find(([name]) => name !== 'audio');
  folder = url.slice(0, url.lastIndexOf('/') + 1);
});
after(async () => {
  await publisher?.stop();
  await fleet?.cleanUp();
});

const at = (edge, uri) => edge.url + new URL(uri, folder).pathname;

test('ffmpeg reads the live address from an edge, and gets the origin\'s bytes', async (t) => {
  const proxy = await startCountingProxy(fleet.edges[1].url);
  t.after(() => cleanUp(proxy));
  const { stdout, stderr } = await run('ffmpeg', ['-v', 'error', '-nostdin', '-i', `${proxy.url}/${channel}/index.m3u8`,
    '-t', '6', '-c', 'copy', '-f', 'framecrc', '-'], { timeout: 90_000, maxBuffer: 1 << 26 });
  assert.equal(stderr, '');
  const packets = stdout.split('\n').filter((line) => line && !line.startsWith('#'));
  const of = (stream) => packets.filter((line) => line.startsWith(`${stream},`)).length;
  assert.ok(of(0) > 150 && of(1) > 150, `${of(0)} and ${of(1)} packets`);
  const asked = [...proxy.hashes].filter(([path]) => path.endsWith('.m4s'));
  assert.ok(asked.length >= 8, [...proxy.fetches.keys()].join(' '));
  for (const [path, hash] of asked) {
    assert.match(path, /\/\d+\.m4s$/, 'whole segments, no parts');
    assert.equal(sha256((await get(fleet.origin.url + path)).body), hash, path);
  }
  assert.ok(![...proxy.fetches.keys()].some((path) => path.includes('_HLS_')));
});

test('a part that has left the playlist can be had for three target durations more', async () => {
  const url = `${folder}index.m3u8`;
  const first = await followLive(url, ({ segments }) => segments.some(({ gap, parts }) => !gap && parts.length > 0));
  const { number, parts } = first.segments.findLast(({ gap, parts: shown }) => !gap && shown.length > 0);
  const shows = ({ segments }) => segments.some((one) => one.number === number && one.parts.length > 0);
  const left = await followLive(url, (now) => !shows(now));
  const due_ms = left.segments.at(-1).date + 1000 * left.segments.at(-1).duration + 3000 * left.target;
  await followLive(url, ({ segments }) => segments.at(-1).date + 1000 * segments.at(-1).duration > due_ms - 1000);
  for (const { uri } of parts) assert.equal((await request(folder + uri)).status, 200, `${uri} at the origin`);
  assert.equal((await request(at(fleet.edges[0], parts.at(-1).uri))).status, 200, 'and at an edge, which had none of it');
  await until('it is forgotten', async () => (await request(folder + parts[0].uri)).status === 404, { deadline_ms: 60_000 });
});

test('what is not there yet is missing for a moment only, at an edge too', async () => {
  const [edge] = fleet.edges;
  const { next } = await fetchLive(`${folder}index.m3u8`);
  const [soon, never] = [at(edge, `${next.msn + 1}.m4s`), at(edge, `${next.msn + 1000}.0.m4s`)];
  for (const url of [soon, never]) {
    const { status, headers } = await request(url);
    assert.equal(status, 404, url);
    const [, seconds] = /max-age=(\d+)/.exec(headers['cache-control']);
    assert.ok(Number(seconds) <= 1, headers['cache-control']);
  }
  // Asked for all the time, so that a copy of the 404 is there when it comes.
  let answer;
  await followLive(`${folder}index.m3u8`, ({ next: { msn } }) => msn > next.msn + 1, () => { request(soon).catch(() => {}); });
  await until('it is there', async () => { answer = await request(soon); return answer.status === 200; },
    { deadline_ms: 5_000, every_ms: 100 });
  assert.ok(answer.body.equals((await get(folder + soon.split('/').at(-1))).body));
  assert.equal((await request(never)).status, 404);
});
