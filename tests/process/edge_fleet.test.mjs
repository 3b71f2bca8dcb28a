// Three edges, one ring: one fetch per fleet, and an owner that dies harms nobody.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { get, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { openAnswer } from '../support/streaming.mjs';
import { cleanUp, startEdges } from '../support/torchrelay.mjs';

let origin;
let edges;

beforeEach(async () => {
  origin = await startScriptedOrigin();
  edges = await startEdges(3, origin.url, { settings: { fleet: { probe_interval: '100ms' } } });
});
afterEach(async () => {
  await cleanUp(...edges, origin);
});

const status = (answer) => answer.headers['cache-status'];
const others = (owner) => edges.filter((edge) => edge !== owner);
/** The edge that the origin hears from when `asker` wants `path`. */
async function ownerOf(path, asker = edges[0]) {
  await get(asker.url + path);
  const via = origin.requests.findLast((one) => one.path === path).headers.via;
  return edges.find((edge) => via.endsWith(edge.edgeName));
}
/** A path that `edges[index]` owns. */
async function pathOwnedBy(index, name) {
  for (let i = 0; ; i++) {
    const path = `/${name}/${i}`;
    origin.answer(path, { headers: fresh, body: path });
    if (await ownerOf(path, edges[(index + 1) % 3]) === edges[index]) return path;
  }
}

test('a cold object asked for everywhere at once is one fetch', async () => {
  const body = pattern(500_000);
  for (let i = 0; i < 6; i++) {
    const path = `/cold/${i}`;
    let response;
    origin.answer(path, (asked, answer) => {
      response = answer.writeHead(200, { ...fresh, 'content-length': body.length });
      answer.write(body.subarray(0, 200_000));
    });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => openAnswer(edges[n % 3].url + path)));
    response.end(body.subarray(200_000));
    for (const answer of answers) {
      const got = await answer.whole();
      assert.ok(got.complete && got.body.equals(body));
    }
    assert.equal(origin.count(path), 1);
  }
});

test('after a purge nothing comes from a member that has not heard of it, a tail neither', async () => {
  for (let i = 0; i < 6; i++) {  // some are owned by others
    const path = `/tail/${i}`;
    const offer = (body) => origin.answer(path, (_, response) => response.writeHead(206,
      { ...fresh, 'content-range': 'bytes 7-9/10', 'content-length': 3 }).end(body));
    const ask = async () => (await request(edges[0].url + path, { headers: { range: 'bytes=-3' } })).text;
    offer('old');
    assert.equal(await ask(), 'old');
    offer('new');
    await request(`${edges[0].admin}/purge`, { method: 'POST', body: JSON.stringify({ url: path }) });
    assert.equal(await ask(), 'new', path);
  }
});

test('each hop has its entry, the one nearest to the viewer last', async () => {
  const path = await pathOwnedBy(0, 'hops');
  const answer = await get(edges[2].url + path);
  assert.match(status(answer), /^edge-1; (hit|fwd=).*, edge-3; fwd=uri-miss/);
  // Asked before the store thread has put it where it is found, it says that it joined the fetch.
  await until('a hit at the owner itself', async () => {
    const own = status(await get(edges[0].url + path));
    assert.match(own, /^edge-1; [^,]*$/);
    return own.startsWith('edge-1; hit');
  });
});

test('the owner is killed: the next requests succeed at once, and it comes back by itself', async () => {
  const kept = await pathOwnedBy(1, 'killed');
  const cold = await pathOwnedBy(1, 'cold-then');
  edges[1].kill();
  await edges[1].exited;
  for (const edge of others(edges[1])) {
    const begun = Date.now();
    assert.equal((await get(edge.url + kept)).text, kept);
    origin.answer(`${cold}?new`, { headers: fresh, body: 'x' });
    assert.equal((await get(`${edge.url}${cold}?new`)).status, 200);
    assert.ok(Date.now() - begun < 1000, 'nobody waits for a dead edge');
  }
  edges[1] = await edges[1].restart();
  let n = 0;
  await until('the owner to be asked again', async () => {
    const path = `${cold}?${n++}`;
    await get(edges[0].url + path);
    return status(await get(edges[0].url + path)).includes('edge-2') || await ownerOf(path) === edges[1];
  });
  const fleet = (await get(`${edges[0].admin}/api/v1/fleet`)).json();
  assert.deepEqual(fleet.members.map(({ up }) => up), [true, true, true]);
});

test('the owner is killed in the middle of a body: the viewer gets the whole', async () => {
  const path = await pathOwnedBy(2, 'mid');
  const body = pattern(600_000, 5);
  const slow = `${path}?slow`;
  // The query changes the owner: look for one that edge-3 owns as well.
  let target;
  let response;
  for (let i = 0; !target; i++) {
    origin.answer(path, { headers: fresh, body: 'x' });
    if (await ownerOf(`${slow}${i}`) === edges[2]) target = `${slow}${i}-`;
    if (target) {
      origin.answer(path, (asked, answer, number) => {
        const from = Number(/bytes=(\d+)-/.exec(asked.headers.range ?? 'bytes=0-')[1]);
        const head = { ...fresh, etag: '"s"', 'content-length': body.length - from };
        if (from === 0) {
          response = answer.writeHead(200, head);
          // Its successor may fetch the whole, when it has nothing of it yet.
          if (number > 1) answer.end(body);
          else answer.write(body.subarray(0, 300_000));
        } else {
          answer.writeHead(206, { ...head, 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` });
          answer.end(body.subarray(from));
        }
      });
      const client = await openAnswer(edges[0].url + target);
      if (!status(client).includes('edge-3')) {
        response.end(body.subarray(300_000));
        await client.whole();
        target = undefined;
        continue;
      }
      edges[2].kill();
      const got = await client.whole();
      assert.ok(got.complete && got.body.equals(body), `${got.body.length} bytes`);
    }
  }
  edges[2] = await edges[2].restart();
});
