// Playback by keyboard, wherever the focus is, but not while the viewer is in a form field.

const seek_s = 5;

/** `live`: the channel's live edge, when the video may be one. */
export function useKeys(video, stage, live = null) {
  const last = () => (live?.live ? Math.max(video.currentTime, live.latest_s) : video.duration);
  const actions = {
    ' ': () => (video.paused ? video.play() : video.pause()),
    k: () => (video.paused ? video.play() : video.pause()),
    ArrowLeft: () => { video.currentTime = Math.max(0, video.currentTime - seek_s); },
    ArrowRight: () => { video.currentTime = Math.min(last(), video.currentTime + seek_s); },
    l: () => { if (live?.live) live.goLive(); },
    m: () => { video.muted = !video.muted; },
    f: () => (document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen()),
  };
  document.addEventListener('keydown', (event) => {
    const inField = event.target.closest('input, select, textarea, button');
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || inField || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
}
