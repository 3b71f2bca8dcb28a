// The playlists that hls.js reads: the origin's, but for where it would begin.

import { beforeGap, startingEarly } from './beginnings.js';

const Hls = window.Hls;
const of_media = ['level', 'audioTrack'];  // what hls.js calls them

/**
 * Opened while nobody publishes, a channel begins with what was sent last: hls.js would begin in the gap, of
 * which it loads nothing, and a video that has nothing cannot be sought in. So hls.js does not hear of that
 * gap before there is something behind it. Who plays when a channel falls silent is told at once.
 */
export class Playlists {
  #withholds = false;

  constructor(video) {
    this.video = video;
  }

  /** Whether there is a gap at the end that hls.js has not heard of. */
  get interrupted() { return this.#withholds; }

  /** A loader class for hls.js. */
  get loader() {
    const given = (playlist, type) => this.#given(playlist, type);
    return class extends Hls.DefaultConfig.loader {
      load(context, config, callbacks) {
        const onSuccess = (response, ...more) =>
          callbacks.onSuccess({ ...response, data: given(response.data, context.type) }, ...more);
        super.load(context, config, { ...callbacks, onSuccess });
      }
    };
  }

  #given(playlist, type) {
    if (!of_media.includes(type)) return startingEarly(playlist);
    const made = beforeGap(playlist);
    this.#withholds = made !== null && (this.#withholds || this.video.readyState === HTMLMediaElement.HAVE_NOTHING);
    return this.#withholds ? made : startingEarly(playlist);
  }
}
