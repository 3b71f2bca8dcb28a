// The gaps of what has ended: a recording whose publisher was away. hls.js looks only so far ahead as it
// buffers, and would wait for ever before a gap that is longer, or for an end that never comes behind one.

const Hls = window.Hls;
const ahead_s = 0.3;  // sound and picture end so far apart, at most

/** Steps over a gap when playback comes to it; behind the last segment that is there, it ends. */
export function stepOverGaps(video, hlsNow) {
  video.addEventListener('waiting', () => {
    const hls = hlsNow();
    const details = hls.latestLevelDetails;
    if (!details || details.live) return;  // a channel's live edge has rules of its own
    const { fragments } = details;
    const here = fragments.findIndex(({ end }) => end > video.currentTime + ahead_s);
    if (here < 0 || !fragments[here].gap) return;
    const next = fragments.slice(here).find(({ gap }) => !gap);
    if (next) video.currentTime = next.start;
    else hls.trigger(Hls.Events.BUFFER_EOS, {});
  });
}
