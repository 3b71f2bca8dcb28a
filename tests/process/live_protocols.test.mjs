// Two publishers of one channel who come in different ways, with clocks of their own: whoever goes, nothing
// is missing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { followLive, liveOf, openChannel, publish, slotReady, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';

const channel = 'demo/final';
const grid = { part: '250ms', group: '1s', segment: '3s' };
const shifted = ['-output_ts_offset', '40000'];  // an encoder that has run for hours

let origin;
let ingest;
let video;  // a rendition's playlist
const publishers = {};

before(async () => {
  const [rtmp, srt] = await freePorts(2);
  origin = await startOrigin({ settings: { live: { rtmp: `127.0.0.1:${rtmp}`, srt: `127.0.0.1:${srt}`, ...grid } } });
  ({ ingest } = await openChannel(origin, channel));
});
after(async () => {
  for (const publisher of Object.values(publishers)) await publisher.stop();
  await cleanUp(origin);
});

/** The stream id of SRT names the slot. */
const srtOf = (slot) => ingest.srt.replace(/streamid=([^&]*)/, (_, id) =>
  `streamid=${encodeURIComponent(`${decodeURIComponent(id)}${slot === 'backup' ? ',slot=backup' : ''}`)}`);

const live = () => liveOf(origin, channel);
const ready = (slot) => slotReady(origin, channel, slot);
const onAir = (slot) => until(`${slot} to be on air`, async () => {
  const now = await live();
  return now.on_air === slot || Promise.reject(new Error(JSON.stringify(now.slots)));
});

/** Ends a publisher; the playlist goes on from where it is without a gap. */
async function leaves(slot, other) {
  const { next } = await followLive(video, ({ segments }) => segments.length > 0);
  await publishers[slot].stop();
  await onAir(other);
  const now = await followLive(video, (playlist) => playlist.next.msn > next.msn + 1);
  assert.deepEqual(now.segments.filter(({ number, gap }) => gap && number >= next.msn), []);
}

test('by RTMP and by SRT, whose clock is hours ahead', async () => {
  publishers.primary = publish(ingest.rtmp);
  const urls = await waitForAir(origin, channel);
  video = Object.entries(urls).find(([name]) => name !== 'audio')[1];
  publishers.backup = publish(srtOf('backup'), { output: shifted });
  await ready('primary');
  await ready('backup');
  await onAir('primary');
  await leaves('primary', 'backup');
});

test('both by SRT: the one on air goes', async () => {
  publishers.primary = publish(srtOf('primary'), { output: shifted });
  await ready('primary');
  const { on_air: first } = await live();
  await leaves(first, first === 'primary' ? 'backup' : 'primary');
});

test('then RTMP in its place, and SRT goes', async () => {
  const free = (await live()).on_air === 'primary' ? 'backup' : 'primary';
  // SRT has no end of a connection: who was killed keeps the slot until he is missed.
  await until(`${free} to be free`, async () => !(await live()).slots[free].publishing);
  const other = free === 'primary' ? 'backup' : 'primary';
  publishers[free] = publish(free === 'backup' ? `${ingest.rtmp}&slot=backup` : ingest.rtmp);
  await ready(free);
  await leaves(other, free);
});
