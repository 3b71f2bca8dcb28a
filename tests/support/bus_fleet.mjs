// Edges that find one another by a real nats-server, before a scripted origin; for tests of one
// file. Everything ends with each test, whatever state it is left in.

import { afterEach, beforeEach, test } from 'node:test';
import { get, metricValue } from './http.mjs';
import { startNatsServer, withoutNatsServer } from './nats_server.mjs';
import { until } from './poll.mjs';
import { freePorts } from './ports.mjs';
import { startScriptedOrigin } from './scripted_origin.mjs';
import { cleanUp, startEdge } from './torchrelay.mjs';

/** A test that needs the server; skipped with the reason where it is not installed. */
export const busTest = (name, run) => test(name, { skip: withoutNatsServer }, run);

/**
 * {origin, bus, edges, startBus(options), join(i, fleet), start(count, fleet)}: of the test that
 * runs. `fleet`: keys of [fleet] besides; a test may put another program in a place of `edges`.
 */
export function busFleet() {
  const fleet = { edges: [] };
  beforeEach(async () => {
    if (!withoutNatsServer) fleet.origin = await startScriptedOrigin();
  });
  afterEach(async () => {
    const started = [...fleet.edges, fleet.bus, fleet.origin];
    Object.assign(fleet, { edges: [], bus: undefined, origin: undefined });
    await cleanUp(...started);
  });
  return Object.assign(fleet, {
    startBus: async (options) => {
      await cleanUp(fleet.bus);
      fleet.bus = await startNatsServer(options);
    },
    /** An edge that knows itself and the bus. */
    join: async (i, keys = {}) => {
      const ports = await freePorts(2);
      const name = `edge-${i}`;
      const edge = await startEdge({
        name, upstream: fleet.origin.url, ports, size: '64MiB',
        settings: { edge: { threads: 1 }, fleet: {
          bus: fleet.bus.url, bus_ttl: '3s', probe_interval: '100ms',
          members: [{ name, url: `http://127.0.0.1:${ports[0]}` }], ...keys } },
      });
      fleet.edges.push(edge);
      return edge;
    },
    start: async (count, keys = {}) => {
      if (!fleet.bus) await fleet.startBus();
      for (let i = 1; i <= count; i++) await fleet.join(i, keys);
      await eachSees(fleet.edges, fleet.edges.map((edge) => edge.edgeName));
      await Promise.all(fleet.edges.map((edge) => trusts(edge)));
      await Promise.all(fleet.edges.map(knowsAllToBeKnown));
    },
  });
}

export const fleetOf = async (edge) => (await get(`${edge.admin}/api/v1/fleet`)).json();
/** Names of those that own keys. */
export const owners = async (edge) =>
  (await fleetOf(edge)).members.filter(({ share }) => share > 0).map(({ name }) => name);
export const eachSees = (edges, names) => Promise.all(edges.map((edge) =>
  until(`${edge.edgeName} to see ${names}`, async () => {
    const seen = await owners(edge);
    if (`${seen.sort()}` !== `${[...names].sort()}`) throw new Error(`it sees ${seen}`);
    return true;
  })));
export const isConnected = (edge, is) => until(`${edge.edgeName} to be ${is ? 'on' : 'off'} the bus`, async () =>
  metricValue(await edge.metrics(), 'relay_edge_bus_connected') === (is ? 1 : 0));
/** Until it has heard from all others that they know all: then a majority of one is one of all. */
export const knowsAllToBeKnown = (edge) => until(`${edge.edgeName} to hear that all know all`, async () => {
  const { bus } = await fleetOf(edge);
  if (bus.old_views > 0) throw new Error(JSON.stringify(bus));
  return true;
});
/** Until it may serve what it holds (or, with false, may not). */
export const trusts = (edge, does = true) => until(`${edge.edgeName} to trust its store: ${does}`, async () =>
  metricValue(await edge.metrics(), 'relay_edge_store_trusted') === (does ? 1 : 0));
