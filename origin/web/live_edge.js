// Keeps the viewer of a live channel at its live edge, until he pauses or goes back on purpose.
//
// Events: "change" whenever `live`, `follows` or `delay_s` may have changed.

import { LivePace, followsAfterSeek } from './live_pace.js';

const quiet_parts = 3;  // no news for longer than so many parts: nothing more is on its way

const now_s = () => performance.now() / 1000;

export class LiveEdge extends EventTarget {
  #pace = new LivePace();
  #follows = true;
  #place_s = null;  // where it played last
  #rate = 1;        // that was set here

  /** @param {() => object} hls  the hls.js that feeds the video now */
  constructor(video, hls) {
    super();
    this.video = video;
    this.hls = hls;
    const on = (event, act) => video.addEventListener(event, () => { if (this.live) act(); });
    video.addEventListener('timeupdate', () => this.#onTime());
    video.addEventListener('emptied', () => this.#forget());
    on('seeking', () => this.#onSeek());
    on('seeked', () => this.#onTime());
    on('pause', () => { if (!video.ended) this.#follow(false); });
    on('ratechange', () => { if (video.playbackRate !== this.#rate) this.#follow(false); });
    on('waiting', () => this.#onDry());
  }

  /** Whether a channel on air plays; a video that is still being encoded is none. */
  get live() {
    const details = this.#details;
    return Boolean(details?.live) && details.type !== 'EVENT';
  }

  /** Whether the viewer is kept at the live edge. */
  get follows() { return this.#follows; }

  /** Behind the live edge, seconds. */
  get delay_s() {
    return this.#details ? Math.max(0, this.#edge_s - this.video.currentTime) : 0;
  }

  /** The place nearest to the live edge that plays without a stall; null while that is not known. */
  get latest_s() {
    const details = this.#details;
    return details &&
      Math.min(this.#edge_s - this.#target_s, details.edge - (details.partTarget || details.targetduration));
  }

  /** Back to the live edge, and stay there. */
  goLive() {
    this.#follow(true);
    if (this.#isLate) this.video.currentTime = this.latest_s;
    this.video.play().catch(() => {});
  }

  get #details() { return this.hls().latestLevelDetails; }

  /** The edge as it is by now, by the clock; it stands still when no part has come for some time. */
  get #edge_s() {
    const { edge, age, partTarget, targetduration } = this.#details;
    return edge + Math.min(age, quiet_parts * (partTarget || targetduration));
  }

  get #holdBack_s() { return this.hls().targetLatency ?? 0; }

  get #target_s() { return this.#pace.target(this.#holdBack_s); }

  get #isLate() { return this.latest_s !== null && this.latest_s > this.video.currentTime; }

  #onTime() {
    const { video } = this;
    if (!video.seeking) this.#place_s = video.currentTime;
    if (!this.live) this.#setRate(1);
    else if (this.#follows && !video.seeking && !video.paused) this.#keepUp();
    this.#tell();
  }

  #keepUp() {
    const { rate, skips } = this.#pace.step({ now_s: now_s(), delay_s: this.delay_s,
      holdBack_s: this.#holdBack_s, ahead_s: this.#ahead_s() });
    this.#setRate(rate);
    if (skips && this.#isLate) this.video.currentTime = this.latest_s;
  }

  /** The video begins anew, at the rate of one (HTML, media element load algorithm). */
  #forget() {
    this.#place_s = null;
    this.#rate = 1;
  }

  #onDry() {
    const { seeking, played } = this.video;
    if (this.#follows && !seeking && played.length > 0) this.#pace.stalled(now_s());
  }

  #onSeek() {
    this.#follow(followsAfterSeek({ from_s: this.#place_s, to_s: this.video.currentTime,
      delay_s: this.delay_s, target_s: this.#target_s, follows: this.#follows }));
  }

  #follow(follows) {
    this.#follows = follows;
    if (!follows && this.video.playbackRate === this.#rate) this.#setRate(1);
    this.#tell();
  }

  /** A rate that the viewer chose stays while he is not live. */
  #setRate(rate) {
    if (rate === this.#rate && this.video.playbackRate === rate) return;
    if (!this.#follows && this.video.playbackRate !== this.#rate) return;
    this.#rate = rate;
    this.video.playbackRate = rate;
  }

  #ahead_s() {
    const { buffered, currentTime } = this.video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) <= currentTime && currentTime < buffered.end(i)) return buffered.end(i) - currentTime;
    }
    return 0;
  }

  #tell() {
    this.dispatchEvent(new Event('change'));
  }
}
