// A full disk refuses uploads with 507, harms nothing that is there, and is over when there is room.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { asset, upload, waitForState } from '../support/broadcaster.mjs';
import { get } from '../support/http.mjs';
import { clip, photo } from '../support/media.mjs';
import { cleanUp, startOrigin, temporaryFolder } from '../support/torchrelay.mjs';

test('less free space than the setting wants: 507', async (t) => {
  const origin = await startOrigin({ settings: { uploads: { free_space_min: '100000GiB' } } });
  t.after(() => cleanUp(origin));
  const answer = await upload(origin, 'demo/videos/x', clip());
  assert.equal(answer.status, 507, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
});

/** A folder on a file system of its own, or null where this may not be made. */
function smallDisk(t, size) {
  const folder = temporaryFolder('disk');
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]).status === 0;
  t.after(() => {
    if (mounted) execFileSync('umount', ['--lazy', folder]);
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return mounted ? folder : null;
}

test('a disk that fills up in the middle of an upload, and has room again', async (t) => {
  const disk = smallDisk(t, '96m');
  if (!disk) return t.skip('a small file system can be mounted by root only');
  const origin = await startOrigin({ settings: { origin: { path: path.join(disk, 'state') },
    uploads: { free_space_min: '8MiB' } } });
  t.after(() => cleanUp(origin));
  assert.ok((await upload(origin, 'demo/photos/early', photo())).status < 300);
  await waitForState(origin, 'demo/early', 'ready');
  const filler = path.join(disk, 'filler');
  const { bavail, bsize } = fs.statfsSync(disk);
  fs.writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - (20 << 20))));

  const answer = await upload(origin, 'demo/videos/big', Buffer.alloc(40 << 20));
  assert.equal(answer.status, 507, answer.text);
  assert.equal((await asset(origin, 'demo/early')).state, 'ready');
  assert.equal((await get(`${origin.url}/demo/early/w320.jpg`)).headers['content-type'], 'image/jpeg');

  fs.rmSync(filler);
  assert.ok((await upload(origin, 'demo/videos/later', clip())).status < 300);
  await waitForState(origin, 'demo/later', 'ready');
});
