// Publishers who send less than others, or more than this machine can take: the channel says what it makes of
// them, and nobody else has anything of it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { listen } from '../support/events.mjs';
import { byHeight, fetchLive, followLive, liveOf, openChannel, publish, publishFile, slotReady, waitForAir } from '../support/live.mjs';
import { clip } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';
import { LiveWatch } from '../tools/live_watch.mjs';
import { asLine } from '../tools/validate.mjs';

const grid = { part: '250ms', group: '1s', segment: '2s' };
const small = { rungs_max: 1, height_max: 180 };
const patience = { deadline_ms: 120_000 };

let origin;
let subscription;
const publishers = [];

before(async () => {
  const [rtmp] = await freePorts(1);
  origin = await startOrigin({ settings: { live: { rtmp: `127.0.0.1:${rtmp}`, srt: '', ...grid } } });
  subscription = listen(origin, 'demo');
  await subscription.ready;
});
after(async () => {
  subscription?.close();
  for (const publisher of publishers) await publisher.stop();
  await cleanUp(origin);
});

function kept(publisher) {
  publishers.push(publisher);
  return publisher;
}

const open = async (channel, body = small) => (await openChannel(origin, channel, { body })).ingest.rtmp;
const slotOf = async (channel, slot = 'primary') => (await liveOf(origin, channel)).slots[slot];
const told = (channel, test) => until(`an event of ${channel}`, () => subscription.events.some(({ data }) =>
  `demo/${data.asset}` === channel && data.live && test(data.live)), patience);
const madeOf = ({ segments }) => segments.filter(({ gap }) => !gap);

/** Follows a channel with every rule until each of its renditions has some segments. */
async function goesBy(channel) {
  const watch = await new LiveWatch({ origin: origin.url }, channel).start();
  await until('three segments', () => watch.lines.every(({ now }) => now && madeOf(now).length >= 3), patience);
  assert.deepEqual((await watch.stop()).map(asLine), []);
}

test('a channel without sound', async () => {
  kept(publish(await open('demo/silent-film'), { output: ['-an'] }));
  const urls = await waitForAir(origin, 'demo/silent-film');
  assert.deepEqual(Object.keys(urls).sort(), ['audio', 'v180'], 'sound may come later');
  await slotReady(origin, 'demo/silent-film', 'primary');
  const { video, audio, error } = await slotOf('demo/silent-film');
  assert.deepEqual([video.split(' ')[1], audio, error], ['320x180', null, null]);
  await goesBy('demo/silent-film');
});

test('a channel of sound alone', async () => {
  kept(publish(await open('demo/radio'), { output: ['-vn'] }));
  assert.deepEqual(Object.keys(await waitForAir(origin, 'demo/radio')), ['audio']);
  await slotReady(origin, 'demo/radio', 'primary');
  const { video, audio, error } = await slotOf('demo/radio');
  assert.deepEqual([video, audio.split(' ')[0], error], [null, 'aac', null]);
  await goesBy('demo/radio');
});

test('sound alone on a channel that has a picture is a failed slot, and the other one stays on air', async () => {
  const to = await open('demo/match');
  kept(publish(to));
  await waitForAir(origin, 'demo/match');
  kept(publish(`${to}&slot=backup`, { output: ['-vn'] }));
  const why = 'the stream has no picture, and the channel has one';
  await told('demo/match', ({ slots }) => slots.backup.state === 'failed' && slots.backup.error === why);
  assert.equal((await slotOf('demo/match', 'backup')).error, why);
  assert.equal((await liveOf(origin, 'demo/match')).on_air, 'primary');
  await goesBy('demo/match');
});

test('a picture of 3840x2160 is taken as far as the machine goes, and other channels do not notice', async (t) => {
  const { v180: other } = await waitForAir(origin, 'demo/match');
  const { next: { msn: from } } = await fetchLive(other);
  const to = await open('demo/uhd', {});
  kept(publishFile(to, clip({ seconds: 4, size: '3840x2160', keyframe_seconds: 1 })));
  const urls = await waitForAir(origin, 'demo/uhd');
  const renditions = byHeight(Object.keys(urls));
  const [dearest, cheapest] = [renditions[0], renditions.at(-1)];
  const live = await until('it to be made, or what is left out to be told', async () => {
    const now = await liveOf(origin, 'demo/uhd');
    return (now.shed.length > 0 || madeOf(await fetchLive(urls[dearest])).length >= 6) && now;
  }, patience);
  t.diagnostic(`shed: ${live.shed.join(' ')}; ${JSON.stringify(live.slots.primary)}`);
  assert.match(live.slots.primary.video, /3840x2160/);
  await told('demo/uhd', ({ shed, on_air }) => on_air === 'primary' && shed.join() === live.shed.join());
  const { next: { msn } } = await fetchLive(urls[cheapest]);
  await followLive(urls[cheapest], (now) => madeOf(now).some(({ number }) => number > msn));
  const { segments } = await fetchLive(other);
  assert.deepEqual(segments.filter(({ number, gap }) => gap && number >= from).map(({ number }) => number), []);
});
