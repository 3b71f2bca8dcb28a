// From a place in the player (seconds of the video element) to a moment of the source and back, and
// the pictures on the way. Pure.
//
// A moment is milliseconds: since 1970 where the source has dates (a channel and its recording), and
// else since the source's beginning.

const in_picture = 0.1;  // of a picture: places are rounded on their way through the browser

export class MediaClock {
  /**
   * @param {{start: number, duration: number, programDateTime?: number | null}[]} segments
   *   as hls.js knows them: sorted, in one timeline
   * @param {{dated: boolean, rate: number}} source  rate: pictures a second
   */
  constructor(segments, { dated, rate }) {
    Object.assign(this, { segments, dated, rate });
  }

  /** null when nothing is known yet. */
  momentAt(place_s) {
    if (!this.dated) return place_s * 1000;
    const segment = this.#segmentAt(place_s);
    return segment ? segment.programDateTime + (place_s - segment.start) * 1000 : null;
  }

  placeOf(moment_ms) {
    if (!this.dated) return moment_ms / 1000;
    const segment = lastBefore(this.segments, (each) => each.programDateTime <= moment_ms);
    return segment ? segment.start + (moment_ms - segment.programDateTime) / 1000 : null;
  }

  /** The picture that shows at a place: where it begins and ends, and its middle, where seeking is safe. */
  pictureAt(place_s, step = 0) {
    const start_s = this.#segmentAt(place_s)?.start ?? 0;
    const number = Math.floor((place_s - start_s) * this.rate + in_picture) + step;
    const at = (n) => start_s + n / this.rate;
    return { begin_s: at(number), middle_s: at(number + 0.5), end_s: at(number + 1) };
  }

  #segmentAt(place_s) {
    return lastBefore(this.segments, ({ start }) => start <= place_s + in_picture / this.rate);
  }
}

/** The last of a sorted list for which it holds; the first when it holds for none. */
function lastBefore(list, holds) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle])) low = middle + 1;
    else high = middle;
  }
  return list[Math.max(0, low - 1)];
}
