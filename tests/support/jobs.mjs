// Looking at an origin's transcoder processes from outside, as an operator would, and standing in
// for the transcoder with a script.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { get } from './http.mjs';
import { until } from './poll.mjs';

/** Process ids of an origin's children that are transcoders. */
export function transcodersOf(pid) {
  let children;
  try {
    children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)]).toString();
  } catch {
    return [];  // ps fails when there is none
  }
  return children.split('\n').filter((line) => line.includes('transcoder'))
    .map((line) => Number(line.trim().split(/\s+/)[0]));
}

/** Whether a process of that id is there and not only waiting to be reaped. */
export function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Memory that a process has in use. */
export const residentMib = (pid) =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** Waits until an asset has that many segments in one of its media playlists; the playlists' texts. */
export function waitForSegments(origin, asset, count) {
  return until(`${asset} to have ${count} segments`, async () => {
    const texts = await playlists(origin, asset);
    const most = Math.max(0, ...Object.values(texts).map((text) => text.split('#EXTINF').length - 1));
    return most >= count ? texts : null;
  }, { every_ms: 30, deadline_ms: 60_000 });
}

/** Media playlists of an asset by rendition. */
export async function playlists(origin, asset) {
  const base = `${origin.url}/${asset}/`;
  const { text } = await get(`${base}index.m3u8`);
  const played = text.replaceAll(/^#EXT-X-(I-FRAME|IMAGE)-STREAM-INF.*$/gm, '');
  const uris = [...played.matchAll(/^(?:[^#\n].*|.*URI="([^"]+)".*)$/gm)].map((m) => m[1] ?? m[0]);
  const found = {};
  for (const uri of uris) found[uri.split('/').at(-2)] = (await get(base + uri)).text;
  return found;
}

/** How many sheets of thumbnails an asset has by now. */
export async function sheets(origin, asset) {
  const base = `${origin.url}/${asset}/`;
  const { text } = await get(`${base}index.m3u8`);
  const uri = /^#EXT-X-IMAGE-STREAM-INF:.*URI="([^"]+)"/m.exec(text)?.[1];
  return uri ? (await get(base + uri)).text.split('#EXTINF').length - 1 : 0;
}

/** An executable script that stands in for the transcoder; its folder is the caller's. */
export function scriptedTranscoder(folder, body) {
  const file = path.join(folder, 'transcoder-stand-in');
  fs.writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return file;
}
