// A live channel on a machine that is too slow for it: the dearest rendition is left out, which everybody is
// told, the others go on, and it comes back once there is time for it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { listen } from '../support/events.mjs';
import { residentMib, transcodersOf } from '../support/jobs.mjs';
import { byHeight, liveOf, openChannel, publish, slotReady, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { slowDown } from '../support/slowed.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';
import { LiveWatch } from '../tools/live_watch.mjs';
import { asLine } from '../tools/validate.mjs';

const channel = 'demo/final';
const grid = { part: '250ms', group: '1s', segment: '2s' };
const patience = { deadline_ms: 120_000 };
const calm = { deadline_ms: 300_000 };  // 15 s in which the machine is in time for all
const held_mib_max = 96;  // some pictures a rendition, some seconds of what comes in
const group_ms = 1000;
const parts_looked_at = 12;

let origin, publisher, watch, subscription;

before(async () => {
  const [rtmp] = await freePorts(1);
  origin = await startOrigin({ settings: { live: { rtmp: `127.0.0.1:${rtmp}`, srt: '', ...grid } },
    transcoder: { live: { rungs_max: 2 } } });
  const { ingest } = await openChannel(origin, channel);
  subscription = listen(origin, 'demo');
  await subscription.ready;
  publisher = publish(ingest.rtmp, { size: '640x360' });
  await waitForAir(origin, channel);
  watch = await new LiveWatch({ origin: origin.url }, channel).start();
  await slotReady(origin, channel, 'primary');
});
after(async () => {
  subscription?.close();
  await publisher?.stop();
  await watch?.stop();
  await cleanUp(origin);
});

const live = () => liveOf(origin, channel);
const gauge = async () => Number(/^origin_live_shed_renditions (\d+)$/m.exec(await origin.metrics())[1]);
const lineOf = (name) => watch.lines.find((line) => line.name === name);
const segmentsOf = (name) => lineOf(name).now.segments;

/** How late the parts of a rendition are that come from now on: the median of some. */
async function delayOf(name) {
  const since_ms = performance.now();
  const delays_ms = await until(`parts of ${name}`, () => {
    const come = lineOf(name).delays_ms(since_ms);
    return come.length >= parts_looked_at && come;
  }, patience);
  return delays_ms.sort((a, b) => a - b)[Math.floor(delays_ms.length / 2)];
}

test('the dearest rendition is left out, everybody is told, and the others go on', async (t) => {
  const names = watch.lines.map(({ name }) => name);
  const [dearest, cheapest] = byHeight(names);
  assert.ok(cheapest, `two renditions: ${names}`);
  const others = [cheapest, 'audio'];
  const before_ms = await Promise.all(others.map(delayOf));
  const [transcoder] = transcodersOf(origin.pid);
  const pids = [transcoder, origin.pid];
  const [held_mib, most_mib] = [pids.map(residentMib), pids.map(residentMib)];
  const slowed = slowDown(transcoder, live);
  try {
    await until('the document to say so', async () => {
      pids.forEach((pid, i) => { most_mib[i] = Math.max(most_mib[i], residentMib(pid)); });
      return (await live()).shed.length > 0;
    }, patience);
    await until('a figure', async () => await gauge() === 1, patience);
    await until('an event', () => subscription.events.some(({ data }) => data.live?.shed.join() === dearest), patience);
    t.diagnostic(`with ${(100 * slowed.share()).toFixed(1)} % of the time; the most held: ${most_mib.map(Math.round)} MiB`);
    assert.match(origin.log(), new RegExp(`rendition shed: encoding is too slow.*${dearest}`));
    assert.deepEqual((await live()).shed, [dearest], 'and not the cheapest');
  } finally {
    await slowed.stop();
  }
  pids.forEach((pid, i) => assert.ok(most_mib[i] - held_mib[i] < held_mib_max, `${held_mib[i]}, then ${most_mib[i]} MiB`));

  const from = Math.max(...names.map((name) => segmentsOf(name).at(-1)?.number ?? 0));
  await until('a segment of the others alone', () => segmentsOf(dearest).some(({ number, gap }) => gap && number > from
    && others.every((name) => segmentsOf(name).some((each) => each.number === number && !each.gap))), patience);
  const saidSo = subscription.events.length;
  await until('it to be taken back', async () => (await live()).shed.length === 0, calm);
  await until('the figure', async () => await gauge() === 0, patience);
  await until('an event', () => subscription.events.slice(saidSo).some(({ data }) => data.live?.shed.length === 0), patience);
  assert.match(origin.log(), new RegExp(`rendition taken back.*${dearest}`));
  const again = Math.max(...names.map((name) => segmentsOf(name).at(-1).number));
  await until('a segment of all', () => segmentsOf(dearest).some(({ number, gap }) => !gap && number > again), patience);
  const after_ms = await Promise.all(others.map(delayOf));
  t.diagnostic(`parts came ${before_ms.map(Math.round)} ms after their end before, ${after_ms.map(Math.round)} ms now`);
  others.forEach((name, i) => assert.ok(after_ms[i] < before_ms[i] + group_ms, `${name} is later than before`));
  assert.deepEqual(transcodersOf(origin.pid), [transcoder], 'it was slow, and not taken for hung');
  assert.deepEqual(watch.findings.map(asLine), []);
});
