// An origin that is killed in the midst of a live segment: once it is back all parts that it had named are there,
// under the same numbers and with the same bytes, and the segment becomes whole.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { get } from '../support/http.mjs';
import { fetchLive, followLive, openChannel, publishTs, waitForAir } from '../support/live.mjs';
import { picturesOf } from '../support/pictures.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';
import { LiveWatch } from '../tools/live_watch.mjs';
import { asLine } from '../tools/validate.mjs';

const channel = 'demo/kept';
// Long beside its parts, so that it is killed in the midst of one.
const grid = { part: '250ms', group: '1s', segment: '3s' };
const pictures_of_segment = 75;
// A busy machine may start it again too late: then a segment is a gap, which keeps its parts all the same.
const tries = 3;

const programs = [], publishers = [];
after(async () => {
  for (const publisher of publishers) await publisher.stop();
  await cleanUp(...programs);
});

const feed = (origin) => publishers.push(publishTs(origin, channel));
const isPicture = (name) => name !== 'audio';

/** The parts that are named of a segment, in order, with their bytes. */
async function partsOf(url, number) {
  const { next, open, segments } = await fetchLive(url);
  const parts = next.msn === number ? open : segments.find((each) => each.number === number).parts;
  return Promise.all(parts.filter(({ gap }) => !gap).map(async (part) =>
    ({ ...part, bytes: (await get(new URL(part.uri, url).href)).body })));
}

const ofAll = async (urls, look) => Object.fromEntries(await Promise.all(Object.entries(urls)
  .map(async ([name, url]) => [name, await look(url)])));

/** Once more than half of a segment is named: its number, and what was named of it. */
async function killInMidSegment(origin, urls) {
  const picture = Object.entries(urls).find(([name]) => isPicture(name))[1];
  const { next: { msn: from } } = await fetchLive(picture);
  const { next: { msn: number } } = await followLive(picture, (now) => now.next.msn > from && now.open.length > 6);
  const named = await ofAll(urls, (url) => partsOf(url, number));
  origin.kill();
  await origin.exited;
  return { number, named };
}

/** What was named is as it was; whether every rendition has the whole segment, which is its parts. */
async function assertKept(urls, { number, named }) {
  let whole = true;
  for (const [name, url] of Object.entries(urls)) {
    assert.ok(named[name].length > 0, `${name} had no parts`);
    const { segments } = await followLive(url, ({ next }) => next.msn > number);
    const parts = await partsOf(url, number);
    assert.deepEqual(parts.slice(0, named[name].length), named[name], `what had been named of ${name}`);
    if (segments.find((each) => each.number === number).gap) whole = false;
    else await assertWhole(name, url, number, parts);
  }
  return whole;
}

async function assertWhole(name, url, number, parts) {
  const [{ body: init }, { body }] = await Promise.all(['init.mp4', `${number}.m4s`].map((uri) => get(new URL(uri, url).href)));
  assert.ok(body.equals(Buffer.concat(parts.map(({ bytes }) => bytes))), `${name} is not its parts`);
  if (!isPicture(name)) return;
  assert.equal(picturesOf(Buffer.concat([init, body])).length, pictures_of_segment, 'pictures that can be decoded');
}

for (const [who, comeBack] of Object.entries({ 'its publisher is back': feed, 'nobody publishes any more': () => {} })) {
  test(`it is whole when ${who}`, async (t) => {
    let origin = await startOrigin({ settings: { live: { rtmp: '', srt: '', ...grid } } });
    programs.push(origin);
    await openChannel(origin, channel);
    let watch, whole = false;
    for (let i = 0; i < tries && !whole; i += 1) {
      feed(origin);
      const urls = await waitForAir(origin, channel);
      watch ??= await new LiveWatch({ origin: origin.url }, channel).start();
      await followLive(Object.values(urls)[0], ({ segments }) => segments.at(-1)?.gap === false);
      watch.down('origin');
      const killed = await killInMidSegment(origin, urls);
      programs.push(origin = await origin.restart());
      watch.up('origin');
      comeBack(origin);
      whole = await assertKept(urls, killed);
      if (!whole) t.diagnostic(`segment ${killed.number} is a gap`);
    }
    assert.deepEqual((await watch.stop()).map(asLine), []);
    assert.ok(whole, `${tries} segments are gaps`);
  });
}
