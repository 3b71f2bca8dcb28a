// What the campaign's threads tell one another, in shared memory: which edges are dead, which segment
// is the newest, how many viewers watch, what was purged up to which version, and how far they are.

import { objects, titles } from './objects.mjs';

const edges_max = 32;
const counts = ['asked', 'answered', 'cut', 'refused', 'changed', 'lost', 'wrong', 'bad', 'late', 'stale', 'hits'];

export class Board {
  /** @param {SharedArrayBuffer} [memory] of another thread's board */
  constructor(memory = new SharedArrayBuffer(4 * (2 * edges_max + 3 + counts.length + 2 * objects))) {
    this.memory = memory;
    let at = 0;
    const part = (length) => new Int32Array(memory, 4 * at, (at += length, length));
    this.dead = part(edges_max);      // 1 from just before it is killed until it serves again
    this.deaths = part(edges_max);    // how often it was killed
    this.common = part(3);            // [the newest segment's number, 1 when the viewers shall end, how many watch]
    this.counted = part(counts.length);
    this.versions = part(objects);      // in force at the origin
    this.acknowledged = part(objects);  // nothing older may be served to who asks from now on
  }

  version(id) { return Atomics.load(this.versions, id); }
  get newest() { return titles + Atomics.load(this.common, 0); }
  get ended() { return Atomics.load(this.common, 1) === 1; }
  /** Viewers with a lower number watch, the others rest. */
  get watching() { return Atomics.load(this.common, 2); }
  set watching(viewers) { Atomics.store(this.common, 2, viewers); }
  end() { Atomics.store(this.common, 1, 1); }
  publishSegment() { Atomics.add(this.common, 0, 1); }
  count(what) { Atomics.add(this.counted, counts.indexOf(what), 1); }

  /** {asked, answered, …}: of all viewers until now */
  get counts() {
    return Object.fromEntries(counts.map((what, i) => [what, Atomics.load(this.counted, i)]));
  }
}
