// The desk's picture: plays the source from this host, tells moments, steps, shuttles, repeats.
//
// Events: "change" when the moment, the range or the way it plays may have changed; "trouble"
// ({status}: 0 when nothing answers) while nothing comes; "undecodable".

import { MediaClock } from './media_clock.js';
import { Player } from './player.js';
import { backOff } from './messages.js';

const usual_rate = 25;      // pictures a second, where the playlist does not tell
const shuttle_max = 8;      // times the speed of one
const backwards_ms = 200;   // between the pictures of playing backwards

export class Preview extends EventTarget {
  #loop = null;
  #speed = 1;
  #backwards = null;  // timer
  #attempts = 0;

  constructor(video, address, { dated }) {
    super();
    Object.assign(this, { video, dated });
    this.player = new Player(video, address);
    this.player.addEventListener('working', () => { this.#attempts = 0; });
    this.player.addEventListener('network', ({ detail }) => this.#onTrouble(detail));
    this.player.addEventListener('undecodable', () => this.dispatchEvent(new Event('undecodable')));
    for (const event of ['timeupdate', 'seeked', 'play', 'pause', 'durationchange', 'volumechange']) {
      video.addEventListener(event, () => this.#tell());
    }
    video.addEventListener('timeupdate', () => this.#repeat());
    this.#watchEnd();
  }

  /** {from_ms, to_ms} of what can be seen; null before it is known. */
  get range() {
    const details = this.#details;
    const first = details?.fragments[0];
    if (!first) return null;
    const [from_ms, to_ms] = [first.start, details.edge].map((place) => this.#clock.momentAt(place));
    return to_ms > from_ms ? { from_ms, to_ms } : null;
  }

  get moment_ms() { return this.range ? this.#clock.momentAt(this.video.currentTime) : null; }

  /** Of the picture that shows: {begin_ms, end_ms}. */
  get picture() {
    const { begin_s, end_s } = this.#clock.pictureAt(this.video.currentTime);
    return { begin_ms: this.#clock.momentAt(begin_s), end_ms: this.#clock.momentAt(end_s) };
  }

  get live() { return this.player.live; }

  get speed() { return this.#backwards ? -this.#speed : this.#speed; }

  /** Repeats {in_ms, out_ms}, from its beginning on; null: no more. */
  set loop(marks) {
    this.#loop = marks;
    if (marks) {
      this.seek(marks.in_ms);
      this.play();
    }
    this.#tell();
  }

  get loop() { return this.#loop; }

  /** Shows the picture of a moment. */
  seek(moment_ms) {
    if (!this.range) return;
    this.#go(this.#clock.pictureAt(this.#clock.placeOf(moment_ms)).middle_s);
  }

  stepPictures(count) {
    this.pause();
    this.#go(this.#clock.pictureAt(this.video.currentTime, count).middle_s);
  }

  stepSeconds(seconds) { this.#go(this.video.currentTime + seconds); }

  play() {
    this.#setSpeed(1);
    // Without a touch of the page, browsers play only what makes no sound.
    this.video.play().catch((error) => {
      if (error.name !== 'NotAllowedError') return;
      this.video.muted = true;
      this.video.play().catch(() => {});
    });
  }

  pause() {
    this.#setSpeed(1);
    this.video.pause();
  }

  toggle() {
    if (this.video.paused && !this.#backwards) this.play();
    else this.pause();
  }

  /** Plays on, with every call faster; or backwards, picture after picture. */
  shuttle(direction) {
    const faster = this.speed * direction > 0 && (direction < 0 || !this.video.paused);
    const speed = faster ? Math.min(shuttle_max, this.#speed * 2) : 1;
    if (direction > 0) this.play();
    else this.pause();
    this.#setSpeed(speed);
    if (direction > 0) return;
    this.#backwards = setInterval(() => {
      if (!this.video.seeking) this.#go(this.video.currentTime - (speed * backwards_ms) / 1000);
    }, backwards_ms);
  }

  goLive() {
    this.#setSpeed(1);
    this.loop = null;
    this.live.goLive();
  }

  get #details() { return this.player.hls.latestLevelDetails; }

  get #clock() {
    const rate = this.player.hls.levels[this.player.hls.loadLevel]?.frameRate || usual_rate;
    return new MediaClock(this.#details?.fragments ?? [], { dated: this.dated, rate });
  }

  #go(place_s) {
    const details = this.#details;
    if (!details) return;
    const latest_s = this.live.live ? Math.max(this.live.latest_s, this.video.currentTime) : details.edge;
    this.video.currentTime = Math.min(Math.max(place_s, details.fragments[0]?.start ?? 0), latest_s);
  }

  #setSpeed(speed) {
    clearInterval(this.#backwards);
    this.#backwards = null;
    const was = this.#speed;
    this.#speed = speed;
    // A live viewer's own pace is LiveEdge's.
    if (speed !== 1 || was !== 1) this.video.playbackRate = Math.max(1, speed);
  }

  /** "timeupdate" comes a few times a second, which is too coarse for a mark. */
  #watchEnd() {
    this.video.requestVideoFrameCallback?.(() => {
      this.#repeat();
      this.#watchEnd();
    });
  }

  #repeat() {
    if (!this.#loop || this.video.seeking || this.video.paused) return;
    const at = this.moment_ms;
    if (at !== null && at >= this.#loop.out_ms - 1) this.seek(this.#loop.in_ms);
  }

  #onTrouble({ status }) {
    this.dispatchEvent(new CustomEvent('trouble', { detail: { status } }));
    setTimeout(() => this.player.retry(), 1000 * backOff(this.#attempts));
    this.#attempts = Math.min(this.#attempts + 1, status === 404 ? 1 : 4);
  }

  #tell() { this.dispatchEvent(new Event('change')); }
}
