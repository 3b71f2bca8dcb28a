// For users who may not make network namespaces: each edge has an address of its own on loopback, and
// between each two edges stands a relay. What is cut here is held: both ends keep their connection,
// nothing goes through, and new ones are taken but lead nowhere.

import { Worker } from 'node:worker_threads';
import { freePorts } from '../ports.mjs';
import { timedOut } from './netstat.mjs';

const own = '127.0.0.1';

/** As makeRoutedNetwork. */
export async function makeRelayedNetwork(count) {
  const before = timedOut();  // of whoever uses this machine
  const ports = await freePorts(2 * count);
  const addressOf = (i) => `127.0.0.${i + 11}`;
  const edge = (i) => ({ address: addressOf(i), port: ports[2 * i], adminPort: ports[2 * i + 1], wrapper: [] });
  const urlOf = (i) => `http://${addressOf(i)}:${edge(i).port}`;
  const pairs = [];
  for (let from = 0; from < count; from++) {
    for (let to = 0; to < count; to++) {
      if (from !== to) pairs.push({ name: `${from} ${to}`, target: { host: addressOf(to), port: edge(to).port } });
    }
  }
  const relays = new Worker(new URL('./relay_thread.mjs', import.meta.url), { workerData: { host: own, pairs } });
  const relayPorts = await new Promise((ready, bad) => relays.once('message', ready).once('error', bad));
  const both = (a, b) => [`${a} ${b}`, `${b} ${a}`];
  return {
    host: own,
    edge,
    urlOf: (from, to) => (from === to ? urlOf(to) : `http://${own}:${relayPorts[`${from} ${to}`]}`),
    cut: (a, b) => relays.postMessage({ held: true, names: both(a, b) }),
    heal: (a, b) => relays.postMessage({ held: false, names: both(a, b) }),
    timedOut: () => timedOut() - before,
    close: () => relays.terminate(),
  };
}
