// What a viewer would have seen of a live rendition: pieces of media and when each could be had, played
// by a player that keeps a distance from the newest and stands still when it has nothing. Pure.

const slack_ms = 25;  // between pieces: sound has frames of its own, of 21.3 ms

/**
 * @param {{at_ms: number, from_ms: number, to_ms: number, gap: boolean}[]} pieces in the order in which
 *   they came; at_ms by one clock, from_ms and to_ms by the dates of the playlist
 * @param {number} hold_back_s the distance from the newest at which it begins (PART-HOLD-BACK)
 * @param {number} end_ms when it stops looking
 * @returns {{stalls: {at_ms: number, s: number}[], stall_s: number, gap_s: number}} stalls: it stood;
 *   gaps: it went over what the playlist calls missing
 */
export function playThrough(pieces, hold_back_s, end_ms) {
  const out = { stalls: [], stall_s: 0, gap_s: 0 };
  if (pieces.length === 0) return out;
  const had = [];
  let head_ms = pieces[0].to_ms - 1000 * hold_back_s;
  let now_ms = pieces[0].at_ms;
  let standing = null;
  const play = (until_ms) => {
    while (now_ms < until_ms) {
      while (had.length > 0 && had[0].to_ms <= head_ms) had.shift();
      const piece = had[0]?.from_ms <= head_ms + slack_ms ? had[0] : null;
      if (piece?.gap) {
        out.gap_s += (piece.to_ms - head_ms) / 1000;
        head_ms = piece.to_ms;
      } else if (piece) {
        const step_ms = Math.min(until_ms - now_ms, piece.to_ms - head_ms);
        head_ms += step_ms;
        now_ms += step_ms;
        standing = null;
      } else {
        if (!standing) out.stalls.push(standing = { at_ms: now_ms, s: 0 });
        standing.s += (until_ms - now_ms) / 1000;
        now_ms = until_ms;
      }
    }
  };
  // What it held before the first piece came: it begins with something to play.
  had.push({ from_ms: head_ms, to_ms: pieces[0].from_ms, gap: false });
  for (const piece of pieces) {
    play(piece.at_ms);
    had.push(piece);
  }
  play(end_ms);
  out.stall_s = out.stalls.reduce((sum, { s }) => sum + s, 0);
  return out;
}
