// Whether playback has nothing left to show: the buffer ran dry, or the viewer went to a place that is
// not loaded yet.

const lasting_ms = 1500;

export class Stall {
  #timer = null;

  constructor(video) {
    this.video = video;
  }

  /** Where playback stands still although nobody stopped it, or could not show where it was sent. */
  get starved() {
    const { ended, paused, seeking, readyState, HAVE_FUTURE_DATA } = this.video;
    if (ended) return false;
    return seeking ? !this.#isLoaded(this.video.currentTime) : !paused && readyState < HAVE_FUTURE_DATA;
  }

  /**
   * Calls `onChange({starved, lasting})` whenever it may have changed, and now and then while it lasts;
   * lasting: for a while already.
   */
  start(onChange) {
    const look = () => {
      const { starved } = this;
      if (!starved) this.#forget();
      else this.#timer ??= setInterval(() => onChange({ starved: this.starved, lasting: true }), lasting_ms);
      onChange({ starved, lasting: false });
    };
    const events = ['waiting', 'seeking', 'seeked', 'playing', 'canplay', 'timeupdate'];
    for (const event of events) this.video.addEventListener(event, look);
    for (const event of ['offline', 'online']) addEventListener(event, look);
  }

  #isLoaded(time) {
    const { buffered } = this.video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) <= time && time < buffered.end(i)) return true;
    }
    return false;
  }

  #forget() {
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
