// The rules that the playlists of a live channel must meet at any moment and from one to the next: RFC
// 8216bis-22 (numbers like 6.2.2) and Apple's authoring specification (8.4, 14.3), as far as they apply.
// Pure: each takes what readLiveMedia read and reports findings as report(rule, what).

import { applyDelta, compareEnds, duration_s } from './live_playlist.mjs';

export const clock_slack_s = 0.0011;  // dates have milliseconds, EXTINF microseconds
const sound_frame_s = 1024 / 48000;  // sound ends with a frame of its own
const part_least = 0.85;          // of the part target: 4.4.4.9
const hold_back_parts = 3, hold_back_targets = 3, skip_targets = 6;
const version_of_skip = 9;
const least_segments = 6;

const near = (a, b, slack) => Math.abs(a - b) <= slack + clock_slack_s;
const place = ({ msn, part }) => `${msn}.${part}`;

export function head(playlist, report) {
  const { text, control, target_s, part_target_s, version, skipped, ended, type } = playlist;
  if (!text.startsWith('#EXTM3U\n')) report('4.4.1.1 EXTM3U', 'is not the first line');
  if (!(target_s > 0)) report('4.4.3.1 TARGETDURATION', `is ${target_s}`);
  if (skipped > 0 ? version < version_of_skip : version > version_of_skip) report('8 VERSION', `is ${version}`);
  if (!ended && type) report('6.2.2 PLAYLIST-TYPE', `is ${type} while segments leave the playlist`);
  if (ended) return;
  if (!(part_target_s > 0)) return report('4.4.3.7 PART-INF', 'has no PART-TARGET');
  if (control['CAN-BLOCK-RELOAD'] !== 'YES') report('B.1 CAN-BLOCK-RELOAD', 'is not YES');
  const least = { 'PART-HOLD-BACK': hold_back_parts * part_target_s, 'HOLD-BACK': hold_back_targets * target_s,
    'CAN-SKIP-UNTIL': skip_targets * target_s };
  for (const [name, seconds] of Object.entries(least)) {
    if (!(Number(control[name]) >= seconds - clock_slack_s)) report(`14.3 ${name}`, `is ${control[name]}, least ${seconds}`);
  }
}

export function segments(playlist, report) {
  const { target_s } = playlist;
  for (const segment of playlist.segments) {
    if (!(segment.duration_s > 0) || Math.round(segment.duration_s) > target_s) {
      report('4.4.3.1 EXTINF within target', `${segment.uri}: ${segment.duration_s} s`);
    }
    if (segment.date_ms === null) report('8.4 PROGRAM-DATE-TIME', `${segment.uri} has none`);
  }
  if (playlist.open.parts.length > 0 && playlist.open.date_ms === null) {
    report('8.4 PROGRAM-DATE-TIME', `the parts of ${playlist.next.msn} have none`);
  }
  for (const { discontinuity, uri = playlist.next.msn } of [...playlist.segments, playlist.open]) {
    if (discontinuity) report('4.4.4.3 DISCONTINUITY', `before ${uri}: init and timeline of a channel never change`);
  }
  const ends = [...playlist.segments, playlist.open].filter(({ date_ms }) => date_ms !== null);
  for (let i = 1; i < ends.length; i++) {
    const step_s = (ends[i].date_ms - ends[i - 1].date_ms) / 1000;
    if (!near(step_s, ends[i - 1].duration_s, sound_frame_s)) {
      report('8.4 dates go on', `${ends[i - 1].uri} lasts ${ends[i - 1].duration_s} s, the next begins after ${step_s} s`);
    }
  }
}

