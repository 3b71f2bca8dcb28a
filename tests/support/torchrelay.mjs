// Starts real origins and edges on free ports with state of their own, and waits until they are
// ready. Everything a test needs of a running program is in the object that it gets back.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { until, final } from './poll.mjs';
import { freePorts } from './ports.mjs';
import { get, sha256 } from './http.mjs';
import { Program, programs } from './program.mjs';
import { toToml } from './toml.mjs';

const loopback = '127.0.0.1';

/** A new folder under the system's temporary folder; removed by `cleanUp`. */
export function temporaryFolder(noun) {
  return fs.mkdtempSync(path.join(os.tmpdir(), `torchrelay-${noun}-`));
}

/**
 * @param {{tenants?: Record<string, string>, settings?: object, folder?: string,
 *          transcoder?: object, ports?: number[]}} [options]
 *   tenants: name → key; settings: tables merged over the generated ones; folder: reuse the state of
 *   an earlier origin; transcoder: tables for the transcoder's file.
 */
export async function startOrigin(options = {}) {
  const tenants = options.tenants ?? { demo: 'demo-key' };
  const folder = options.folder ?? temporaryFolder('origin');
  const [port, adminPort] = options.ports ?? await freePorts(2);
  const transcoderPath = transcoderFile(folder, options.transcoder);
  const settings = merge(originSettings(folder, port, adminPort, tenants, transcoderPath),
    options.settings);
  const configPath = path.join(folder, 'origin.toml');
  fs.writeFileSync(configPath, toToml(settings));
  const origin = await start('torchrelay-origin', folder, configPath, port, adminPort, options);
  return Object.assign(origin, {
    tenants,
    authorization: (tenant = Object.keys(tenants)[0]) =>
      ({ authorization: `Bearer ${tenants[tenant]}` }),
    restart: () => startOrigin({ ...options, folder, ports: [port, adminPort] }),
  });
}

function originSettings(folder, port, adminPort, tenants, transcoderPath) {
  return {
    origin: { listen: `127.0.0.1:${port}`, admin: `127.0.0.1:${adminPort}`, threads: 1,
      path: path.join(folder, 'state') },
    uploads: { free_space_min: '16MiB' },
    live: { rtmp: '', srt: '' },  // fixed ports: who wants one sets it
    jobs: { transcoder: path.join(programs, 'torchrelay-transcoder'),
      ...(transcoderPath ? { transcoder_config: transcoderPath } : {}) },
    tenants: Object.entries(tenants).map(([name, key]) => ({ name, key_sha256: [sha256(key)] })),
  };
}

/** Path of a transcoder file with these tables; null: the transcoder's own defaults. */
function transcoderFile(folder, tables) {
  if (!tables) return null;
  const file = path.join(folder, 'transcoder.toml');
  fs.writeFileSync(file, toToml(tables));
  return file;
}

/**
 * @param {{name?: string, upstream: string, members?: {name: string, url: string}[],
 *          size?: string, settings?: object, folder?: string, ports?: number[],
 *          address?: string, environment?: object, descriptors?: number|string, wrapper?: string[]}} options
 *   upstream: an origin's url; members: the whole fleet, this edge included; address: where it listens;
 *   the last three: of Program.
 */
export async function startEdge(options) {
  const name = options.name ?? 'edge-1';
  const address = options.address ?? loopback;
  const folder = options.folder ?? temporaryFolder(name);
  const [port, adminPort] = options.ports ?? await freePorts(2);
  const settings = merge({
    edge: { name, listen: [`${address}:${port}`], admin: `${address}:${adminPort}` },
    cache: { path: path.join(folder, 'cache'), size: options.size ?? '256MiB' },
    upstream: [{ url: options.upstream }],
    ...(options.members ? { fleet: { members: options.members } } : {}),
  }, options.settings);
  const configPath = path.join(folder, 'edge.toml');
  fs.writeFileSync(configPath, toToml(settings));
  const edge = await start('torchrelay-edge', folder, configPath, port, adminPort, options);
  return Object.assign(edge, {
    edgeName: name,
    restart: () => startEdge({ ...options, folder, ports: [port, adminPort] }),
  });
}

/**
 * `count` edges in front of `upstream` that know each other; the i-th is named edge-(i+1).
 * @param {object} [options] of startEdge, the same for all
 * @param {{member?: (i: number) => object, ports?: number[]}} [fleet] member: what its entry in
 *   fleet.members has besides; ports: two for each edge, for viewers and for the admin
 */
export async function startEdges(count, upstream, options = {}, { member = () => ({}), ports } = {}) {
  ports ??= await freePorts(2 * count);
  const members = Array.from({ length: count }, (_, i) =>
    ({ name: `edge-${i + 1}`, url: `http://127.0.0.1:${ports[2 * i]}`, weight: 1.0, ...member(i) }));
  return Promise.all(members.map(({ name }, i) => startEdge({
    ...options, name, upstream, ports: [ports[2 * i], ports[2 * i + 1]], ...(count > 1 ? { members } : {}),
  })));
}

/** One origin and `count` edges that know each other. */
export async function startFleet(count = 3, { origin: originOptions, edge: edgeOptions } = {}) {
  const ports = await freePorts(2 * count);
  const admins = ports.filter((_, i) => i % 2 === 1).map((port) => `http://127.0.0.1:${port}`);
  const origin = await startOrigin({ ...originOptions,
    settings: { edges: { admin: admins }, ...originOptions?.settings } });
  const edges = await startEdges(count, origin.url, edgeOptions, { ports });
  // Read when called: a test may put a restarted program in the place of the old one.
  const fleet = { origin, edges };
  const all = () => [...fleet.edges, fleet.origin];
  return Object.assign(fleet, { stop: () => stopAll(all()), cleanUp: () => cleanUp(...all()) });
}

/** Stops what still runs, what a test plays itself included, and removes the folders; for `after()`. */
export async function cleanUp(...programs) {
  try {
    await stopAll(programs.filter(Boolean));
  } finally {
    for (const program of programs) if (program?.folder) fs.rmSync(program.folder, { recursive: true, force: true });
  }
}

/** All at once; every one is stopped even when one of them fails to stop well. */
async function stopAll(programs) {
  const results = await Promise.allSettled(programs.map((program) => program.stop()));
  const bad = results.find((result) => result.status === 'rejected');
  if (bad) throw bad.reason;
}

async function start(name, folder, configPath, port, adminPort, options = {}) {
  const program = new Program(name, ['--config', configPath], path.join(folder, 'log'), options.environment, options);
  const address = options.address ?? loopback;
  const url = `http://${address}:${port}`;
  const admin = `http://${address}:${adminPort}`;
  await until(`${name} to be ready`, async () => {
    if (!program.alive) throw final(`${name} ended while starting:\n${program.logTail()}`);
    return (await get(`${admin}/readyz`)).status === 200;
  });
  return Object.assign(program, {
    folder, configPath, port, adminPort, url, admin,
    metrics: async () => (await get(`${admin}/metrics`)).text,
  });
}

function merge(base, over = {}) {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const both = [base[key], value].every((v) => v && typeof v === 'object' && !Array.isArray(v));
    merged[key] = both ? { ...base[key], ...value } : value;
  }
  return merged;
}
