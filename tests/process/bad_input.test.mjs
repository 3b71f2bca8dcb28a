// Files that are broken, hostile or not what their name says: each ends ready or failed with a
// reason, within its limits, and neither the origin nor a good job beside it is harmed.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { asset, upload, waitForEnd, waitForState } from '../support/broadcaster.mjs';
import { listen } from '../support/events.mjs';
import { get, sha256 } from '../support/http.mjs';
import { clip, photo, shared } from '../support/media.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin, temporaryFolder } from '../support/torchrelay.mjs';

let origin;
let folder;

before(async () => {
  folder = temporaryFolder('bad');
  origin = await startOrigin({ settings: { jobs: { concurrent_max: 2, deadline: '90s' } } });
});
after(async () => {
  await cleanUp(origin);
  fs.rmSync(folder, { recursive: true, force: true });
});

function ffmpeg(name, ...args) {
  const file = path.join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, file]);
  return file;
}

const hlsPlaylist = '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n';
const concatPlaylist = "ffconcat version 1.0\nfile '/etc/passwd'\nduration 5\n";

/** name → [kind, wanted state, its bytes or file]; "either" is ready or failed. */
const inputs = {
  'text.mp4': ['videos', 'failed', () => Buffer.from('This is a letter, not a film.\n'.repeat(500))],
  'hls-playlist.mp4': ['videos', 'failed', () => Buffer.from(hlsPlaylist)],
  'concat-playlist.mp4': ['videos', 'failed', () => Buffer.from(concatPlaylist)],
  'jpeg.mp4': ['videos', 'failed', () => fs.readFileSync(photo())],
  'cut-before-index.mp4': ['videos', 'failed', () => {
    const whole = fs.readFileSync(clip({ seconds: 6 }));
    return whole.subarray(0, Math.floor(whole.length / 2));
  }],
  'cut-in-the-middle.ts': ['videos', 'ready', () => {
    const whole = fs.readFileSync(clip({ seconds: 6, h264: false }));
    return whole.subarray(0, Math.floor(whole.length / 2) + 77);
  }],
  'audio-only.mp4': ['videos', 'ready', () => clip({ video: false })],
  'video-only.mp4': ['videos', 'ready', () => clip({ audio: false })],
  'one-pixel.mp4': ['videos', 'either', () => ffmpeg('one.mp4', '-f', 'lavfi', '-i',
    'color=size=16x16:rate=25:duration=2,format=yuv444p,crop=1:1', '-c:v', 'libx264')],
  'eight-k.mp4': ['videos', 'either', () => ffmpeg('8k.mp4', '-f', 'lavfi', '-i',
    'color=size=7680x4320:rate=5:duration=0.4', '-c:v', 'libx264', '-preset', 'ultrafast')],
  'text.jpg': ['photos', 'failed', () => Buffer.from('not a picture\n'.repeat(100))],
  'video.jpg': ['photos', 'failed', () => clip()],
  'cut.jpg': ['photos', 'either', () => {
    const whole = fs.readFileSync(photo());
    return whole.subarray(0, whole.length / 3);
  }],
  'svg.jpg': ['photos', 'failed', () => Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>')],
};

async function endsWell(name, [kind, wanted, make], options) {
  const answer = await upload(origin, `demo/${kind}/${name}`, make());
  if (answer.status >= 400) {
    assert.ok(answer.status < 500 && wanted !== 'ready', `${name}: ${answer.status} ${answer.text}`);
    return;
  }
  const { state, error } = await waitForEnd(origin, `demo/${name}`, options);
  if (wanted !== 'either') assert.equal(state, wanted, `${name} is ${state}: ${error}`);
  if (state === 'failed') {
    assert.match(error, /^\S.{14,}$/, `${name} has no reason: ${error}`);
    assert.doesNotMatch(error, /errno|signal|0x|\/proc|\/tmp|averror/i, `${name} is not told in words`);
  }
  assert.equal((await get(`${origin.admin}/healthz`)).status, 200);
  assert.equal(origin.alive, true);
}

test('a good job runs beside them', async (t) => {
  const good = clip({ seconds: 10, size: '640x360' });
  await upload(origin, 'demo/videos/good', good);
  for (const [name, input] of Object.entries(inputs)) {
    await t.test(name, () => endsWell(name, input, { deadline_ms: 120_000 }));
  }
  const { duration } = await waitForState(origin, 'demo/good', 'ready');
  assert.ok(Math.abs(duration - 10) < 0.2, `${duration} s`);
});

test('an empty body is refused', async () => {
  const answer = await upload(origin, 'demo/videos/empty', Buffer.alloc(0));
  assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`);
});

/** A file whose index stands in front, so that all of it that arrived can be played. */
function streamable(name) {
  return ffmpeg(name, '-i', clip({ seconds: 8 }), '-c', 'copy', '-movflags', '+faststart');
}

test('an upload that was cut off is published as far as it came, and says so', async () => {
  const heard = listen(origin, 'demo');
  try {
    await heard.ready;
    const whole = fs.readFileSync(streamable('whole.mp4'));
    await upload(origin, 'demo/videos/cut-off', whole.subarray(0, Math.floor(whole.length * 0.6)));
    const { warnings, duration, error } = await waitForState(origin, 'demo/cut-off', 'ready');
    assert.ok(duration > 3 && duration < 6.5, `${duration} s`);
    assert.equal(error, null);
    assert.equal(warnings.length, 1, warnings.join('\n'));
    const [, read] = /^the file ends early: (\d\.\d) s of the 8\.0 s that it announces could be read$/.exec(warnings[0]);
    assert.ok(Math.abs(read - duration) < 0.15, `${read} s of ${duration} s`);
    const told = await until('the event', () =>
      heard.events.find(({ data }) => data.asset === 'cut-off' && data.state === 'ready'));
    assert.deepEqual(told.data.warnings, warnings);
    await upload(origin, 'demo/videos/cut-off', whole);
    const after = await waitForState(origin, 'demo/cut-off', 'ready');
    assert.deepEqual(after.warnings, [], 'they were of the other file');
    assert.equal(after.duration, 8);
  } finally {
    heard.close();
  }
});

test('a broken file in place of a good one leaves viewers the good one, with its document', async () => {
  await upload(origin, 'demo/videos/kept', clip({ seconds: 4 }));
  const good = await waitForState(origin, 'demo/kept', 'ready');
  assert.equal(good.replacement, null);
  const broken = Buffer.from('This is a letter, not a film.\n'.repeat(50));
  const answer = await upload(origin, 'demo/videos/kept', broken);
  assert.equal(answer.status, 202, answer.text);
  for (const told of [answer.json(), await waitForEnd(origin, 'demo/kept')]) {
    const { state, error, replacement } = told;
    for (const same of ['version', 'bytes', 'sha256', 'download', 'playback', 'renditions', 'duration', 'width']) {
      assert.deepEqual(told[same], good[same], `${same} while it is ${state}`);
    }
    assert.deepEqual([replacement.bytes, replacement.sha256], [broken.length, sha256(broken)]);
    assert.notEqual(replacement.version, good.version);
    assert.deepEqual([replacement.state, replacement.error], [state, error]);
  }
  assert.equal((await asset(origin, 'demo/kept')).state, 'failed');
  assert.equal((await get(origin.url + good.download)).status, 200);
  await upload(origin, 'demo/videos/kept', clip({ seconds: 2 }));
  const next = await waitForState(origin, 'demo/kept', 'ready');
  assert.equal(next.replacement, null);
  assert.notEqual(next.sha256, good.sha256);
});

const collection = shared('bad');
test('every file of the collection of bad media', { skip: !collection && 'the private collection is not beside the checkout' },
  async (t) => {
    const files = fs.readdirSync(collection, { recursive: true })
      .filter((name) => fs.statSync(path.join(collection, name)).isFile());
    assert.ok(files.length > 0);
    const all = files.map((file, i) => ({ file, i, kind: file.startsWith('photo') ? 'photos' : 'videos' }));
    for (const { file, i, kind } of all) {
      await t.test(file, () => endsWell(`bad-${i}`, [kind, 'either', () => path.join(collection, file)],
        { deadline_ms: 180_000 }));
    }
  });
