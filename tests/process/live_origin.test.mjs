// Live channels at the origin: a feed comes in over HTTP, is transcoded, and leaves as low-latency
// HLS; publishers, transcoder and origin may go and come back.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, test } from 'node:test';
import { asset, remove } from '../support/broadcaster.mjs';
import { listen } from '../support/events.mjs';
import { get, metricValue, request } from '../support/http.mjs';
import { isAlive, transcodersOf } from '../support/jobs.mjs';
import { endChannel, fetchLive, followLive, openChannel, publishTs, quickGrid, readLive,
  waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';

const toStop = [];
after(async () => {
  for (const publisher of toStop.filter((each) => !each.folder)) await publisher.stop();
  await cleanUp(...toStop.filter((each) => each.folder));
});

async function start(settings = {}) {
  const origin = await startOrigin({ settings: { live: { rtmp: '', srt: '', ...quickGrid, ...settings } } });
  toStop.push(origin);
  return origin;
}

function feed(origin, channel, options) {
  const publisher = publishTs(origin, channel, options);
  toStop.push(publisher);
  return publisher;
}

const complete = (playlist) => playlist.segments.filter((segment) => !segment.gap);
const videoOf = (urls) => Object.entries(urls).find(([name]) => name !== 'audio')[1];

/** Nothing is taken back: what is in both is the same, and the end only moves on. */
function assertGrew(next, before) {
  assert.ok(next.sequence >= before.sequence, 'the media sequence went back');
  assert.ok(next.next.msn > before.next.msn ||
    (next.next.msn === before.next.msn && next.next.part >= before.next.part), 'the end went back');
  const old = new Map(before.segments.map((segment) => [segment.number, segment]));
  for (const segment of next.segments) {
    const known = old.get(segment.number);
    if (!known) continue;
    for (const key of ['uri', 'gap', 'duration', 'date']) assert.equal(segment[key], known[key]);
  }
}

test('a feed becomes low-latency HLS, part by part', async (t) => {
  const origin = await start();
  const opened = await openChannel(origin, 'demo/final', { body: { title: 'The final' } });
  assert.equal(opened.status, 201, JSON.stringify(opened));
  assert.equal(opened.state, 'live');
  assert.ok(opened.ingest.key.length >= 32);
  feed(origin, 'demo/final');
  const urls = await waitForAir(origin, 'demo/final');
  const url = videoOf(urls);
  const folder = url.slice(0, url.lastIndexOf('/') + 1);

  await t.test('blocking reloads bring every part once', async () => {
    const first = (await fetchLive(url)).next.msn;
    await followLive(url, (now) => now.next.msn >= first + 4, (next, before) => {
      assertGrew(next, before);
      assert.notDeepEqual(next.next, before.next, 'an answer without anything new');
    });
  });

  await t.test('parts are what their segment is made of, and the hinted one waits', async () => {
    const before = await followLive(url, (now) => now.hint && now.open.length > 0);
    const hinted = await request(folder + before.hint);
    assert.equal(hinted.status, 200);
    assert.match(hinted.headers['cache-control'], /immutable/);
    const [number] = before.hint.split('.').map(Number);
    const now = await followLive(url, (playlist) => playlist.next.msn > number);
    const segment = now.segments.find((each) => each.number === number);
    assert.ok(!segment.gap);
    const parts = [];
    for (const part of segment.parts) parts.push((await get(folder + part.uri)).body);
    const whole = (await get(folder + segment.uri)).body;
    assert.ok(Buffer.concat(parts).equals(whole), 'the segment is its parts');
    const asked = Number(before.hint.split('.')[1]);
    assert.ok(hinted.body.equals(parts[asked]));
    assert.equal((await request(`${folder}${number + 1000}.0.m4s`)).status, 404);
  });

  await t.test('directives are judged', async () => {
    const { next } = await fetchLive(url);
    assert.equal((await request(`${url}?_HLS_part=1`)).status, 400);
    assert.equal((await request(`${url}?_HLS_msn=${next.msn + 3}`)).status, 400);
    const blocked = await request(`${url}?_HLS_msn=${next.msn}`);
    assert.equal(blocked.status, 200);
    assert.ok(readLive(blocked.text).next.msn > next.msn);
    assert.equal(blocked.headers['cache-control'], 'public, max-age=6, must-revalidate');
    assert.match((await get(url)).headers['cache-control'], /max-age=1, must-revalidate$/);
  });

  await t.test('a delta update skips what lies before six target durations', async () => {
    const now = await followLive(url, (playlist) => playlist.segments.length >= 9);
    assert.equal(now.skipped, 0);
    const { text } = await get(`${url}?_HLS_skip=YES`);
    const delta = readLive(text);
    assert.ok(delta.skipped > 0, text);
    assert.ok(delta.skipped + delta.segments.length >= now.segments.length);
    assert.match(text, /#EXT-X-VERSION:9/);
  });

  await t.test('all renditions are on one timeline', async () => {
    const all = await Promise.all(Object.values(urls).map(fetchLive));
    for (const playlist of all) {
      assert.equal(playlist.target, all[0].target);
      for (const segment of playlist.segments) {
        const same = all[0].segments.find((each) => each.number === segment.number);
        if (same) assert.equal(segment.date, same.date);
      }
      assert.equal(playlist.reports.length, all.length - 1);
    }
  });

  await t.test('the API tells how it is', async () => {
    const document = await until('the slot to be ready', async () => {
      const now = await asset(origin, 'demo/final');
      return now.live.slots.primary.state === 'ready' && now.live.on_air === 'primary' && now;
    });
    assert.equal(document.kind, 'channel');
    assert.equal(document.title, 'The final');
    assert.match(document.live.slots.primary.video, /^h264 320x180/);
    assert.equal(document.live.slots.backup.state, 'absent');
    assert.deepEqual(document.live.shed, []);
  });

  await t.test('a second publisher on the same slot is refused', async () => {
    const second = feed(origin, 'demo/final');
    await second.exited;
    const url = `${origin.url}/api/v1/demo/channels/final/feed`;
    const answer = await request(url, { method: 'POST', headers: origin.authorization(), body: 'x' });
    assert.equal(answer.status, 409);
    assert.match(answer.json().detail, /publishes on slot primary .*slot=backup.*"busy_slot": "replace"/);
  });

  await t.test('its end makes a recording of the same segments', async () => {
    const before = await fetchLive(url);
    const ended = await endChannel(origin, 'demo/final');
    assert.equal(ended.status, 200, ended.text);
    assert.equal(ended.json().state, 'ready');
    const { text } = await get(url);
    const recording = readLive(text);
    assert.ok(recording.ended);
    assert.match(text, /#EXT-X-PLAYLIST-TYPE:VOD/);
    assertGrew({ ...recording, next: { msn: Infinity } }, before);
    for (const segment of complete(recording)) {
      assert.ok((await get(folder + segment.uri)).body.length > 0);
    }
    const part = complete(before).at(-1).parts[0];
    assert.ok((await get(folder + part.uri)).body.length > 0, 'for who has read of it');
    await until('it is forgotten', async () => (await request(folder + part.uri)).status === 404);
    assert.equal((await openChannel(origin, 'demo/final')).status, 409);
  });
});

test('a publisher that comes back goes on in the same playlist', async () => {
  const origin = await start();
  await openChannel(origin, 'demo/back');
  const first = feed(origin, 'demo/back');
  const url = videoOf(await waitForAir(origin, 'demo/back'));
  const before = await followLive(url, (now) => complete(now).length >= 3);
  await first.stop();
  // Nobody publishes: the clock goes on, and what was not made is a gap.
  const gap = await until('a gap', async () => {
    const now = await fetchLive(url);
    assertGrew(now, before);
    return now.segments.some((segment) => segment.gap) && now;
  });
  feed(origin, 'demo/back');
  const after = await followLive(url, (now) => complete(now).at(-1)?.number > gap.next.msn, assertGrew);
  assertGrew(after, gap);
  assert.doesNotMatch((await get(url)).text, /DISCONTINUITY/);
  for (const [i, segment] of after.segments.entries()) assert.equal(segment.number, after.sequence + i);
});

test('a killed transcoder is back on the same timeline', async () => {
  const origin = await start();
  await openChannel(origin, 'demo/killed');
  feed(origin, 'demo/killed');
  const url = videoOf(await waitForAir(origin, 'demo/killed'));
  const before = await followLive(url, (now) => complete(now).length >= 2);
  const [pid] = transcodersOf(origin.pid);
  process.kill(pid, 'SIGKILL');
  const after = await followLive(url, (now) => complete(now).at(-1)?.number > before.next.msn + 2, assertGrew);
  assertGrew(after, before);
  const { live } = await asset(origin, 'demo/killed');
  assert.equal(live.transcoder.restarts, 1);
});

test('a transcoder that hangs is ended and started again', async () => {
  const origin = await start();
  await openChannel(origin, 'demo/hung');
  feed(origin, 'demo/hung');
  const url = videoOf(await waitForAir(origin, 'demo/hung'));
  const before = await followLive(url, (now) => complete(now).length >= 2);
  const [pid] = transcodersOf(origin.pid);
  process.kill(pid, 'SIGSTOP');
  const after = await followLive(url, (now) => complete(now).at(-1)?.number > before.next.msn + 3, assertGrew);
  assertGrew(after, before);
  assert.ok(!isAlive(pid));
  assert.match((await asset(origin, 'demo/hung')).live.transcoder.error ?? '', /^$|no sign of life/);
});

test('two publishers: when one goes the other is on air, and nothing is missing', async () => {
  const origin = await start();
  await openChannel(origin, 'demo/two');
  const subscriber = listen(origin, 'demo');
  await subscriber.ready;
  const primary = feed(origin, 'demo/two');
  feed(origin, 'demo/two', { slot: 'backup' });
  const url = videoOf(await waitForAir(origin, 'demo/two'));
  const onAir = (slot) => until(`${slot} to be on air`, async () => {
    const { live } = await asset(origin, 'demo/two');
    return live.on_air === slot && live.slots.backup.state === 'ready';
  });
  await onAir('primary');
  const before = await fetchLive(url);
  await primary.stop();
  await onAir('backup');
  const { next } = await fetchLive(url);
  const after = await followLive(url, (now) => complete(now).at(-1)?.number > next.msn + 1, assertGrew);
  assertGrew(after, before);
  const since = after.segments.filter((segment) => segment.number >= before.next.msn);
  assert.deepEqual(since.filter((segment) => segment.gap), []);
  await until('subscribers to know', () => subscriber.events.some(({ event, data }) =>
    event === 'channel' && data.asset === 'two' && data.live.on_air === 'backup'));
  subscriber.close();
});

test('with slate the picture goes on while nobody publishes', async () => {
  const origin = await start({ between: 'slate' });
  await openChannel(origin, 'demo/slate');
  const publisher = feed(origin, 'demo/slate');
  const url = videoOf(await waitForAir(origin, 'demo/slate'));
  await followLive(url, (now) => complete(now).length >= 2);
  await publisher.stop();
  const { next } = await fetchLive(url);
  const after = await followLive(url, (now) => now.next.msn > next.msn + 4, assertGrew);
  assert.deepEqual(after.segments.filter((segment) => segment.gap), []);
  assert.equal((await asset(origin, 'demo/slate')).live.slots.primary.publishing, false);
});

test('a feed that nobody can decode is said to be one', async () => {
  const origin = await start();
  await openChannel(origin, 'demo/odd');
  // Whole packets without any program in them.
  const packet = Buffer.alloc(188, 0xff);
  packet.set([0x47, 0x1f, 0xff, 0x10]);
  const odd = http.request(`${origin.url}/api/v1/demo/channels/odd/feed`,
    { method: 'POST', headers: origin.authorization() });
  odd.on('error', () => {});
  const pump = setInterval(() => odd.write(Buffer.concat(Array(200).fill(packet))), 50);
  try {
    await until('the slot to be told apart', async () => {
      const { live } = await asset(origin, 'demo/odd');
      return live.slots.primary.state !== 'absent' && live.slots.primary.publishing;
    });
    const { live } = await asset(origin, 'demo/odd');
    assert.notEqual(live.slots.primary.state, 'ready');
    assert.equal(live.on_air, null);
  } finally {
    clearInterval(pump);
    odd.destroy();
  }
  await until('it to be gone', async () => !(await asset(origin, 'demo/odd')).live.slots.primary.publishing);
});

test('an origin that was killed goes on with the same channel', async () => {
  const origin = await start();
  await openChannel(origin, 'demo/restart');
  feed(origin, 'demo/restart');
  const url = videoOf(await waitForAir(origin, 'demo/restart'));
  const before = await followLive(url, (now) => complete(now).length >= 3);
  origin.kill();
  await origin.exited;
  const again = await origin.restart();
  toStop.push(again);
  const kept = await fetchLive(url);
  const known = new Set(kept.segments.filter((segment) => !segment.gap).map((segment) => segment.uri));
  for (const segment of complete(before)) assert.ok(known.has(segment.uri), `${segment.uri} is gone`);
  feed(again, 'demo/restart');
  const after = await followLive(url, (now) => complete(now).at(-1)?.number > before.next.msn + 2);
  assertGrew({ ...after, segments: complete(after) }, { ...before, segments: complete(before) });
});

test('a wrong key is refused, a new one replaces the old', async () => {
  const origin = await start();
  const { ingest } = await openChannel(origin, 'demo/keys');
  assert.equal((await openChannel(origin, 'demo/keys')).ingest, undefined, 'shown once');
  const renewed = await openChannel(origin, 'demo/keys', { query: '?new_key=true' });
  assert.notEqual(renewed.ingest.key, ingest.key);
  const url = `${origin.url}/api/v1/demo/channels/keys/feed`;
  assert.equal((await request(url, { method: 'POST', body: 'x' })).status, 401);
  const garbage = await request(url, { method: 'POST', headers: origin.authorization(), body: Buffer.alloc(200_000, 'x') });
  assert.equal(garbage.status, 400);
  assert.match(garbage.json().detail, /no MPEG transport stream/);
});

test('a deleted channel is gone, with its transcoder', async () => {
  const origin = await start();
  await openChannel(origin, 'demo/gone');
  const publisher = feed(origin, 'demo/gone');
  const url = videoOf(await waitForAir(origin, 'demo/gone'));
  const { next } = await fetchLive(url);
  const waiting = request(`${url}?_HLS_msn=${next.msn + 1}`);
  assert.equal((await remove(origin, 'demo/gone')).status, 200);
  assert.equal((await waiting).status, 404);
  await publisher.exited;
  await until('its transcoder to end', () => transcodersOf(origin.pid).length === 0);
  assert.equal((await request(url)).status, 404);
  assert.equal(metricValue(await origin.metrics(), 'origin_live_channels'), 0);
});
