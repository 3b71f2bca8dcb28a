// A part of the campaign's viewers, on a thread of its own. Each goes on until the board says so: the
// newest segment when there is a new one, else a title by Zipf. It goes to another edge when its own
// is lost, and comes back after a while. What is lost while its edge lives counts as "lost", unless the
// origin has another version by then, or a purge of the old one was under way: what a stopped member had
// of that nobody can complete.

import { parentPort, workerData } from 'node:worker_threads';
import { Board } from './board.mjs';
import { isSegment, pathOf, randomOf, titles } from './objects.mjs';
import { ViewerConnection } from './viewer_connection.mjs';

const { memory, edges, numbers, seed, pause_ms } = workerData;
const board = new Board(memory);
const random = randomOf(seed);
const zipf = makeZipf(titles, 0.8);
const live_share = 0.5;  // of the new segments that a viewer sees
const answer_deadline_ms = 60_000;
const home_share = 0.1;  // of its requests a viewer who had to leave its edge sends to it again
const told_max = 20;
const wake_ms = 1000;  // in which those who begin to watch do so
const resting = [];  // wakes one each
let told = 0;

class Viewer {
  constructor(number) {
    this.number = number;
    this.home = number % edges.length;
    this.edge = this.home;
    this.seen = board.newest;
    this.connection = null;
  }

  async run() {
    await pause(random() * pause_ms);
    while (!board.ended) {
      if (this.number >= board.watching) {
        await new Promise((wake) => resting.push(wake));
        await pause(random() * wake_ms);
        continue;
      }
      await this.see(this.choose());
      await pause(pause_ms * (0.5 + random()));
    }
    this.connection?.close();
  }

  choose() {
    const newest = board.newest;
    const isNew = newest > this.seen;
    this.seen = newest;
    if (isNew && random() < live_share) return newest;
    return zipf(random());
  }

  /** Until it has the object: a viewer tries another edge when its own died. */
  async see(id) {
    board.count('asked');
    for (;;) {
      const least = Atomics.load(board.acknowledged, id);
      const version = board.version(id);
      const line = this.line();
      try {
        const { version: got, cacheStatus } = await line.connection.get(id);
        if (got < least) this.tell('stale', id, line, `version ${got}, purged up to ${least}: ${cacheStatus}`);
        if (/; hit[^,]*$/.test(cacheStatus)) board.count('hits');
        board.count('answered');
        return;
      } catch (error) {
        const died = line.dead || Atomics.load(board.deaths, line.edge) !== line.deaths;
        const changed = board.version(id) !== version || (version > 1 && least < version);
        if (error.kind !== 'lost') {
          this.tell(error.late ? 'late' : error.kind === 'wrong' ? 'wrong' : 'bad', id, line, error.message);
          this.leave();
          return;
        }
        board.count(!died && !changed ? 'lost' : !died ? 'changed' : line.fresh && line.dead ? 'refused' : 'cut');
        this.leave();
      }
    }
  }

  /** The connection, with what was known of its edge before the request. */
  line() {
    if (this.edge !== this.home && random() < home_share) {
      this.connection.close();
      this.edge = this.home;
    }
    if (this.connection?.closed !== false) {
      this.opened = { edge: this.edge, dead: Atomics.load(board.dead, this.edge) === 1,
        deaths: Atomics.load(board.deaths, this.edge), fresh: true };
      this.connection = new ViewerConnection(edges[this.edge]);
    } else {
      this.opened.fresh = false;
    }
    return { ...this.opened, connection: this.connection };
  }

  leave() {
    this.connection.close();
    this.edge = (this.edge + 1 + Math.floor(random() * (edges.length - 1))) % edges.length;
  }

  tell(what, id, line, message) {
    board.count(what);
    if (told++ < told_max) {
      parentPort.postMessage(`${what}: ${pathOf(id)} of edge-${line.edge + 1}${isSegment(id) ? ' (live)' : ''}: ${message}`);
    }
  }
}

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

/** From a number from 0 to 1 to a rank, the first ones the likeliest. */
function makeZipf(length, exponent) {
  const below = new Float64Array(length);
  let sum = 0;
  for (let i = 0; i < length; i++) below[i] = (sum += (i + 1) ** -exponent);
  return (at) => {
    let low = 0;
    for (let high = length - 1; low < high;) {
      const middle = (low + high) >> 1;
      if (below[middle] < at * sum) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

const viewers = numbers.map((number) => new Viewer(number));

/** Those who rest look whether it is their turn. */
let watching = board.watching;
const bell = setInterval(() => {
  if (board.watching === watching && !board.ended) return;
  watching = board.watching;
  resting.splice(0).forEach((wake) => wake());
}, wake_ms / 4);

/** Nobody waits for ever: what is not answered by now is an error. */
const watch = setInterval(() => {
  const oldest = Date.now() - answer_deadline_ms;
  for (const { connection } of viewers) {
    if (connection?.asked && connection.asked.begun_ms < oldest) {
      connection.settle(Object.assign(new Error(`no answer within ${answer_deadline_ms} ms`), { kind: 'late', late: true }));
    }
  }
}, 1000);

await Promise.all(viewers.map((viewer) => viewer.run()));
clearInterval(watch);
clearInterval(bell);
