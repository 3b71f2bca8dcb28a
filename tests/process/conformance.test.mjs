// What the packager makes of very different sources, judged by the validator and by ffprobe.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { upload, waitForState } from '../support/broadcaster.mjs';
import { clip, shared } from '../support/media.mjs';
import { cleanUp, startOrigin } from '../support/torchrelay.mjs';
import { asLine, validate } from '../tools/validate.mjs';

let origin;

before(async () => { origin = await startOrigin({ settings: { jobs: { concurrent_max: 2 } } }); });
after(() => cleanUp(origin));

const made = {
  'h264-aac': () => clip({ seconds: 13 }),
  'long-gop': () => clip({ seconds: 9, keyframe_seconds: 30 }),
  mpeg2: () => clip({ seconds: 9, h264: false }),
  '360p': () => clip({ seconds: 9, size: '640x360' }),
  'rate-29.97': () => clip({ seconds: 7, rate: '30000/1001', keyframe_seconds: 2 }),
  'odd-size': () => clip({ seconds: 5, size: '322x182' }),
  'shorter-than-a-segment': () => clip({ seconds: 1 }),
  'without-sound': () => clip({ seconds: 7, audio: false }),
  'only-sound': () => clip({ seconds: 7, video: false }),
};

const collected = ['city_night_mpeg2ps_405.mpg', 'phone_rot270_720p_aac.mp4', 'vp9_odd_161x121.webm',
  'editlist_iibbibb.mp4', 'ts_first_pts_10s.mp4', 'hlsseg_vod_un_360p.ts', 'screen_vfr_cursed.mp4',
  'bcast_bbcnews_576i_mpeg2_mp2_dvbsub.ts', 'shorter_audio.mp4'];

async function conforms(name, file) {
  const answer = await upload(origin, `demo/videos/${name}`, file);
  assert.ok(answer.status < 300, answer.text);
  await waitForState(origin, `demo/${name}`, 'ready', { deadline_ms: 300_000 });
  const findings = await validate(`${origin.url}/demo/${name}/index.m3u8`);
  assert.deepEqual(findings.map(asLine), []);
}

for (const [name, make] of Object.entries(made)) {
  test(`conforms: ${name}`, () => conforms(name, make()));
}

for (const [i, name] of collected.entries()) {
  const file = shared(`video/${name}`);
  test(`conforms: ${name}`, { skip: !file && 'the private collection is not beside the checkout' },
    () => conforms(`collected-${i}`, file));
}
