// A thumbnail above the seek bar: of the moment under the pointer, or of the one being sought. The
// bar is the browser's own and tells nothing of itself, so its place is that of Chromium's and
// Safari's: along the lower edge, a little shorter than the picture is wide.

import { clockTime } from './clock_time.js';
import { Thumbnails, thumbnailsIn } from './thumbnails.js';

const bar_height_px = 56;
const bar_inset_px = 16;
const reload_ms = 4000;  // of a list that still grows
const shown_after_seek_ms = 1000;

export class Preview {
  #thumbnails = null;
  #asked_ms = -reload_ms;
  #hiding = 0;
  #turn = null;  // of the newest show(); null: hidden

  /** @param {{video: HTMLVideoElement, stage: HTMLElement, box: HTMLElement, time: HTMLElement, player: object}} parts */
  constructor({ video, stage, box, time, player }) {
    Object.assign(this, { video, stage, box, time, player });
    stage.addEventListener('pointermove', (event) => this.#point(event));
    stage.addEventListener('pointerleave', () => this.#hide());
    video.addEventListener('seeking', () => this.#seek());
  }

  #point({ clientX, clientY }) {
    const { left, bottom, width } = this.stage.getBoundingClientRect();
    const share = (clientX - left - bar_inset_px) / (width - 2 * bar_inset_px);
    const isOnBar = bottom - clientY < bar_height_px && share >= 0 && share <= 1;
    if (!isOnBar) return this.#hide();
    const [begin_s, end_s] = this.#span();
    return this.#show(begin_s + share * (end_s - begin_s), clientX - left);
  }

  async #seek() {
    const [begin_s, end_s] = this.#span();
    const share = (this.video.currentTime - begin_s) / (end_s - begin_s);
    const { width } = this.stage.getBoundingClientRect();
    await this.#show(this.video.currentTime, bar_inset_px + share * (width - 2 * bar_inset_px));
    clearTimeout(this.#hiding);
    this.#hiding = setTimeout(() => this.#hide(), shown_after_seek_ms);
  }

  /** What the bar stands for. */
  #span() {
    const { duration, seekable } = this.video;
    if (Number.isFinite(duration) || seekable.length === 0) return [0, duration || 0];
    return [seekable.start(0), seekable.end(seekable.length - 1)];
  }

  async #show(seconds, x) {
    clearTimeout(this.#hiding);
    const turn = this.#turn = {};
    await this.#load();
    if (turn !== this.#turn) return undefined;
    const found = this.#at(seconds);
    if (!found) return this.#hide();
    const { width } = this.stage.getBoundingClientRect();
    this.box.hidden = false;
    this.box.dataset.seconds = found.time_s;
    Object.assign(this.box.style, { width: `${found.width}px`, height: `${found.height}px`,
      backgroundImage: `url("${found.url}")`, backgroundPosition: `-${found.x}px -${found.y}px`,
      left: `${Math.max(0, Math.min(x - found.width / 2, width - found.width))}px` });
    this.time.textContent = clockTime(Math.max(0, Math.floor(seconds)));
    return undefined;
  }

  /** A channel's clock is the wall's. */
  #at(seconds) {
    const date = this.player.hls.playingDate;
    if (!date) return this.#thumbnails?.at(seconds);
    return this.#thumbnails?.atDate(date.getTime() + 1000 * (seconds - this.video.currentTime));
  }

  async #load() {
    if (this.#thumbnails?.ended || performance.now() - this.#asked_ms < reload_ms) return;
    this.#asked_ms = performance.now();
    try {
      const answer = await fetch(this.player.address);
      const address = thumbnailsIn(await answer.text(), answer.url);
      if (!address && !this.player.growing) this.#asked_ms = Infinity;  // it has none
      if (address) this.#thumbnails = await Thumbnails.load(address) ?? this.#thumbnails;
    } catch {
      // No preview; playback says what is wrong with the network.
    }
  }

  #hide() {
    this.#turn = null;
    this.box.hidden = true;
  }
}