export function parts(playlist, report) {
  const { part_target_s, target_s, ended } = playlist;
  if (ended) return;
  const judge = (list, is_whole, number, is_gap) => list.forEach((part, i) => {
    const at_end = is_whole && i === list.length - 1;
    if (!(part.duration_s <= part_target_s + 1e-6)) report('4.4.4.9 part within target', `${part.uri}: ${part.duration_s} s`);
    if (!part.uri.startsWith(`${number}.${i}.`)) report('numbers of parts', `${part.uri} is part ${i} of ${number}`);
    if (part.gap && !is_gap) report('4.4.4.9 GAP of a part', `${part.uri} is missing, its segment is not`);
    if (part.gap) return;
    if (!at_end && !part.independent && part.duration_s < part_least * part_target_s) {
      report('4.4.4.9 part at least 85 %', `${part.uri}: ${part.duration_s} s of ${part_target_s}`);
    }
    if (i === 0 && !part.independent) report('7.4 a segment begins independently', part.uri);
  });
  let behind_s = duration_s([{ duration_s: playlist.open.parts.reduce((sum, part) => sum + part.duration_s, 0) }]);
  judge(playlist.open.parts, false, playlist.next.msn);
  for (const segment of [...playlist.segments].reverse()) {
    judge(segment.parts, true, segment.number, segment.gap);
    const sum_s = segment.parts.reduce((sum, part) => sum + part.duration_s, 0);
    if (segment.parts.length > 0 && !segment.gap && !near(sum_s, segment.duration_s, 0)) {
      report('parts make their segment', `${segment.uri}: ${sum_s} s of ${segment.duration_s}`);
    }
    if (segment.parts.length === 0 && behind_s < 3 * target_s - clock_slack_s) {
      report('6.2.2 parts of three targets', `${segment.uri} shows none, ${behind_s} s from the end`);
    }
    behind_s += segment.duration_s;
  }
}

/** At most one hint of a type; a part's is the one that comes next. */
export function hints({ hints: list, next, segments: whole, ended }, report) {
  const types = list.map(({ type }) => type);
  if (new Set(types).size < types.length) report('4.4.5.3 one hint of a type', types.join(' '));
  if (ended && list.length > 0) report('4.4.5.3 hint', 'stands in a playlist that has ended');
  const hint = list.find(({ type }) => type === 'PART');
  if (!hint) return;
  const usual = whole.findLast(({ gap, parts: shown }) => !gap && shown.length > 0)?.parts.length;
  const behind = [`${next.msn + 1}.0.`];  // of a segment that has all its parts
  const awaited = next.part === usual ? behind : [`${place(next)}.`, ...(usual ? [] : behind)];
  if (!awaited.some((start) => hint.uri.startsWith(start))) {
    report('4.4.5.3 the hint is what comes next', `${hint.uri}, not ${awaited.join(' or ')}`);
  }
}

export const oneRules = [head, segments, parts, hints];

/** What two versions of one playlist may differ in; `before` shows no more than `after`. */
export function growth(before, after, report) {
  for (const key of ['target_s', 'part_target_s', 'map', 'independent']) {
    const may_go = after.ended && key === 'part_target_s';
    if (before[key] !== after[key] && !may_go) report(`6.2.1 ${key} never changes`, `${before[key]}, then ${after[key]}`);
  }
  const settings = (playlist) => JSON.stringify(playlist.control);
  if (!after.ended && settings(before) !== settings(after)) {
    report('4.4.3.8 SERVER-CONTROL never changes', `${settings(before)}, then ${settings(after)}`);
  }
  if (after.sequence < before.sequence) report('6.2.2 media sequence goes back', `${before.sequence}, then ${after.sequence}`);
  if (before.ended && !after.ended) report('6.2.1 ENDLIST is taken back', place(after.next));
  const now = new Map(after.segments.map((segment) => [segment.number, segment]));
  for (const old of before.segments) {
    const same = now.get(old.number);
    if (same) sameSegment(old, same, report);
    else if (old.number >= after.sequence && !(after.ended && old.gap)) report('6.2.1 a segment is taken back', old.uri);
  }
  goneOn(before, after, now.get(before.next.msn) ?? (after.next.msn === before.next.msn ? after.open : null), report);
  const removed = after.sequence > before.sequence;
  if (removed && !after.ended && after.segments.length < least_segments) {
    report('8.11 six segments stay', `${after.segments.length} are left`);
  }
  if (removed && !after.ended && duration_s(after.segments) < 3 * after.target_s - clock_slack_s) {
    report('6.2.2 three targets stay', `${duration_s(after.segments)} s are left`);
  }
}

