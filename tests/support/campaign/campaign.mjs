// The campaign: a fleet and its viewers while members are killed, stopped and cut off. Run by
// tests/process/fleet_faults.test.mjs, in a network of its own; prints what happened as JSON.
//   node campaign.mjs '{"network": "routed"|"relayed", "edges", "viewers", "hold_ms", "rounds", "seed"}'

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { get } from '../http.mjs';
import { until } from '../poll.mjs';
import { programs } from '../program.mjs';
import { cleanUp, startEdge } from '../torchrelay.mjs';
import { Audience } from './audience.mjs';
import { Board } from './board.mjs';
import { Faults, sumOf } from './faults.mjs';
import { judgeFetches } from './fetch_rule.mjs';
import { pathOf, randomOf } from './objects.mjs';
import { startOrigin } from './origin.mjs';
import { readOwnWords } from './own_words.mjs';
import { Purges } from './purges.mjs';
import { makeRelayedNetwork } from './relayed_network.mjs';
import { makeRoutedNetwork } from './routed_network.mjs';

const options = JSON.parse(process.argv[2]);
const threads = 2;
const segment_ms = 2000;
const pause_ms = 3000;  // of a viewer between two requests, on average
const probe_ms = 200;
const slow_start_ms = 2000;
const lease_ms = 2000;
// Until others have noticed that an edge is back, and have given it its keys again.
const notice_ms = 10 * probe_ms + slow_start_ms;

const logs = process.env.CAMPAIGN_LOGS;  // a folder for what the edges logged, and who fetched what
if (logs) fs.mkdirSync(logs, { recursive: true });

const board = new Board();
board.versions.fill(1);
const random = randomOf(options.seed);
const network = await (options.network === 'routed' ? makeRoutedNetwork : makeRelayedNetwork)(options.edges);
const origin = await startOrigin(network.host, board);
const places = Array.from({ length: options.edges }, (_, i) => network.edge(i));
const nameOf = (i) => `edge-${i + 1}`;

const edges = await Promise.all(places.map(({ address, port, adminPort, wrapper }, i) => startEdge({
  name: nameOf(i), upstream: origin.url, address, ports: [port, adminPort], wrapper, size: '1GiB',
  members: places.map((_, to) => ({ name: nameOf(to), url: network.urlOf(i, to), weight: 1.0 })),
  settings: {
    edge: { threads: 1, ...(logs ? { access_log: path.join(logs, `${nameOf(i)}.access`) } : {}) },
    timeouts: { connect: '2s' },
    fleet: { probe_interval: `${probe_ms}ms`, slow_start: `${slow_start_ms}ms`, purge_lease: `${lease_ms}ms`,
      key: 'a secret of this campaign' },
  },
})));

const errors = [];
const orders = new Map();
const begun_ms = Date.now();
const viewers = Array.from({ length: threads }, (_, i) => {
  const worker = new Worker(new URL('./viewer_thread.mjs', import.meta.url), { workerData: {
    memory: board.memory, edges: places.map(({ address, port }) => ({ host: address, port })), pause_ms,
    numbers: Array.from({ length: options.viewers / threads }, (_, n) => threads * n + i), seed: options.seed + i + 1,
  } });
  worker.on('message', (text) => errors.push(text));
  return new Promise((done, bad) => worker.once('exit', done).once('error', bad));
});
// When the whole machine stands still for longer than a lease, all edges are away.
const stalls = [];
let ticked_ms = Date.now();
const ticks = setInterval(() => {
  const now_ms = Date.now();
  if (now_ms - ticked_ms > lease_ms / 2) {
    stalls.push({ kind: 'stall', edges: edges.map((edge) => edge.edgeName), from_ms: ticked_ms, to_ms: now_ms });
  }
  ticked_ms = now_ms;
}, 100);
const segments = setInterval(() => board.publishSegment(), segment_ms);

const audience = new Audience(board, options.viewers);
const faults = new Faults({ edges, network, board, hold_ms: options.hold_ms });
const purges = new Purges({ faults, board, random, every_ms: 300 });
const answers = (more) => {
  const target = board.counts.answered + more;
  return until(`${more} more answers to ${audience.size} viewers`, () => board.counts.answered >= target, { deadline_ms: 60_000 });
};
let stale = [];
let [evictions, resumed] = [0, 0];
try {
  await run();
} catch (error) {
  errors.push(`broke off: ${error.message}`);
  faults.letGoOn();
}
board.end();
await Promise.all(viewers);
audience.close();
clearInterval(segments);
clearInterval(ticks);
const said = readOwnWords(edges);
const known = [...faults.done, ...stalls, ...said];
const fetched = judgeFetches(origin.fetches, known, { notice_ms, store_ms: 500 }, orderOf);
if (logs) {
  for (const edge of edges) fs.copyFileSync(edge.logPath, path.join(logs, `${edge.edgeName}.log`));
  fs.writeFileSync(path.join(logs, 'fetches.json'), JSON.stringify(origin.fetches));
}
console.log(JSON.stringify({ begun_ms, viewers: board.counts, errors, faults: faults.done, purges: purges.counts, stale, fetched,
  watching: audience.size, evictions, resumed, timed_out: network.timedOut(), stalls: stalls.length, said: said.length }));
await cleanUp(...edges);
await origin.close();
await network.close();

async function run() {
  await until('as many viewers as the machine carries', () => audience.grown);
  await answers(audience.size);
  const purging = purges.run();
  try {
    for (let round = 0; round < options.rounds; round++) {
      for (const [kind, many] of plan()) {
        await faults[kind](choose(many));
        await answers(audience.size / 4);
      }
    }
  } finally {
    purges.ended = true;
    await purging;
  }
  await answers(audience.size);
  stale = await readPurged();
  evictions = await sumOf(edges, 'relay_edge_cache_evictions_total');
  resumed = await sumOf(edges, 'relay_edge_flights_resumed_total');
}

/** Kinds of faults, each with how many edges it hits; in an order by chance. */
function plan() {
  const steps = [['kill', 1], ['stop', 1], ['cut', 1], ['kill', 2], ['cut', 3], ['stop', 2]];
  return steps.map((step) => [random(), step]).sort(([a], [b]) => a - b).map(([, step]) => step);
}

function choose(many) {
  const all = edges.map((_, i) => [random(), i]).sort(([a], [b]) => a - b).map(([, i]) => i);
  return all.slice(0, many);
}

/** Names of all edges in the order in which an object is looked for. */
function orderOf(id) {
  if (!orders.has(id)) orders.set(id, askOrderOf(id));
  return orders.get(id);
}

function askOrderOf(id) {
  const text = execFileSync(path.join(programs, 'torchrelay-edge'),
    ['--config', edges[0].configPath, '--where', pathOf(id)], { encoding: 'utf8' });
  return [...text.matchAll(/^ +\d+ {2}(?:owner|candidate) +(\S+)/gm)].map((line) => line[1]);
}

/** What was purged, at each edge, once all is quiet: those that give less than was acknowledged. */
async function readPurged() {
  const read = async (id, edge) => {
    const version = Number(/-(\d+)"$/.exec((await get(edge.url + pathOf(id))).headers.etag)?.[1]);
    const least = board.acknowledged[id];
    return version >= least ? null : `${edge.edgeName} gives version ${version} of ${pathOf(id)}, purged up to ${least}`;
  };
  const all = await Promise.all([...purges.ids].flatMap((id) => edges.map((edge) => read(id, edge))));
  return all.filter(Boolean);
}
