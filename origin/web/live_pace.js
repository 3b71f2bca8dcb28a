// How a viewer of a live channel is kept near its live edge: by playing a little faster, never by
// going back. Pure; times and delays in seconds.
//
// hls.js has a rule of its own, which is off (maxLiveSyncPlaybackRate): it also hurries a viewer who
// went back a few seconds on purpose, and leaves one alone whom a stall put further behind.

const late_s = 0.3;         // from here on it hurries
const on_time_s = 0.05;     // until here
const early_s = 0.3;        // nearer to the edge than wanted by this: it dawdles
const rate_min = 0.95;
const rate_max = 1.25;
const rate_step = 0.05;     // every change is a break in the sound's stretching
const rate_per_s = 0.1;     // of lateness
const ahead_min_s = 0.75;   // loaded ahead; with less, hurrying would end in a stall
const skip_s = 12;          // this late it is quicker and kinder to skip forward
const slack_step_s = 0.25;  // more distance after a stall …
const slack_max_s = 1;
const calm_s = 60;          // … and less again after so long without one
const near_s = 1;           // who seeks so near to the wanted place wants to be live
const jitter_s = 0.5;       // a seek back by less is the player's own

export class LivePace {
  #slack_s = 0;
  #calmSince_s = 0;
  #hurries = false;

  /** Playback ran dry although nobody stopped it. */
  stalled(now_s) {
    this.#slack_s = Math.min(slack_max_s, this.#slack_s + slack_step_s);
    this.#calmSince_s = now_s;
  }

  /** The delay to keep; `holdBack_s` is the playlist's. */
  target(holdBack_s) {
    return holdBack_s + this.#slack_s;
  }

  /**
   * What to do now: a playback rate, or a skip forward to the wanted place.
   * @param {{now_s: number, delay_s: number, holdBack_s: number, ahead_s: number}} state
   *   delay_s: behind the live edge; ahead_s: loaded ahead of the place
   * @returns {{rate: number, skips: boolean}}
   */
  step({ now_s, delay_s, holdBack_s, ahead_s }) {
    this.#relax(now_s);
    const late = delay_s - this.target(holdBack_s);
    if (late > skip_s) return { rate: 1, skips: true };
    this.#hurries = late > (this.#hurries ? on_time_s : late_s);
    if (this.#hurries && ahead_s >= ahead_min_s) return { rate: hurriedRate(late), skips: false };
    return { rate: late < -early_s ? rate_min : 1, skips: false };
  }

  #relax(now_s) {
    if (this.#slack_s === 0 || now_s - this.#calmSince_s < calm_s) return;
    this.#slack_s = Math.max(0, this.#slack_s - slack_step_s);
    this.#calmSince_s = now_s;
  }
}

/** 1.05, 1.1 … 1.25 */
function hurriedRate(late_s) {
  const steps = Math.max(1, Math.round((late_s * rate_per_s) / rate_step));
  return Math.min(rate_max, Math.round(100 + steps * 100 * rate_step) / 100);
}

/**
 * Whether a viewer still wants to be live after a seek: who goes back wants to be there, who goes
 * to the edge wants to be live, and else nothing changes.
 * @param {{from_s: number | null, to_s: number, delay_s: number, target_s: number, follows: boolean}} seek
 *   from_s: null when there was no place before; delay_s: at the place it goes to
 */
export function followsAfterSeek({ from_s, to_s, delay_s, target_s, follows }) {
  if (delay_s <= target_s + near_s) return true;
  if (from_s !== null && to_s < from_s - jitter_s) return false;
  return follows;
}
