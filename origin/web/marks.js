// The two marks of a clip, {in_ms, out_ms}, either null while it is not set. Pure: every change gives
// new ones.

export const length_ms_min = 100;  // the API's

export const noMarks = Object.freeze({ in_ms: null, out_ms: null });

/** A mark at or past the other one takes that away: the newer word counts. */
export function withIn({ out_ms }, in_ms) {
  return { in_ms, out_ms: out_ms !== null && out_ms > in_ms ? out_ms : null };
}

export function withOut({ in_ms }, out_ms) {
  return { in_ms: in_ms !== null && in_ms < out_ms ? in_ms : null, out_ms };
}

/** A handle that is dragged stops at the other one and at the ends of what there is. */
export function dragged(marks, which, moment_ms, { from_ms, to_ms }) {
  const wanted = Math.min(to_ms, Math.max(from_ms, moment_ms));
  if (which === 'in_ms') {
    return { ...marks, in_ms: marks.out_ms === null ? wanted : Math.min(wanted, marks.out_ms - length_ms_min) };
  }
  return { ...marks, out_ms: marks.in_ms === null ? wanted : Math.max(wanted, marks.in_ms + length_ms_min) };
}

/** null while one is missing. */
export function lengthOf({ in_ms, out_ms }) {
  return in_ms === null || out_ms === null ? null : out_ms - in_ms;
}

/** Why they make no clip, in words; null when they make one. `range` is what there is. */
export function faultOf(marks, range) {
  if (marks.in_ms === null && marks.out_ms === null) return 'Mark the beginning (I) and the end (O) first.';
  if (marks.in_ms === null) return 'Mark the beginning first (I).';
  if (marks.out_ms === null) return 'Mark the end first (O).';
  if (lengthOf(marks) < length_ms_min) return 'A clip lasts a tenth of a second at least.';
  if (range && marks.in_ms < range.from_ms - length_ms_min) {
    return 'The beginning is not there any more: it is older than what the channel keeps.';
  }
  if (range && marks.out_ms > range.to_ms + length_ms_min) return 'The end is later than what there is.';
  return null;
}
