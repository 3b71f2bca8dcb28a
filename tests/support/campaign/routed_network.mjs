// A network namespace for each edge, joined by this one's routes: what is cut here is lost like on a
// broken wire, without a word to either side. Needs a user that may make namespaces; the campaign
// itself must run inside `unshare` as `routedCommand` says.

import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { timedOut } from './netstat.mjs';

const own = '198.18.0.1';  // of the network for benchmarks (RFC 2544); only these namespaces know it
const port = 7101;
const adminPort = 7201;
const unshare = ['--map-root-user', '--net', '--mount'];

/** Whether this machine lets us. */
export function canRoute() {
  const tried = spawnSync('unshare', [...unshare, 'sh', '-c',
    'mount -t tmpfs tmpfs /run && ip netns add edge && ip link add wire-1 type veth peer name wire netns edge'
    + ' && ip rule add pref 100 from 198.18.1.1 to 198.18.1.2 blackhole'], { stdio: 'ignore' });
  return tried.status === 0;
}

export const routedCommand = (command) => ['unshare', ...unshare, ...command];

const ip = (lines) => execFileSync('ip', ['-batch', '-'], { input: lines.join('\n') });

/**
 * {host, edge(i): {address, port, adminPort, wrapper}, urlOf(from, to), cut(a, b), heal(a, b), close(),
 * timedOut(): connections that kernels gave up by themselves, until now}
 */
export function makeRoutedNetwork(count) {
  const addressOf = (i) => `198.18.1.${i + 1}`;
  const space = (i) => `edge-${i + 1}`;
  const enter = (i) => ['nsenter', `--net=/run/netns/${space(i)}`];
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  fs.writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  ip(['link set lo up', `addr add ${own}/32 dev lo`]);
  for (let i = 0; i < count; i++) {
    execFileSync('ip', ['netns', 'add', space(i)]);
    ip([`link add wire-${i + 1} type veth peer name wire netns ${space(i)}`, `link set wire-${i + 1} up`,
      `route add ${addressOf(i)}/32 dev wire-${i + 1} src ${own}`]);
    execFileSync('ip', ['-n', space(i), '-batch', '-'], { input: [`addr add ${addressOf(i)}/32 dev wire`,
      'link set lo up', 'link set wire up', `route add ${own}/32 dev wire`, `route add default via ${own}`].join('\n') });
  }
  const rules = (word, a, b) => ip([[a, b], [b, a]].map(([from, to]) =>
    `rule ${word} pref 100 from ${addressOf(from)} to ${addressOf(to)} blackhole`));
  return {
    host: own,
    edge: (i) => ({ address: addressOf(i), port, adminPort, wrapper: enter(i) }),
    urlOf: (from, to) => `http://${addressOf(to)}:${port}`,
    cut: (a, b) => rules('add', a, b),
    heal: (a, b) => rules('del', a, b),
    timedOut: () => Array.from({ length: count }, (_, i) => timedOut(enter(i))).reduce((sum, n) => sum + n, 0),
    close: async () => {},
  };
}
