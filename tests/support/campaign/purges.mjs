// Purges while the campaign runs: the origin gets another version, then some edge is told. Once it has
// answered 200, no viewer who asks later may be given less.

import { request } from '../http.mjs';
import { pathOf, titles } from './objects.mjs';

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
const popular = 60;  // ranks of titles that get purged: most edges hold them

export class Purges {
  /** @param {{faults: object, board: import('./board.mjs').Board, random: () => number, every_ms: number}} with_ */
  constructor(with_) {
    Object.assign(this, with_);
    this.counts = { acknowledged: 0, accepted: 0, lost: 0, refused: [] };
    this.ids = new Set();
    this.ended = false;
  }

  /** One after another until `ended`. */
  async run() {
    for (let n = 0; !this.ended; n++) {
      // Every other one of a segment that came lately.
      const back = Math.floor(this.random() * 3);
      const id = n % 2 ? Math.max(titles, this.board.newest - back) : Math.floor(this.random() * popular);
      await this.purge(id);
      await pause(this.every_ms);
    }
  }

  async purge(id) {
    const at = Math.floor(this.random() * this.faults.edges.length);
    if (this.faults.stopped.has(at)) return;  // it would answer when it goes on
    const edge = this.faults.edges[at];
    this.ids.add(id);
    const version = Atomics.add(this.board.versions, id, 1) + 1;
    try {
      const body = JSON.stringify({ url: pathOf(id) });
      const answer = await request(`${edge.admin}/purge`, { method: 'POST', body });
      if (answer.status === 200) {
        Atomics.store(this.board.acknowledged, id, version);
        this.counts.acknowledged++;
      } else if (answer.status === 202) {
        this.counts.accepted++;
      } else {
        this.counts.refused.push(`${answer.status} ${answer.text.slice(0, 200)}`);
      }
    } catch (error) {
      this.counts.lost++;  // its edge died
    }
  }
}
