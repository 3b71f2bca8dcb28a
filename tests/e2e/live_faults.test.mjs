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
const group_s = 2, segment_s = 4;
// What a viewer may stand for: a group where another takes over, two segments where a program is killed.
const failover_stall_max_s = group_s;
const kill_stall_max_s = 2 * segment_s;
const busy_s = 1;  // what a machine with other things to do may add

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

/** Has the page count from now on for how long it shows nothing new, standing or again, and what it leaves out. */
const countStalls = () => page.evaluate(() => {
  const look_ms = 50, least_s = 0.2;  // shorter ones are how the clock of a busy machine goes
  const video = document.querySelector('video');
  const stood = { stall_s: 0, skipped_s: 0 };
  let [furthest_s, at_ms, standing_s] = [video.currentTime, performance.now(), 0];
  clearInterval(window.stallClock);
  window.stood = stood;
  window.stallClock = setInterval(() => {
    const passed_s = (performance.now() - at_ms) / 1000;
    const moved_s = video.currentTime - furthest_s;
    at_ms += 1000 * passed_s;
    standing_s = moved_s <= 0 ? standing_s + passed_s : 0;
    if (standing_s >= least_s) stood.stall_s += standing_s - passed_s < least_s ? standing_s : passed_s;
    if (moved_s > 2 * passed_s + least_s) stood.skipped_s += moved_s - passed_s;
    furthest_s = Math.max(furthest_s, video.currentTime);
  }, look_ms);
});

const newest = () => Math.max(...rules.lines.map(({ now }) => now?.next.msn ?? 0));

/** Numbers of the segments from `msn` on that the edge's playlists call missing. */
const gapsFrom = (msn) => [...new Set(rules.lines.flatMap(({ now }) => now?.segments ?? [])
  .filter(({ number, gap }) => gap && number >= msn).map(({ number }) => number))];

/** Breaks something; the viewer plays on, and stood for no more than `stall_max_s`. */
async function fault(t, stall_max_s, act) {
  const [since_ms, msn] = [performance.now(), newest() - 1];
  await countStalls();
  await act();
  await playsOn(t, since_ms);
  const { stall_s, skipped_s } = await page.evaluate(() => window.stood);
  t.diagnostic(`it stood for ${stall_s.toFixed(1)} s and left out ${skipped_s.toFixed(1)} s; gaps in the playlists: ${gapsFrom(msn).join() || 'none'}`);
  assert.ok(stall_s <= stall_max_s + busy_s, `stood for ${stall_s} s, the bar is ${stall_max_s} s`);
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
  const { on_air } = await liveOf(fleet.origin, channel);
  await fault(t, failover_stall_max_s, () => publishers[on_air].stop());
});

test('the transcoder is killed', (t) => fault(t, kill_stall_max_s, () => {
  process.kill(transcodersOf(fleet.origin.pid)[0], 'SIGKILL');
}));

test('the viewer\'s edge is killed and comes back', (t) => fault(t, kill_stall_max_s, async () => {
  rules.down('edge-2');
  fleet.edges[1].kill();
  await fleet.edges[1].exited;
  fleet.edges[1] = await fleet.edges[1].restart();
  rules.up('edge-2');
}));

test('the origin is killed, and its publishers come back', (t) => fault(t, kill_stall_max_s, async () => {
  rules.down('origin');
  fleet.origin.kill();
  await fleet.origin.exited;
  fleet.origin = await fleet.origin.restart();
  rules.up('origin');
  for (const slot of Object.keys(publishers)) {
    await publishers[slot].stop();
    push(slot);
  }
}));
