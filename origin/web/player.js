// One video element and the hls.js that feeds it. A growing presentation gains renditions while it is
// being encoded; adopt() takes them over without touching what is already in the buffer.
//
// Events: "levels" (the choice of qualities or the one that plays changed), "working" (media
// arrives), "network" ({status}), "undecodable".

import { Gaps } from './gaps.js';
import { LiveEdge } from './live_edge.js';
import { Playlists } from './playlists.js';

const Hls = window.Hls;
// hls.js 1.7 has a count of its own, which every append that works sets back: where the bytes are taken and
// only their decoding fails, it begins anew for ever.
const failures_max = 5;
const progress_s = 0.5;
const tiny_s = 1;
const seek_patience_ms = 1000;
const hole_least_s = 0.01;  // a decoder steps over smaller ones; hls.js, too, over some, while it plays

/**
 * A browser empties a <track> when it begins to load it, a task after hls.js made it: cues wait until it is
 * loaded (HTML, sourcing out-of-band text tracks; hls.js issue 7691). And an hls.js that takes over the
 * video of another one takes over its tracks, too.
 */
class LoadedCaptions extends (Hls?.DefaultConfig.timelineController ?? Object) {
  onBufferAppended(event, data) {
    const young = Object.values(this.captionsTracks).find(({ readyState }) => readyState < HTMLTrackElement.LOADED);
    if (!young) return super.onBufferAppended(event, data);
    const again = () => { if (this.media) this.onBufferAppended(event, data); };
    for (const end of ['load', 'error']) young.addEventListener(end, again, { once: true });
    return undefined;
  }

  createNativeTrack(name) {
    const { label } = this.captionsProperties[name];
    const old = [...this.media?.querySelectorAll('track') ?? []].find((track) => track.label === label);
    if (old) this.captionsTracks[name] ??= old;
    else super.createNativeTrack(name);
  }
}

const settings = {
  ...(Hls?.DefaultConfig.timelineController && { timelineController: LoadedCaptions }),
  startPosition: -1,  // a channel's live edge; see Playlists
  lowLatencyMode: true,
  // LiveEdge paces a live channel, by rules that hls.js does not have.
  maxLiveSyncPlaybackRate: 1,
  liveSyncOnStallIncrease: 0,
  // Else the largest rendition, which stands first, would be fetched first on every link.
  startLevel: -1,
  testBandwidth: false,
  abrEwmaDefaultEstimate: 1_000_000,
  // A broken edge costs one short pause, not a second.
  fragLoadPolicy: { default: retryPolicy(8000, 60000) },
  playlistLoadPolicy: { default: retryPolicy(8000, 20000) },
  manifestLoadPolicy: { default: retryPolicy(8000, 20000) },
  backBufferLength: 60,
};

function retryPolicy(maxTimeToFirstByteMs, maxLoadTimeMs) {
  const retry = { maxNumRetry: 5, retryDelayMs: 200, maxRetryDelayMs: 3000, backoff: 'exponential' };
  return { maxTimeToFirstByteMs, maxLoadTimeMs, timeoutRetry: retry, errorRetry: retry };
}

export class Player extends EventTarget {
  #failures = { count: 0, at_s: 0 };  // of the decoder, without progress between them
  #chosen = null;  // a level's key, or null for automatic
  #seeking = 0;  // a timer
  #gaps;
  #playlists;

