// What part of the source the timeline shows: a view {from_ms, to_ms} within a range {from_ms, to_ms}.
// Pure: every change gives a new view.

const span_ms_min = 2000;
const tick_gap_px = 96;
const steps_s = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200];

const span = ({ from_ms, to_ms }) => to_ms - from_ms;

export const fractionOf = (view, moment_ms) => (moment_ms - view.from_ms) / span(view);

export const momentAtFraction = (view, fraction) => view.from_ms + fraction * span(view);

/** Nearer for a factor above 1; the moment keeps its place on the screen as far as that can be. */
export function zoomed(view, range, moment_ms, factor) {
  const length = Math.min(span(range), Math.max(span_ms_min, span(view) / factor));
  const at = fractionOf(view, moment_ms);
  return within({ from_ms: moment_ms - at * length, to_ms: moment_ms + (1 - at) * length }, range);
}

export const panned = (view, range, by_ms) =>
  within({ from_ms: view.from_ms + by_ms, to_ms: view.to_ms + by_ms }, range);

/** Moves the least that brings the moment into the view, with some room. */
export function revealing(view, range, moment_ms) {
  if (moment_ms >= view.from_ms && moment_ms <= view.to_ms) return view;
  const room = span(view) / 10;
  const by_ms = moment_ms < view.from_ms
    ? moment_ms - room - view.from_ms : moment_ms + room - view.to_ms;
  return panned(view, range, by_ms);
}

/** A channel's range moves on: who saw all of it sees all of it, who saw its end sees the end. */
export function following(view, old, range) {
  if (!old) return range;
  const sawEnd = view.to_ms >= old.to_ms - 1;
  if (sawEnd && view.from_ms <= old.from_ms + 1) return range;
  return sawEnd ? panned(view, range, range.to_ms - view.to_ms) : within(view, range);
}

function within({ from_ms, to_ms }, range) {
  const length = Math.min(to_ms - from_ms, span(range));
  const from = Math.min(Math.max(from_ms, range.from_ms), range.to_ms - length);
  return { from_ms: from, to_ms: from + length };
}

/** Moments of round local times that are far enough apart to be labelled. */
export function ticks(view, width_px, offset_ms = 0) {
  const wanted_s = (span(view) / 1000) * (tick_gap_px / Math.max(width_px, tick_gap_px));
  const step_ms = 1000 * (steps_s.find((step) => step >= wanted_s) ?? steps_s.at(-1));
  const first = Math.ceil((view.from_ms + offset_ms) / step_ms);
  const last = Math.floor((view.to_ms + offset_ms) / step_ms);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step_ms - offset_ms);
}
