// The gaps of a playlist: segments that were never made. hls.js looks only so far ahead as it buffers, and
// would wait for ever before a gap that is longer, for an end that never comes behind one, or in a gap whose
// first parts it has.

const Hls = window.Hls;
const ahead_s = 0.3;  // sound and picture end, and begin, so far apart, at most
const dry_s = 0.1;    // less than that is not played

/**
 * Steps over a gap when playback comes to it, at once or as soon as there is something behind it; behind the
 * last segment of what has ended, it ends.
 */
export class Gaps {
  constructor(video, hlsNow) {
    this.video = video;
    this.hlsNow = hlsNow;
    video.addEventListener('waiting', () => this.#look());
  }

  /** What `hls` learns may be what playback waits for. */
  watch(hls) {
    hls.on(Hls.Events.LEVEL_UPDATED, () => { if (this.#isDry) this.#look(); });
  }

  /** Whether a channel's playback has come to a gap behind which nothing was made yet. */
  get open() {
    const details = this.hlsNow().latestLevelDetails;
    const here = details?.live ? gapAt(details, this.video.currentTime) : -1;
    return here >= 0 && !firstMade(details, here);
  }

  #look() {
    const hls = this.hlsNow();
    const details = hls.latestLevelDetails;
    const here = details ? gapAt(details, this.video.currentTime) : -1;
    if (here < 0) return;
    const next = firstMade(details, here);
    if (next) this.video.currentTime = this.#beginning(next.start);
    else if (!details.live) hls.trigger(Hls.Events.BUFFER_EOS, {});
  }

  /** Where what is loaded begins, when that is the segment which begins at `start`: sound may be a little late. */
  #beginning(start) {
    const loaded = this.#ranges.find((range) => range.end > start && range.start < start + ahead_s);
    return Math.max(start, loaded?.start ?? start);
  }

  /** Whether it should play, and nothing is loaded for it. */
  get #isDry() {
    const { paused, ended, currentTime } = this.video;
    if (paused || ended) return false;
    return !this.#ranges.some(({ start, end }) => start <= currentTime + dry_s && currentTime + dry_s < end);
  }

  get #ranges() {
    const { buffered } = this.video;
    return Array.from(buffered, (_, i) => ({ start: buffered.start(i), end: buffered.end(i) }));
  }
}

/** Which of the fragments playback at `place_s` waits for, when that is a gap; else -1. */
function gapAt({ fragments }, place_s) {
  const here = fragments.findIndex(({ end }) => end > place_s + ahead_s);
  return fragments[here]?.gap ? here : -1;
}

/** Behind the gap at `here`: a segment, or a part of one that is not whole yet. */
function firstMade({ fragments, partList }, here) {
  return fragments.slice(here).find(({ gap }) => !gap) ??
    partList?.find(({ start, gap }) => !gap && start > fragments[here].end - dry_s);
}
