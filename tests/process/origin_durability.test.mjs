// What the origin has acknowledged it keeps, whatever happens to it; what it has not, it forgets
// without a trace.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, test } from 'node:test';
import { asset, upload, uploadChunked } from '../support/broadcaster.mjs';
import { request, sha256 } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { cleanUp, startOrigin, temporaryFolder } from '../support/torchrelay.mjs';

const started = [];
after(() => cleanUp(...started));

async function start(options) {
  const origin = await startOrigin({
    ...options, settings: { jobs: { transcoder: '/bin/false' }, ...options?.settings },
  });
  started.push(origin);
  return origin;
}

async function restarted(origin) {
  const again = await origin.restart();
  started.push(again);
  return again;
}

async function crash(origin) {
  origin.kill();
  await origin.exited;
}

/** All files of the state folder but the catalog's. */
function files(origin) {
  const state = path.join(origin.folder, 'state');
  return fs.readdirSync(state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !path.join(entry.parentPath ?? entry.path).includes('catalog'))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

test('an acknowledged upload survives kill -9 at once', async () => {
  let origin = await start({ settings: { jobs: { transcoder: '/bin/sleep' } } });
  const body = Buffer.alloc(3 << 20, 'acknowledged');
  for (let i = 0; i < 5; ++i) {
    const stored = await upload(origin, `demo/videos/kept-${i}`, Buffer.concat([body, Buffer.from([i])]));
    await crash(origin);
    assert.equal(stored.status, 201, stored.text);
    origin = await restarted(origin);
    const kept = await asset(origin, `demo/kept-${i}`);
    assert.equal(kept.sha256, stored.json().sha256);
    assert.equal(kept.version, stored.json().version);
    const sources = files(origin).filter((file) => file.includes(`sources/demo/kept-${i}/`));
    if (kept.state !== 'failed') assert.equal(sha256(fs.readFileSync(sources[0])), kept.sha256);
  }
});

test('an upload cut off by a crash leaves nothing behind', async () => {
  let origin = await start();
  const outgoing = http.request(`${origin.url}/api/v1/demo/videos/half`,
    { method: 'PUT', headers: { ...origin.authorization(), 'content-length': 10 << 20 } });
  outgoing.on('error', () => {});
  outgoing.write(Buffer.alloc(2 << 20));
  await until('the first bytes to be on the disk', () =>
    files(origin).some((file) => file.includes('/incoming/') && fs.statSync(file).size >= 1 << 20));
  const seen = await asset(origin, 'demo/half');
  assert.equal(seen.state, 'receiving');
  assert.ok(seen.bytes >= 1 << 20 && seen.bytes <= 2 << 20, `${seen.bytes} bytes so far`);
  assert.equal(seen.progress, Number((seen.bytes / (10 << 20)).toFixed(6)));
  await crash(origin);
  outgoing.destroy();
  origin = await restarted(origin);
  assert.deepEqual(files(origin), []);
  const gone = await request(`${origin.url}/api/v1/demo/assets/half`, { headers: origin.authorization() });
  assert.equal(gone.status, 404);
});

test('an upload that the client cuts off leaves nothing behind', async () => {
  const origin = await start();
  const outgoing = http.request(`${origin.url}/api/v1/demo/videos/half`,
    { method: 'PUT', headers: { ...origin.authorization(), 'content-length': 10 << 20 } });
  outgoing.on('error', () => {});
  outgoing.write(Buffer.alloc(2 << 20));
  await until('the first bytes', () => files(origin).some((file) => file.includes('/incoming/')));
  outgoing.destroy();
  await until('the file to be gone', () => files(origin).length === 0);
  await assert.rejects(asset(origin, 'demo/half'), /404/);
});

test('a full disk refuses uploads with 507 and takes them again when there is room', async () => {
  const full = await start({ settings: { uploads: { free_space_min: '8000GiB' } } });
  const refused = await upload(full, 'demo/videos/x', Buffer.from('x'));
  assert.equal(refused.status, 507, refused.text);
  assert.match(refused.json().detail, /full/);
  assert.deepEqual(files(full), []);
  await full.stop();
  const roomy = await start({ folder: full.folder });
  assert.equal((await upload(roomy, 'demo/videos/x', Buffer.from('x'))).status, 201);
});

/** A small file system in memory, or null where that is not allowed. */
function smallDisk(folder) {
  fs.mkdirSync(folder);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', folder]);
  if (mounted.status !== 0) return null;
  return { unmount: () => spawnSync('umount', ['-l', folder]) };
}

test('a disk that fills up in mid-upload gives 507, and nothing else breaks', async (t) => {
  const folder = temporaryFolder('disk');
  const disk = smallDisk(path.join(folder, 'state'));
  if (!disk) return t.skip('a file system cannot be mounted here');
  try {
    const origin = await start({ folder, settings: { uploads: { free_space_min: 0 } } });
    const small = await upload(origin, 'demo/videos/small', Buffer.alloc(1 << 20, 's'));
    assert.equal(small.status, 201, small.text);
    const chunked = await uploadChunked(origin, 'demo/videos/large', Buffer.alloc(14 << 20, 'l'));
    assert.equal(chunked.status, 507, chunked.text);
    assert.ok(!files(origin).some((file) => file.includes('/incoming/')));
    const after = await upload(origin, 'demo/videos/after', Buffer.alloc(1 << 20, 'a'));
    assert.equal(after.status, 201, after.text);
    await origin.stop();
  } finally {
    disk.unmount();
  }
});

test('SIGHUP takes new keys in and old ones out; a broken file changes nothing', async () => {
  const origin = await start();
  const text = fs.readFileSync(origin.configPath, 'utf8');
  const list = (key) => request(`${origin.url}/api/v1/demo/assets`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await list('demo-key')).status, 200);
  fs.writeFileSync(origin.configPath, text.replace(sha256('demo-key'), sha256('next-key')));
  origin.signal('SIGHUP');
  await until('the new key to hold', async () => (await list('next-key')).status === 200);
  assert.equal((await list('demo-key')).status, 401);
  assert.match(origin.log(), /keys of demo changed/);
  fs.writeFileSync(origin.configPath, 'broken = [');
  origin.signal('SIGHUP');
  await until('the refusal to be logged', () => /reload refused/.test(origin.log()));
  assert.equal((await list('next-key')).status, 200);
});

test('SIGTERM ends open event streams and stops with 0', async () => {
  const origin = await start();
  const stream = await new Promise((resolve, reject) => {
    http.get(`${origin.url}/api/v1/demo/events`, { headers: origin.authorization() }, resolve).on('error', reject);
  });
  stream.resume();
  const begun = Date.now();
  await origin.stop();
  assert.ok(Date.now() - begun < 5000, 'it did not wait for the grace to end');
});
