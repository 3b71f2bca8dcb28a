// The rules for a live channel's I-frame and image playlists, at any moment and from one to the next: they
// slide with the window (RFC 8216bis-22, Apple's authoring specification 6.x). Pure: each takes what
// readTrickPlaylist read and reports findings as report(rule, what).

import { duration_s } from './live_playlist.mjs';
import { clock_slack_s } from './live_rules.mjs';

const targets_left = 3;

const near = (a, b) => Math.abs(a - b) <= 2 * clock_slack_s;
const fileOf = (url) => url.split('/').at(-1);
/** The number of the segment that an entry is of: "…/12.m4s" and "…/12.jpg" are of segment 12. */
const segmentOf = ({ url }) => Number.parseInt(fileOf(url), 10);
const hasRange = ({ range, gap }) => gap || (range?.offset >= 0 && range.length > 0);
const numbered = ({ sequence, entries }) => new Map(entries.map((entry, i) => [sequence + i, entry]));

/** A playlist by itself; `contents` is 'I-FRAMES' or 'IMAGES'. */
export function alone(playlist, contents, report) {
  const { tags, entries, target_s, type, ended } = playlist;
  if (!tags.has(`#EXT-X-${contents}-ONLY`)) report(`EXT-X-${contents}-ONLY`, 'is missing');
  if (!ended && type) report('6.2.2 PLAYLIST-TYPE', `is ${type} while entries leave the playlist`);
  for (const [i, entry] of entries.entries()) {
    const name = fileOf(entry.url);
    if (entry.discontinuity) report('4.4.4.3 DISCONTINUITY', `before ${name}: a channel's timeline never changes`);
    if (!(entry.duration_s > 0) || Math.round(entry.duration_s) > target_s) {
      report('4.4.3.1 EXTINF within target', `${name}: ${entry.duration_s} s`);
    }
    if (!Number.isFinite(entry.date)) report('8.4 PROGRAM-DATE-TIME', `${name} has none`);
    if (contents === 'I-FRAMES' && !hasRange(entry)) report('6.10 EXT-X-BYTERANGE', `${name} has none`);
    if (contents === 'IMAGES' && !entry.gap && !entry.tiles) report('EXT-X-TILES', `${name} has none`);
    const next = entries[i + 1];
    if (next && !near((next.date - entry.date) / 1000, entry.duration_s)) {
      report('8.4 dates go on', `${name} lasts ${entry.duration_s} s, the next begins ${next.date - entry.date} ms later`);
    }
  }
}

/** What two versions may differ in. */
export function growth(before, after, report) {
  for (const key of ['target_s', 'map']) {
    if (before[key] !== after[key]) report(`6.2.1 ${key} never changes`, `${before[key]}, then ${after[key]}`);
  }
  if (after.sequence < before.sequence) report('6.2.2 media sequence goes back', `${before.sequence}, then ${after.sequence}`);
  const now = numbered(after);
  for (const [number, old] of numbered(before)) {
    const same = now.get(number);
    const [was, is] = [old, same].map((entry) => JSON.stringify(entry));
    if (same && was !== is) report('6.2.1 an entry never changes', `${number}: ${was}, then ${is}`);
    // A recording has no gaps at its ends.
    const may_go = number < after.sequence || (after.ended && old.gap);
    if (!same && !may_go) report('6.2.1 an entry is taken back', `${number}: ${was}`);
  }
  const left_s = duration_s(after.entries);
  if (after.sequence > before.sequence && !after.ended && left_s < targets_left * after.target_s - clock_slack_s) {
    report('6.2.2 three targets stay', `${left_s} s are left`);
  }
}

/**
 * Beside the media playlist whose segments it goes along with (`media` as readLiveMedia read it, `map` its init's
 * address): the same targets and rules, and of each segment that both list the same time.
 */
export function beside(playlist, media, map, report) {
  if (playlist.ended || media.ended) return;
  if (playlist.target_s !== media.target_s) report('6.11 target duration', `${playlist.target_s}, not ${media.target_s}`);
  const [ours, theirs] = [playlist, media].map(({ control }) => JSON.stringify(control));
  if (ours !== theirs) report('4.4.3.8 SERVER-CONTROL of all playlists', `${ours}, not ${theirs}`);
  const is_images = playlist.tags.has('#EXT-X-IMAGES-ONLY');
  if (!is_images && playlist.map !== map) report('I-frames have the init of their pictures', `${playlist.map}, not ${map}`);
  for (const { number, date_ms, duration_s: lasts_s, gap } of media.segments) {
    const of = playlist.entries.filter((entry) => segmentOf(entry) === number);
    if (of.length === 0) continue;
    if (of[0].date !== date_ms) report('6.2.4 dates of all renditions', `${number}: ${of[0].date}, not ${date_ms}`);
    if (!near(duration_s(of), lasts_s)) report('as long as its segment', `${number}: ${duration_s(of)} s, not ${lasts_s}`);
    if (is_images) continue;  // a sheet needs all of its segment's groups, and no rung
    if (of.some((entry) => entry.gap !== gap)) report('a gap here as there', `${number}, of which all is ${gap ? 'missing' : 'made'}`);
  }
}
