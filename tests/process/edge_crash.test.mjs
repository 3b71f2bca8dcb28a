// An edge that is killed at random moments, two hundred times over one store, while it fills, evicts
// and purges: every time it opens its store again, says so and answers, never a wrong byte comes out
// of it, nothing whose purge was acknowledged, and nothing that was softly purged unless the origin
// was asked since. The seed makes the load and the moments.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { metricValue, request, sha256 } from '../support/http.mjs';
import { randomness } from '../support/http_grammar.mjs';
import { until } from '../support/poll.mjs';
import { pattern } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

const kills = 200, seed = 20260725;
const life_ms = 250;  // of an edge, at most
const answer_deadline_ms = 20_000;
const clients = 6, objects = 1000, groups = 40, tags = 25;
const random = randomness(seed);

/** Every object has a size of its own, from 1 byte to 400 KB; together more than twice the store. */
const sizes = Array.from({ length: objects }, () =>
  1 + random.below(random.pick([2_000, 20_000, 70_000, 400_000])));
const pathOf = (i) => `/g${i % groups}/o${i}`;
const tagOf = (i) => `t${i % tags}`;
const source = pattern(1 << 20);
/** The only right bytes of a version of an object. */
const bodyOf = (i, version) => source.subarray((i * 97 + version * 131) % (source.length - sizes[i])).subarray(0, sizes[i]);
const digests = new Map();
const digestOf = (i, version) => {
  const name = `${i}.${version}`;
  if (!digests.has(name)) digests.set(name, sha256(bodyOf(i, version)));
  return digests.get(name);
};

/** What the origin answers now, and the least version that may still be answered for each object. */
const version = new Array(objects).fill(1), least = new Array(objects).fill(1);
/** How often the origin was asked for each, and how often at least before it may be answered. */
const asked = new Array(objects).fill(0), asked_least = new Array(objects).fill(0);
let origin, edge;

before(async () => {
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (question, response) => {
    const i = Number(question.url.split('/o')[1]);
    asked[i]++;
    const now = version[i];
    const head = { 'cache-control': 'public, max-age=3600', etag: `"${now}"`, 'cache-tag': tagOf(i) };
    response.on('error', () => {});
    if (question.headers['if-none-match'] === head.etag) {
      seen.confirmed++;
      return response.writeHead(304, head).end();
    }
    return response.writeHead(200, { ...head, 'content-length': sizes[i] }).end(bodyOf(i, now));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  origin = { url: `http://127.0.0.1:${server.address().port}`, stop: () => { server.close(); server.closeAllConnections(); } };
});
after(async () => {
  await cleanUp(edge);
  origin.stop();
});

const seen = { url: 0, prefix: 0, tag: 0, soft: 0, confirmed: 0, evictions: 0 };

/** One answer, judged: whether it was a hit. Null: none came, as when a kill cut it off. */
async function look(i) {
  // As of before the request: a purge that ends meanwhile does not count.
  const wanted = least[i], wanted_asked = asked_least[i];
  const answer = await request(edge.url + pathOf(i), { deadline_ms: answer_deadline_ms }).catch(() => null);
  if (!answer) return null;
  assert.equal(answer.status, 200, answer.text.slice(0, 200));
  const got = Number(answer.headers.etag.slice(1, -1));
  assert.ok(got >= wanted, `${pathOf(i)}: version ${got} came back, ${wanted - 1} and older were purged`);
  assert.ok(asked[i] >= wanted_asked, `${pathOf(i)}: a softly purged one came back as fresh`);
  assert.equal(sha256(answer.body), digestOf(i, got), `${pathOf(i)}: wrong bytes of version ${got}`);
  return /; hit/.test(answer.headers['cache-status']);
}

/** New versions at the origin, then a purge; once it is acknowledged the old ones may not come back.
 *  A soft one may find the old version still the newest: it has to be asked for. */
async function purge(by, named, text) {
  const soft = random.chance(0.5);
  if (!soft || random.chance(0.5)) for (const i of named) version[i]++;
  const next = named.map((i) => version[i]), next_asked = named.map((i) => asked[i] + 1);
  const what = { [by]: text, ...(soft ? { soft } : {}) };
  const answer = await request(`${edge.admin}/purge`, { method: 'POST', body: JSON.stringify(what) }).catch(() => null);
  if (answer?.status !== 200) return;
  named.forEach((i, k) => {
    least[i] = Math.max(least[i], next[k]);
    asked_least[i] = Math.max(asked_least[i], next_asked[k]);
  });
  seen[by]++;
  seen.soft += soft;
}

function purgeSome() {
  if (random.chance(0.7)) {
    const i = random.chance(0.5) ? some() : random.below(objects);
    return purge('url', [i], pathOf(i));
  }
  const every = (step, from) => Array.from({ length: objects / step }, (_, k) => from + k * step);
  if (random.chance(0.5)) {
    const group = random.below(groups);
    return purge('prefix', every(groups, group), `/g${group}/`);
  }
  const first = random.below(tags);
  return purge('tag', every(tags, first), tagOf(first));
}

/** Few objects are asked for often, many seldom. */
const some = () => Math.floor(objects * (random.below(1000) / 1000) ** 2);

/** Requests and purges until the edge is gone. */
async function client(life) {
  while (!life.over) {
    if (random.chance(0.06)) await purgeSome();
    else await look(some());
  }
}

async function live() {
  const life = { over: false };
  const all = Array.from({ length: clients }, () => client(life));
  await new Promise((wake) => setTimeout(wake, random.below(life_ms)));
  seen.evictions += metricValue(await edge.metrics(), 'relay_edge_cache_evictions_total');
  edge.kill();
  life.over = true;
  await Promise.all(all);
  const { signal } = await edge.exited;
  assert.equal(signal, 'SIGKILL', `the edge ended by itself:\n${edge.logTail()}`);
}

/** How many starts so far have told that their store is read back. */
const opened = () => edge.log().split('event="cache read"').length - 1;

/** The new edge's first answers; how many of them are hits. */
async function comeBack() {
  const before = opened();
  edge = await edge.restart();
  let hits = 0;
  for (let k = 0; k < 10; k++) {
    const hit = await look(some());
    assert.notEqual(hit, null, `no answer after a restart:\n${edge.logTail()}`);
    hits += hit;
  }
  await until('the open to be told', () => opened() > before);
  return hits;
}

test(`${kills} kills under fill, eviction and purge`, { timeout: 240_000 }, async () => {
  edge = await startEdge({ upstream: origin.url, size: '32MiB' });
  let kept = 0;
  for (let i = 0; i < kills; i++) {
    await live();
    kept += await comeBack();
  }
  for (let i = 0; i < objects; i++) await look(i);
  assert.doesNotMatch(edge.log(), /set aside|CHECK failed/, 'a kill costs no store');
  assert.ok(kept > kills / 10, `only ${kept} hits on what was there before a kill`);
  const { url, prefix, tag, soft, confirmed } = seen;
  assert.ok(url + prefix + tag > kills / 4 && Math.min(prefix, tag, soft, confirmed) > kills / 20,
    `few purges: ${JSON.stringify(seen)}`);
  // Few: what an earlier life may still be sending cannot go for a while.
  assert.ok(seen.evictions > 0, 'nothing was evicted');
});