function sameSegment(old, same, report) {
  for (const key of ['uri', 'duration_s', 'gap', 'date_ms']) {
    if (old[key] !== same[key]) report(`6.2.1 ${key} of a segment never changes`, `${old.uri}: ${old[key]}, then ${same[key]}`);
  }
  sameParts(old.parts.length > 0 && same.parts.length > 0 ? old.parts : [], same.parts, report);
}

function sameParts(old, same, report) {
  old.forEach((part, i) => {
    if (same[i]?.gap) return;  // of a gap, and lost: with a restart of the origin
    if (JSON.stringify(part) !== JSON.stringify(same[i])) {
      report('6.2.1 a part never changes', `${JSON.stringify(part)}, then ${JSON.stringify(same[i])}`);
    }
  });
}

/** The segment that was open: its parts stand where they stood. */
function goneOn(before, after, then, report) {
  if (!then || after.ended) return;
  if (before.open.date_ms !== null && then.date_ms !== null && before.open.date_ms !== then.date_ms) {
    report('6.2.1 date_ms of a segment never changes', `${before.next.msn}: ${before.open.date_ms}, then ${then.date_ms}`);
  }
  sameParts(then.parts.length === 0 ? [] : before.open.parts, then.parts, report);
}

/** A delta update is the whole of the same moment without what its client has. */
export function delta(whole, before, update, report) {
  if (update.skipped === 0 || compareEnds(whole, update) !== 0 || whole.sequence !== update.sequence) return;
  const made = applyDelta(before, update);
  if (!made) return report('6.2.5.1 delta', `skips ${update.skipped} from ${update.sequence} on, its client cannot have them`);
  const lines = (playlist) => JSON.stringify([playlist.segments.map(withoutParts), playlist.open]);
  if (lines(made) !== lines(whole)) report('6.2.5.1 delta', 'is not the whole playlist of that moment');
  const skip_until_s = Number(update.control['CAN-SKIP-UNTIL']);
  const listed_s = duration_s(update.segments) + update.open.parts.reduce((sum, part) => sum + part.duration_s, 0);
  if (listed_s < skip_until_s - clock_slack_s) report('4.4.5.2 skip boundary', `${listed_s} s are listed, ${skip_until_s} s must be`);
}

/** Parts leave a playlist by themselves: what is compared is what a client keeps. */
const withoutParts = ({ parts: _, ...segment }) => segment;

/** All renditions of a channel, each as it is now: one target, one timeline, one set of gaps told alike. */
export function together(playlists, report) {
  const [first, ...others] = Object.entries(playlists);
  for (const [name, other] of others) {
    for (const key of ['target_s', 'part_target_s']) {
      const same = other[key] === first[1][key] || other.ended !== first[1].ended;
      if (!same) report(`6.2.4 ${key} of all renditions`, `${name} has ${other[key]}, ${first[0]} ${first[1][key]}`);
    }
    const dates = new Map(first[1].segments.map(({ number, date_ms }) => [number, date_ms]));
    for (const { number, date_ms } of other.segments) {
      const same = dates.get(number);
      if (same !== undefined && same !== date_ms) report('6.2.4 dates of all renditions', `${name} ${number}: ${date_ms}, ${first[0]} ${same}`);
    }
  }
}

/**
 * A rendition that is too slow may be a second or two behind before it is left out, and 1.5 targets more
 * before its gap is told.
 */
const segments_behind_max = 3;

/** Each report is of a sibling, and about where the playlist that carries it is. */
export function reports(playlist, siblings, report) {
  if (playlist.ended || playlist.segments.length === 0) return;  // a sibling may not have begun
  const told = playlist.reports.map(({ uri }) => uri.split('/').at(-2)).sort();
  if (told.join() !== [...siblings].sort().join()) report('B.1 rendition reports', `of ${told}, not ${siblings}`);
  for (const { uri, msn, part } of playlist.reports) {
    const is_near = Math.abs(msn - playlist.next.msn) <= segments_behind_max;
    if (!Number.isInteger(msn) || !is_near || (part !== null && !Number.isInteger(part))) {
      report('4.4.5.4 rendition report', `${uri} LAST-MSN=${msn},LAST-PART=${part} in a playlist at ${place(playlist.next)}`);
    }
  }
}
