// What viewers saw of a channel stays, whoever goes or is killed in mid-segment, and its recording is
// from the first picture to the last.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { asset, putClip } from '../support/broadcaster.mjs';
import { get } from '../support/http.mjs';
import { transcodersOf } from '../support/jobs.mjs';
import { endChannel, fetchLive, followLive, openChannel, publishTs, waitForAir } from '../support/live.mjs';
import { picturesOf } from '../support/pictures.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startEdge, startOrigin } from '../support/torchrelay.mjs';
import { asLine, validate } from '../tools/validate.mjs';

// Long beside their parts, so that what happens happens in the midst of a segment.
const grid = { part: '250ms', group: '1s', segment: '3s' };

const programs = [], publishers = [];
after(async () => {
  for (const publisher of publishers) await publisher.stop();
  await cleanUp(...programs);
});

async function start() {
  const origin = await startOrigin({ settings: { live: { rtmp: '', srt: '', ...grid } } });
  programs.push(origin);
  return origin;
}

function feed(origin, channel) {
  const publisher = publishTs(origin, channel);
  publishers.push(publisher);
  return publisher;
}

/** Collects the numbers of segments of which anything was shown. */
function witness() {
  const seen = new Set();
  const see = (playlist) => { if (playlist.open.length > 0) seen.add(playlist.next.msn); };
  return { seen, see, last: () => Math.max(...seen) };
}

const complete = ({ segments }) => segments.filter(({ gap }) => !gap);
const gapsAmong = ({ segments }, numbers) =>
  segments.filter(({ number, gap }) => gap && numbers.has(number)).map(({ number }) => number);
const pictureUrl = (urls) => Object.entries(urls).find(([name]) => name !== 'audio')[1];

test('a publisher goes in mid-segment, and the channel ends later', async (t) => {
  const origin = await start();
  const edge = await startEdge({ upstream: origin.url });
  programs.push(edge);
  await openChannel(origin, 'demo/ends');
  const publisher = feed(origin, 'demo/ends');
  const url = pictureUrl(await waitForAir(origin, 'demo/ends'));
  const at_edge = edge.url + new URL(url).pathname;
  const { seen, see, last } = witness();
  await followLive(url, (now) => complete(now).length >= 2 && now.open.length > 2, see);
  await publisher.stop();
  const left = await followLive(url, ({ segments }) => segments.at(-1)?.gap, see);

  await t.test('nothing that was shown in parts is a gap', () => {
    assert.deepEqual(gapsAmong(left, seen), []);
  });

  assert.equal((await followLive(at_edge, ({ segments }) => segments.at(-1)?.gap)).ended, false);
  assert.equal((await endChannel(origin, 'demo/ends')).status, 200);
  const recording = await fetchLive(url);

  await t.test('the recording ends with the last segment that was shown', async () => {
    assert.ok(recording.ended);
    assert.equal(recording.segments.at(-1).number, last());
    assert.deepEqual(recording.segments.filter(({ gap }) => gap), []);
    // Its rates, too, which a channel declares before the first picture.
    assert.deepEqual((await validate(`${origin.url}/demo/ends/index.m3u8`)).map(asLine), []);
  });

  await t.test('its document says how long it is, and whose it is', async () => {
    const document = await asset(origin, 'demo/ends');
    const sum_s = recording.segments.reduce((sum, { duration }) => sum + duration, 0);
    assert.ok(Math.abs(document.duration - sum_s) < 0.05, `${document.duration} s, not ${sum_s} s`);
    assert.deepEqual([document.kind, document.state, document.live], ['channel', 'ready', null]);
    const { text } = await get(`${origin.url}/demo/ends/index.m3u8`);
    const [, declared] = /EXT-X-STREAM-INF:BANDWIDTH=(\d+)/.exec(text);
    assert.equal(document.renditions[0].bandwidth, Number(declared));
  });

  await t.test('a clip of all of it needs no leave', async () => {
    const answer = await putClip(origin, 'demo/all', { from: 'ends' });
    assert.equal(answer.status, 201, answer.text);
  });

  await t.test('an edge that followed it has the recording too', async () => {
    const there = await until('the end to be known', async () => {
      const now = await fetchLive(at_edge);
      return now.ended && now;
    });
    assert.deepEqual(there.segments, recording.segments);
  });
});

/** Kills the transcoder in mid-segment. Whether every rendition has the whole segment; else it is a gap. */
async function killInMidSegment(origin, urls) {
  const picture = pictureUrl(urls);
  const { next: { msn: from } } = await fetchLive(picture);
  const { see, last } = witness();
  await followLive(picture, (now) => now.next.msn > from && now.open.length > 3, see);
  const killed = last();
  process.kill(transcodersOf(origin.pid)[0], 'SIGKILL');
  for (const url of Object.values(urls)) {
    const now = await followLive(url, ({ next }) => next.msn > killed);
    if (gapsAmong(now, new Set([killed])).length > 0) return null;
  }
  return killed;
}

// Its successor has some three seconds for it, which a busy machine may not give it each time.
const tries = 3;

test('a transcoder is killed in mid-segment: the next one makes it whole', async () => {
  const origin = await start();
  await openChannel(origin, 'demo/left');
  feed(origin, 'demo/left');
  const urls = await waitForAir(origin, 'demo/left');
  let killed = null;
  for (let i = 0; i < tries && killed === null; i += 1) killed = await killInMidSegment(origin, urls);
  assert.ok(killed !== null, `${tries} segments are gaps`);
  const picture = pictureUrl(urls);
  const files = await Promise.all(['init.mp4', `${killed}.m4s`].map((uri) => get(new URL(uri, picture).href)));
  const pictures = picturesOf(Buffer.concat(files.map(({ body }) => body)));
  assert.equal(pictures.length, 75, 'each of its pictures can be decoded');
});