  constructor(video, address) {
    super();
    this.video = video;
    this.address = address;
    video.addEventListener('resize', () => this.#tell('levels'));
    video.addEventListener('seeking', () => this.#seek());
    video.addEventListener('error', () => this.#fails());
    this.#gaps = new Gaps(video, () => this.hls);
    this.#playlists = new Playlists(video);
    this.hls = this.#make(settings);
    this.live = new LiveEdge(video, () => this.hls);
    this.hls.attachMedia(video);
    this.hls.loadSource(address);
  }

  static get supported() { return Boolean(Hls?.isSupported()); }

  /** Whether lines are still being added to the playlist that plays. */
  get growing() { return Boolean(this.hls.latestLevelDetails?.live); }

  /** Whether a channel's playback has come to where nothing was sent yet. */
  get interrupted() { return this.#playlists.interrupted || this.#gaps.open; }

  get levels() {
    return this.hls.levels.map((level, index) => ({
      key: keyOf(level), index, height: level.height, frameRate: level.frameRate,
      bitrate: level.bitrate,
    }));
  }

  /** What is on the screen; after adopt() that may be a buffer which the new reading did not load. */
  get playingKey() {
    const level = this.hls.levels[this.hls.currentLevel] ??
      this.hls.levels.find(({ height }) => height > 0 && height === this.video.videoHeight);
    return level ? keyOf(level) : null;
  }

  get chosenKey() { return this.#chosen; }

  /** Plays one quality from the next segment on, or chooses by itself with null. */
  choose(key) {
    this.#chosen = key;
    this.hls.nextLevel = this.levels.find((level) => level.key === key)?.index ?? -1;
    this.#tell('levels');
  }

  /** Reads the multivariant playlist anew; the buffer and the position stay. */
  adopt() {
    const old = this.hls;
    const next = this.#make({ ...settings, startPosition: this.video.currentTime,
      abrEwmaDefaultEstimate: old.bandwidthEstimate });
    this.hls = next;
    next.attachMedia(old.transferMedia());
    old.destroy();
    next.loadSource(this.address);
    next.once(Hls.Events.MANIFEST_PARSED, () => { if (this.#chosen) this.choose(this.#chosen); });
  }

  /** Goes on loading after a network error. */
  retry() {
    if (this.hls.levels.length === 0) this.hls.loadSource(this.address);
    else this.hls.startLoad();
  }

  /** What was being loaded of the segment in the meantime makes it a begun one again. */
  #seek(patience_ms = seek_patience_ms) {
    const at = this.video.currentTime;
    forgetBegun(this.hls, this.video);
    clearTimeout(this.#seeking);
    this.#seeking = setTimeout(() => {
      if (this.video.seeking && this.video.currentTime === at) this.#seek(2 * patience_ms);
    }, patience_ms);
  }

  #make(config) {
    const hls = new Hls({ ...config, pLoader: this.#playlists.loader });
    const told = () => this.#tell('levels');
    hls.on(Hls.Events.MANIFEST_PARSED, told);
    hls.on(Hls.Events.LEVEL_SWITCHED, told);
    hls.on(Hls.Events.FRAG_BUFFERED, () => this.#tell('working'));
    endWhenTiny(hls);
    this.#gaps.watch(hls);
    hls.on(Hls.Events.ERROR, (_, error) => { if (error.fatal) this.#onFatal(hls, error); });
    return hls;
  }

  #onFatal(hls, error) {
    if (hls !== this.hls) return;
    if (error.type === Hls.ErrorTypes.NETWORK_ERROR) {
      this.#tell('network', { status: error.response?.code ?? 0 });
    } else if (error.type !== Hls.ErrorTypes.MEDIA_ERROR) {
      this.#giveUp();
    } else if (!this.#fails()) {
      hls.recoverMediaError();
    }
  }

  /** Counts one more failure to decode; true: it was one too many. */
  #fails() {
    const at_s = this.video.currentTime;
    const stuck = Math.abs(at_s - this.#failures.at_s) < progress_s;
    this.#failures = { count: stuck ? this.#failures.count + 1 : 1, at_s };
    if (this.#failures.count <= failures_max) return false;
    this.#giveUp();
    return true;
  }

  #giveUp() {
    this.hls.stopLoad();
    this.#tell('undecodable');
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * hls.js 1.7 ends a stream with sound of its own only after the first picture, while a decoder may keep
 * the few pictures of a tiny clip back until the stream has ended: neither would come.
 */
function endWhenTiny(hls) {
  const ended = new Set();  // "main", "audio": whose last segment is there
  hls.on(Hls.Events.FRAG_BUFFERED, (_, { frag }) => {
    const details = hls.latestLevelDetails;
    if (!frag.endList || !details || details.live || details.totalduration > tiny_s) return;
    ended.add(frag.type);
    if (ended.has('main') && ended.has('audio')) hls.trigger(Hls.Events.BUFFER_EOS, {});
  });
}

/**
 * Of the segment in which it joined a channel, hls.js 1.7 has only the last parts, and takes it for whole: a
 * seek to what comes before them would wait for ever. Emptied and forgotten, it is loaded from its beginning.
 * That it was emptied does not suffice: hls.js takes what lies within 0.2 s of a buffer for buffered, which is
 * as long as the last part.
 */
function forgetBegun(hls, video) {
  const at = video.currentTime;
  const segment = hls.latestLevelDetails?.fragments.find(({ start, end }) => start <= at && at < end);
  if (!segment) return;
  const { buffered } = video;
  const ranges = Array.from(buffered, (_, i) => ({ start: buffered.start(i), end: buffered.end(i) }));
  if (ranges.some(({ start, end }) => start <= at && at < end)) return;
  if (!ranges.some(({ start }) => start - at > hole_least_s && start < segment.end)) return;
  hls.trigger(Hls.Events.BUFFER_FLUSHING, { startOffset: segment.start, endOffset: segment.end, type: null });
  const middle = (segment.start + segment.end) / 2;  // that of the sound begins some milliseconds beside it
  for (const type of ['main', 'audio'])
    hls.streamController?.fragmentTracker.removeFragmentsInRange(middle, middle + 0.001, type);
}

/** The same quality in two readings of a playlist. */
function keyOf(level) {
  return new URL(level.uri).pathname;
}
