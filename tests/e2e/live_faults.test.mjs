// A viewer in Chromium while a live channel loses its publisher, its transcoder, the origin and the viewer's
// own edge: the page plays on by itself, at the live edge. Meanwhile the playlists of that edge are held to
// every rule.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, playback, playsPast } from '../support/browser.mjs';
import { transcodersOf } from '../support/jobs.mjs';
import { liveOf, openChannel, publish, slotReady, waitForAir } from '../support/live.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { startFleet } from '../support/torchrelay.mjs';
import { LiveWatch } from '../tools/live_watch.mjs';
import { asLine } from '../tools/validate.mjs';

const channel = 'demo/final';
const feed = { size: '320x180', group: 50 };
const enough_s = 5;  // played after a fault: more than what the page had loaded before it

let fleet;
let browser;
let page;
let rules;
let ingest;
const publishers = {};

before(async () => {
  const [rtmp] = await freePorts(1);
  fleet = await startFleet(2, { origin: { settings: { live: { rtmp: `127.0.0.1:${rtmp}`, srt: '' } },
    transcoder: { live: { rungs_max: 1 } } } });
  ({ ingest } = await openChannel(fleet.origin, channel));
  push('primary');
  push('backup');
  await waitForAir(fleet.edges[1], channel);
  rules = await new LiveWatch({ 'edge-2': fleet.edges[1].url }, channel).start();
  browser = await launchBrowser();
  page = await openPage(browser, `${fleet.edges[1].url}/watch/${channel}`);
  await playsPast(page, 3, { deadline_ms: 60_000 });
});
after(async () => {
  for (const publisher of Object.values(publishers)) await publisher.stop();
  await rules?.stop();
  await browser?.close();
  await fleet?.cleanUp();
});

function push(slot) {
  const to = slot === 'primary' ? ingest.rtmp : `${ingest.rtmp}&slot=backup`;
  publishers[slot] = publish(to, feed);
}

/** The picture and the sound go on, and the viewer follows the live edge. */
async function playsOn(t, since_ms) {
  const { time_s } = await playback(page);
  await playsPast(page, time_s + enough_s, { deadline_ms: 90_000 });
  const at = await until('the live edge', () => page.evaluate(() => {
    const { delay_s, follows } = window.torchrelay.player.live;
    return follows && delay_s < 8 && { delay_s };
  }), { deadline_ms: 60_000 });
  const took_s = (performance.now() - since_ms) / 1000;
  const there = await playback(page);
  await playsPast(page, there.time_s + 2);  // not by jumps only
  const later = await playback(page);
  assert.ok(later.frames > there.frames && later.audioBytes > there.audioBytes, JSON.stringify([there, later]));
  t.diagnostic(`${(took_s - enough_s).toFixed(1)} s more than it played, ${at.delay_s.toFixed(1)} s behind the live edge`);
  assert.deepEqual(page.said.filter((line) => line.startsWith('uncaught')), []);
  assert.deepEqual(rules.findings.map(asLine), []);
}

test('the publisher on air is killed', async (t) => {
  for (const slot of ['primary', 'backup']) await slotReady(fleet.origin, channel, slot);
  const since = performance.now();
  await publishers[(await liveOf(fleet.origin, channel)).on_air].stop();
  await playsOn(t, since);
});

test('the transcoder is killed', async (t) => {
  const since = performance.now();
  process.kill(transcodersOf(fleet.origin.pid)[0], 'SIGKILL');
  await playsOn(t, since);
});

test('the viewer\'s edge is killed and comes back', async (t) => {
  const since = performance.now();
  rules.down('edge-2');
  fleet.edges[1].kill();
  await fleet.edges[1].exited;
  fleet.edges[1] = await fleet.edges[1].restart();
  rules.up('edge-2');
  await playsOn(t, since);
});

test('the origin is killed, and its publishers come back', async (t) => {
  const since = performance.now();
  rules.down('origin');
  fleet.origin.kill();
  await fleet.origin.exited;
  fleet.origin = await fleet.origin.restart();
  rules.up('origin');
  for (const slot of Object.keys(publishers)) {
    await publishers[slot].stop();
    push(slot);
  }
  await playsOn(t, since);
});
