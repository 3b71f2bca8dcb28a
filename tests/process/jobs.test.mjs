// Transcoder processes under an origin: crashes, hangs, deletion, restarts. A job survives all of
// them, and no process is left behind.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { remove, upload, waitForEnd, waitForState, asset } from '../support/broadcaster.mjs';
import { metricValue } from '../support/http.mjs';
import { isAlive, playlists, scriptedTranscoder, sheets, transcodersOf, waitForSegments }
  from '../support/jobs.mjs';
import { clip, photo } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { programs } from '../support/program.mjs';
import { cleanUp, startOrigin, temporaryFolder } from '../support/torchrelay.mjs';

const origins = [];
after(() => cleanUp(...origins));

async function origin(options) {
  const started = await startOrigin(options);
  origins.push(started);
  return started;
}

// Takes some seconds: not H.264, and every rung is made.
const slowClip = () => clip({ seconds: 30, size: '640x360', h264: false });

const count = (text) => text.split('#EXTINF').length - 1;

/** Every playlist of `before` is the beginning of the one of `now`. */
function assertOnlyGrown(before, now) {
  for (const [rendition, text] of Object.entries(before)) {
    const lines = text.replace('#EXT-X-ENDLIST\n', '');
    assert.ok(now[rendition].startsWith(lines), `${rendition} took a line back:\n${now[rendition]}`);
  }
}

