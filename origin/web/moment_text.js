// Moments (see media_clock.js) in words, and as the API takes them. Pure.

const pad = (n, digits = 2) => String(n).padStart(digits, '0');

/**
 * "20:14:07.320" of a date, "1:02:03.320" of a place in a video.
 * @param {{dated: boolean, decimals?: number, offset_ms?: number}} options
 *   offset_ms: of the local time; decimals: of the seconds, 0 to 3
 */
export function momentText(moment_ms, { dated, decimals = 3, offset_ms = localOffset(moment_ms, dated) }) {
  const unit = 10 ** (3 - decimals);
  const whole = Math.round((moment_ms + offset_ms) / unit) * unit;
  const [ms, s, m] = [whole % 1000, Math.floor(whole / 1000) % 60, Math.floor(whole / 60_000) % 60];
  const hours = Math.floor(whole / 3_600_000);
  const fraction = decimals > 0 ? `.${pad(ms, 3).slice(0, decimals)}` : '';
  if (dated) return `${pad(hours % 24)}:${pad(m)}:${pad(s)}${fraction}`;
  return hours ? `${hours}:${pad(m)}:${pad(s)}${fraction}` : `${m}:${pad(s)}${fraction}`;
}

export function localOffset(moment_ms, dated = true) {
  return dated ? -60_000 * new Date(moment_ms).getTimezoneOffset() : 0;
}

/** RFC 3339 with milliseconds, or seconds. */
export function apiTime(moment_ms, dated) {
  const whole_ms = Math.round(moment_ms);
  return dated ? new Date(whole_ms).toISOString() : whole_ms / 1000;
}

/** What the API said, as a moment. */
export function momentOf(time) {
  return typeof time === 'number' ? time * 1000 : Date.parse(time);
}

/** "4.2 s", "1:05.0" */
export function lengthText(length_ms) {
  if (length_ms < 59_950) return `${(length_ms / 1000).toFixed(1)} s`;
  return momentText(length_ms, { dated: false, decimals: 1 });
}
