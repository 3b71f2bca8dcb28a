// Today's files are not tomorrow's: an edge whose cache turns over often goes over to a plan that
// forgets what was popular once.

import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { randomOf } from '../support/campaign/objects.mjs';
import { get } from '../support/http.mjs';
import { fresh, pattern } from '../support/scripted_origin.mjs';
import { cleanUp, startEdge } from '../support/torchrelay.mjs';

const requests_a_fashion = 20_000;
const requests_a_look = 1000;
const requests_max = 120_000;
const clients = 12;

const body = pattern(20_000);
const origin = http.createServer({ keepAliveTimeout: 60_000 }, (_, response) => {
  response.writeHead(200, { ...fresh, etag: '"v1"', 'content-length': body.length }).end(body);
});
await once(origin.listen(0, '127.0.0.1'), 'listening');
const edge = await startEdge({ upstream: `http://127.0.0.1:${origin.address().port}`, size: '16MiB' });
const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
after(async () => {
  agent.destroy();
  await cleanUp(edge);
  origin.close();
  origin.closeAllConnections();
});

/** Half is for 400 files, which are others after a while; half for files asked for twice, far apart. */
function* paths() {
  const roll = randomOf(7);
  let others = 0;
  for (let i = 0; ; i++) {
    if (roll() < 0.5) {
      yield `/other/${Math.floor(others / 4000)}/${others++ % 2000}`;
    } else {
      yield `/popular/${Math.floor(i / requests_a_fashion)}/${Math.floor(400 * roll() ** 3)}`;
    }
  }
}

/** `clients` at a time ask for the next `count` of `wanted`. */
async function ask(wanted, count) {
  let left = count;
  const client = async () => {
    while (left-- > 0) await get(edge.url + wanted.next().value, { agent });
  };
  await Promise.all(Array.from({ length: clients }, client));
}

test('a plan that forgets comes into force where what is popular keeps changing', async () => {
  const wanted = paths();
  const told = async () => (await get(`${edge.admin}/api/v1/cache`)).json().policy;
  assert.equal((await told()).memory, 'lasting');
  let memory;
  for (let asked = 0; asked < requests_max && memory !== 'recent'; asked += requests_a_look) {
    await ask(wanted, requests_a_look);
    ({ memory } = await told());
  }
  assert.equal(memory, 'recent');
});