function assertWhole(texts, seconds) {
  for (const [rendition, text] of Object.entries(texts)) {
    assert.match(text, /#EXT-X-ENDLIST\n$/, rendition);
    const sum = [...text.matchAll(/#EXTINF:([\d.]+)/g)].reduce((s, m) => s + Number(m[1]), 0);
    assert.ok(Math.abs(sum - seconds) < 0.2, `${rendition} lasts ${sum} s`);
  }
}

test('a killed transcoder is started again and goes on behind what it had published', async () => {
  const it = await origin();
  await upload(it, 'demo/videos/killed', slowClip());
  const before = await waitForSegments(it, 'demo/killed', 3);
  const [pid] = transcodersOf(it.pid);
  process.kill(pid, 'SIGKILL');
  await waitForEnd(it, 'demo/killed');
  const done = await asset(it, 'demo/killed');
  assert.equal(done.state, 'ready', JSON.stringify(done.error));
  const whole = await playlists(it, 'demo/killed');
  assertOnlyGrown(before, whole);
  assertWhole(whole, 30);
  assert.equal(metricValue(await it.metrics(), 'origin_job_crashes_total'), 1);
  assert.equal(metricValue(await it.metrics(), 'origin_job_tries_total'), 2);
  // Not published twice: as many objects as there are segments and init segments, and those few
  // that were stored but not yet listed when the process ended.
  const segments = Object.values(whole).reduce((sum, text) => sum + count(text), 0);
  const stored = metricValue(await it.metrics(), 'origin_ingest_objects_total');
  assert.equal(stored, segments + Object.keys(whole).length + await sheets(it, 'demo/killed'));
  assert.deepEqual(transcodersOf(it.pid), []);
  await it.stop();
});

test('after kill -9 of the origin its transcoder ends, and the job goes on with the next start', async () => {
  const it = await origin();
  await upload(it, 'demo/videos/survivor', slowClip());
  const before = await waitForSegments(it, 'demo/survivor', 3);
  const sheetsBefore = await sheets(it, 'demo/survivor');
  const [pid] = transcodersOf(it.pid);
  it.kill();
  await it.exited;
  await until('the transcoder to end with its origin', () => !isAlive(pid));
  const again = await it.restart();
  origins.push(again);
  assertOnlyGrown(before, await playlists(again, 'demo/survivor'));
  await waitForEnd(again, 'demo/survivor');
  const whole = await playlists(again, 'demo/survivor');
  assertOnlyGrown(before, whole);
  assertWhole(whole, 30);
  const counted = (texts) => Object.values(texts).reduce((sum, text) => sum + count(text), 0);
  const segments = counted(whole) + await sheets(again, 'demo/survivor');
  const earlier = counted(before) + sheetsBefore;
  const stored = metricValue(await again.metrics(), 'origin_ingest_objects_total');
  assert.ok(stored <= segments - earlier, `${stored} stored again of ${segments}, ${earlier} before`);
  await again.stop();
});

test('SIGTERM ends the transcoder and keeps its job', async () => {
  const it = await origin();
  await upload(it, 'demo/videos/stopped', slowClip());
  await waitForSegments(it, 'demo/stopped', 1);
  const [pid] = transcodersOf(it.pid);
  await it.stop();
  assert.ok(!isAlive(pid));
  const again = await it.restart();
  origins.push(again);
  assert.notEqual((await asset(again, 'demo/stopped')).state, 'failed');
  await until('the job to run again', () => transcodersOf(again.pid).length === 1);
  await again.stop();
});

test('a deleted asset takes its transcoder with it', async () => {
  const it = await origin();
  await upload(it, 'demo/videos/gone', slowClip());
  await waitForSegments(it, 'demo/gone', 1);
  const [pid] = transcodersOf(it.pid);
  assert.ok((await remove(it, 'demo/gone')).status < 300);
  await until('the transcoder to end', () => !isAlive(pid));
  await until('the origin to have reaped it', () => transcodersOf(it.pid).length === 0);
  await it.stop();
});

test('a photo does not wait behind a long video', async () => {
  const it = await origin();
  await upload(it, 'demo/videos/long', slowClip());
  await waitForState(it, 'demo/long', 'processing');
  await upload(it, 'demo/photos/quick', photo({ size: '640x360' }));
  await waitForState(it, 'demo/quick', 'ready');
  assert.equal((await asset(it, 'demo/long')).state, 'processing');
  await it.stop();
});

test('a long video makes room for a short one, of another tenant or its own, and goes on', async () => {
  const it = await origin({ tenants: { demo: 'demo-key', other: 'other-key' },
    settings: { jobs: { turn: '200ms' } } });
  await upload(it, 'demo/videos/film', slowClip());
  const before = await waitForSegments(it, 'demo/film', 2);
  for (const name of ['other/clip', 'demo/clip']) {
    const [tenant, asset_] = name.split('/');
    await upload(it, `${tenant}/videos/${asset_}`, clip({ seconds: 2 }));
    await waitForState(it, name, 'ready');
    assert.notEqual((await asset(it, 'demo/film')).state, 'ready', `${name} did not wait for the film`);
  }
  await waitForState(it, 'demo/film', 'ready');
  const whole = await playlists(it, 'demo/film');
  assertOnlyGrown(before, whole);
  assertWhole(whole, 30);
  const metrics = await it.metrics();
  assert.ok(metricValue(metrics, 'origin_job_turns_total') >= 2);
  assert.equal(metricValue(metrics, 'origin_job_crashes_total'), 0);
  assert.equal(metricValue(metrics, 'origin_job_tries_total'), 3);
  await it.stop();
});

// What a transcoder does, as a shell script → what the broadcaster reads.
const failures = [
  ['crashes', 'kill -SEGV $$', /^the file crashed our decoder in each of 2 tries; it may be damaged$/],
  ['ends without a word', 'exit 0', /^the file crashed our decoder in each of 2 tries/],
  ['hangs', 'exec sleep 100', /^converting the file came to a standstill in each of 2 tries/],
  ['needs too much memory', 'exit 70', /^converting the file needs more memory than the limit of 512 MiB/],
];
for (const [what, script, reason] of failures) {
  test(`a transcoder that ${what} is tried again, then the asset fails with a reason`, async () => {
    const folder = temporaryFolder('stand-in');
    try {
      const it = await origin({ settings: { jobs: { attempts_max: 2, stall: '300ms',
        memory_max: '512MiB', transcoder: scriptedTranscoder(folder, script) } } });
      await upload(it, 'demo/videos/bad', Buffer.from('whatever'));
      const { state, error } = await waitForEnd(it, 'demo/bad').catch(() => asset(it, 'demo/bad'));
      assert.equal(state, 'failed');
      assert.match(error, reason);
      assert.equal(metricValue(await it.metrics(), 'origin_job_tries_total'), 2);
      assert.deepEqual(transcodersOf(it.pid), []);
      await it.stop();
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
}

const limited = process.env.TORCHRELAY_BIN ? 'a sanitizer needs more memory than any limit' : false;
// At each limit it is something else that has no room: an encoder, an object, a thread, a picture.
for (const memory_max of ['64MiB', '100MiB', '130MiB', '200MiB']) {
  test(`a video that does not fit into ${memory_max} fails for that reason`, { skip: limited }, async () => {
    const it = await origin({ settings: { jobs: { attempts_max: 1, memory_max } } });
    await upload(it, 'demo/videos/large', clip({ seconds: 2, size: '1920x1080', h264: false }));
    const { state, error } = await waitForEnd(it, 'demo/large').catch(() => asset(it, 'demo/large'));
    assert.equal(state, 'failed');
    assert.match(error, /^converting the file needs more memory than the limit of \d+ MiB$/);
    await it.stop();
  });
}

test('while the transcoder cannot be started, uploads wait and say so, and go on when it can', async () => {
  const folder = temporaryFolder('stand-in');
  const program = scriptedTranscoder(folder, 'exit 78');  // its settings are wrong
  const it = await origin({ settings: { jobs: { attempts_max: 1, transcoder: program } } });
  const waits = (name) => waitForState(it, `demo/${name}`,
    ({ state, stage }) => state === 'queued' && /cannot start its transcoder/.test(stage));
  await upload(it, 'demo/videos/early', clip({ seconds: 2 }));
  await waits('early');
  fs.rmSync(program);
  await upload(it, 'demo/photos/later', photo({ size: '640x360' }));
  const { stage, error } = await waits('later');
  assert.doesNotMatch(stage, /stand-in/, 'a path is the operator’s business');
  assert.equal(error, null);
  assert.match(it.log(), /transcoder cannot be started.*asset=later.*No such file/);
  assert.ok(metricValue(await it.metrics(), 'origin_job_outages_total') >= 2);
  assert.equal(metricValue(await it.metrics(), 'origin_job_crashes_total'), 0);
  fs.symlinkSync(path.join(programs, 'torchrelay-transcoder'), program);
  for (const name of ['early', 'later']) {
    assert.equal((await waitForState(it, `demo/${name}`, 'ready')).stage, '');
  }
  await it.stop();
  fs.rmSync(folder, { recursive: true });
});

test('a transcoder gets exactly the descriptors of the contract', async () => {
  const folder = temporaryFolder('stand-in');
  const list = `${folder}/descriptors`;
  // The list is descriptor 1 and the folder that ls reads is 5.
  const script = scriptedTranscoder(folder, `exec ls /proc/self/fd > ${list}`);
  const it = await origin({ settings: { jobs: { attempts_max: 1, transcoder: script } } });
  await upload(it, 'demo/videos/x', Buffer.from('whatever'));
  const descriptors = await until('the list', () => fs.readFileSync(list, 'utf8').trim());
  assert.deepEqual(descriptors.split('\n').map(Number), [0, 1, 2, 3, 4, 5]);
  await it.stop();
  fs.rmSync(folder, { recursive: true });
});
