// 200 viewers at once of an asset that no edge has: the origin is asked for each object once.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { upload, waitForState } from '../support/broadcaster.mjs';
import { startCountingProxy } from '../support/counting_proxy.mjs';
import { get, sha256 } from '../support/http.mjs';
import { clip } from '../support/media.mjs';
import { cleanUp, startEdges, startOrigin } from '../support/torchrelay.mjs';
import { readMedia, readMultivariant } from '../tools/hls_playlist.mjs';

const viewers = 200;
const multivariant = '/demo/final/index.m3u8';
let origin;
let proxy;
let edges = [];

before(async () => {
  origin = await startOrigin();
  proxy = await startCountingProxy(origin.url);
  edges = await startEdges(3, proxy.url);
});
after(async () => {
  await cleanUp(...edges, origin, proxy);
});

const plain = { headers: { 'accept-encoding': 'identity' } };
const pathOf = (url) => new URL(url).pathname;

/** Paths of everything that a viewer of all renditions loads, from the origin itself. */
async function pathsOfPresentation() {
  const url = origin.url + multivariant;
  const { variants, media } = readMultivariant((await get(url, plain)).text, url);
  const playlists = [...variants, ...media].map((one) => one.url).filter(Boolean);
  const objects = [];
  for (const playlist of playlists) {
    const { map, segments } = readMedia((await get(playlist, plain)).text, playlist);
    objects.push(map, ...segments.map((segment) => segment.url));
  }
  return { playlists: [multivariant, ...playlists.map(pathOf)], objects: objects.map(pathOf) };
}

/** One viewer on a connection of its own: playlists, then every object; hashes by path. */
async function view(edge, { playlists, objects }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const hashes = new Map();
    for (const path of [...playlists, ...objects]) {
      hashes.set(path, sha256((await get(edge.url + path, { agent, ...plain })).body));
    }
    return hashes;
  } finally {
    agent.destroy();
  }
}

test(`${viewers} viewers of one cold asset through three edges`, async () => {
  const answer = await upload(origin, 'demo/videos/final', clip({ seconds: 12 }));
  assert.ok(answer.status < 300, answer.text);
  await waitForState(origin, 'demo/final', 'ready');
  const paths = await pathsOfPresentation();
  assert.ok(paths.objects.length >= 6, `only ${paths.objects.length} objects`);
  assert.deepEqual([...proxy.fetches], [], 'the asset must be cold');

  const start = Date.now();
  const seen = await Promise.all(Array.from({ length: viewers }, (_, i) => view(edges[i % 3], paths)));

  for (const path of paths.objects) {
    const right = sha256((await get(origin.url + path)).body);
    assert.ok(seen.every((hashes) => hashes.get(path) === right), `wrong bytes of ${path}`);
  }
  // The multivariant playlist is fresh for five seconds only; everything else is fetched once.
  const lifetimes = 1 + Math.floor((Date.now() - start) / 5000);
  assert.ok(proxy.fetches.get(multivariant) <= lifetimes, `${proxy.fetches.get(multivariant)} fetches`);
  const counts = Object.fromEntries([...proxy.fetches].filter(([path]) => path !== multivariant));
  const lasting = [...paths.playlists.slice(1), ...paths.objects];
  assert.deepEqual(sorted(counts), sorted(Object.fromEntries(lasting.map((path) => [path, 1]))));
});

const sorted = (object) => Object.fromEntries(Object.entries(object).sort());
