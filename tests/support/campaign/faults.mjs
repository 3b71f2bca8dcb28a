// What is done to the edges of the campaign, one step after the other: killed and started again,
// stopped and let go on, cut off from the others. Each step names who, and says what it saw.

import { get, metricValue } from '../http.mjs';
import { until } from '../poll.mjs';

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

export class Faults {
  /** @param {{edges: object[], network: object, board: import('./board.mjs').Board, hold_ms: number}} fleet */
  constructor(fleet) {
    Object.assign(this, fleet);
    this.done = [];          // {kind, edges, from_ms, to_ms, noticed, asked_while_down}
    this.stopped = new Set();
  }

  others(victims) {
    return this.edges.filter((_, i) => !victims.includes(i));
  }

  async kill(victims) {
    return this.step('kill', victims, async () => {
      for (const i of victims) {
        Atomics.store(this.board.dead, i, 1);
        Atomics.add(this.board.deaths, i, 1);
        this.edges[i].kill();
      }
      await Promise.all(victims.map((i) => this.edges[i].exited));
    }, async () => {
      await Promise.all(victims.map(async (i) => {
        this.edges[i] = await this.edges[i].restart();
        Atomics.store(this.board.dead, i, 0);
      }));
    });
  }

  async stop(victims) {
    return this.step('stop', victims, () => this.signal(victims, 'SIGSTOP'), () => this.signal(victims, 'SIGCONT'));
  }

  async cut(victims) {
    const pairs = victims.flatMap((a) => this.edges.flatMap((_, b) => (victims.includes(b) ? [] : [[a, b]])));
    return this.step('cut', victims, () => pairs.forEach(([a, b]) => this.network.cut(a, b)),
      () => pairs.forEach(([a, b]) => this.network.heal(a, b)));
  }

  signal(victims, signal) {
    for (const i of victims) {
      process.kill(this.edges[i].pid, signal);
      if (signal === 'SIGSTOP') this.stopped.add(i);
      else this.stopped.delete(i);
    }
  }

  /** The end of stops and cuts that nothing has ended. */
  letGoOn() {
    this.signal([...this.stopped], 'SIGCONT');
  }

  async step(kind, victims, begin, end) {
    const fault = { kind, edges: victims.map((i) => this.edges[i].edgeName), from_ms: Date.now(), to_ms: Infinity };
    this.done.push(fault);
    if (process.env.CAMPAIGN_LOGS) console.error(kind, ...fault.edges, JSON.stringify(this.board.counts));
    await begin();
    const others = this.others(victims);
    fault.noticed = await this.noticed(others, fault.edges);
    const before = await this.asked(others, fault.edges);
    await pause(this.hold_ms);
    fault.asked_while_down = await this.asked(others, fault.edges) - before;
    await end();
    fault.to_ms = Date.now();
    await until(`${fault.edges} to be back after a ${kind}`, async () =>
      (await this.seen(this.edges, this.edges.map((edge) => edge.edgeName))).every((member) => member.up));
    fault.back_ms = Date.now();
  }

  /** What each of `askers` says of each other of the members named `names`. */
  async seen(askers, names) {
    const all = await Promise.all(askers.map(async (edge) => (await get(`${edge.admin}/api/v1/fleet`)).json().members
      .map((member) => ({ ...member, by: edge.edgeName }))));
    return all.flat().filter((member) => names.includes(member.name) && !member.self);
  }

  /** True once all others know that they are down. */
  async noticed(others, names) {
    await until(`all others to notice that ${names} are down`, async () => {
      const up = (await this.seen(others, names)).filter((member) => member.up);
      if (up.length > 0) throw new Error(up.map(({ by, name, line }) => `${by} asked ${name} ${line.asked} times`).join(', '));
      return true;
    });
    return true;
  }

  /** Requests that others sent to the members since they went down. */
  async asked(others, names) {
    return (await this.seen(others, names)).reduce((sum, member) => sum + member.line.asked, 0);
  }
}

export const sumOf = async (edges, name, labels) => (await Promise.all(edges.map((edge) => edge.metrics())))
  .reduce((sum, text) => sum + metricValue(text, name, labels), 0);
