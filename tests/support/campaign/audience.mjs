// How many viewers watch: as many as the machine carries, found out before the first fault. Where many
// of them wait at a time there are more than that, and what fails then is the machine.

const judge_every_ms = 1000;
const fewest = 200;
const strikes_max = 2;  // judgements in a row after which they do not become more
const shrinkage = 0.7;
const settle_ms = 3000;  // after some have gone: those who wait still do
// Of the viewers, how many may wait at a time: while they become more, before a fault, and at any time
// (an edge that is stopped keeps its own viewers waiting, and others for a while).
const waiting_few = 0.15;
const waiting_calm = 0.25;
const waiting_most = 0.5;

export class Audience {
  /** @param {import('./board.mjs').Board} board  @param {number} most */
  constructor(board, most) {
    Object.assign(this, { board, most, fewest: Math.min(fewest, most), grown: false, strikes: 0, shrunk_ms: 0 });
    board.watching = this.fewest;
    this.timer = setInterval(() => this.judge(Date.now()), judge_every_ms);
  }

  get size() { return this.board.watching; }

  /** Share of those who watch that wait for an answer; above 1 when there were more before. */
  get waiting() {
    const { asked, answered, wrong, bad, late } = this.board.counts;
    return (asked - answered - wrong - bad - late) / this.size;
  }

  judge(now_ms) {
    const { waiting, grown } = this;
    if (waiting > (grown ? waiting_most : waiting_calm)) return this.shrink(now_ms);
    if (grown) return;
    this.strikes = waiting > waiting_few ? this.strikes + 1 : 0;
    this.grown = this.strikes === strikes_max;
    if (this.strikes > 0) return;
    this.board.watching = Math.min(this.most, 2 * this.size);
    this.grown = this.size === this.most;
  }

  shrink(now_ms) {
    this.grown = true;
    if (now_ms - this.shrunk_ms < settle_ms) return;
    this.shrunk_ms = now_ms;
    this.board.watching = Math.max(this.fewest, Math.floor(this.size * shrinkage));
  }

  close() { clearInterval(this.timer); }
}
