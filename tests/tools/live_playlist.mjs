// Reads low-latency media playlists for the validator, by RFC 8216bis-22 and independently of
// common/media.

import { attributes } from './hls_playlist.mjs';

const rest = (line, tag) => (line.startsWith(`${tag}:`) ? line.slice(tag.length + 1) : null);

function readPart(text) {
  const found = attributes(text);
  return { uri: found.URI, duration_s: Number(found.DURATION), independent: found.INDEPENDENT === 'YES',
    gap: found.GAP === 'YES' };
}

const reportOf = (found) => ({ uri: found.URI, msn: Number(found['LAST-MSN']),
  part: found['LAST-PART'] === undefined ? null : Number(found['LAST-PART']) });

/**
 * {text, version, target_s, part_target_s, control, sequence, map, type, ended, independent, skipped,
 *  segments: [{number, uri, duration_s, gap, discontinuity, date_ms, parts}], open: the parts behind the last segment,
 *  hints: [{type, uri}], reports: [{uri, msn, part}], next: {msn, part}: what is not there yet}
 * A delta update has its skipped segments counted in, not listed.
 */
export function readLiveMedia(text) {
  const out = { text, version: 1, sequence: 0, skipped: 0, control: {}, segments: [], hints: [], reports: [],
    part_target_s: null, map: null, type: null, ended: false, independent: false };
  const fresh = () => ({ gap: false, discontinuity: false, duration_s: NaN, date_ms: null, parts: [] });
  let at_hand = fresh();
  const takers = {
    '#EXT-X-VERSION': (value) => { out.version = Number(value); },
    '#EXT-X-TARGETDURATION': (value) => { out.target_s = Number(value); },
    '#EXT-X-PART-INF': (value) => { out.part_target_s = Number(attributes(value)['PART-TARGET']); },
    '#EXT-X-SERVER-CONTROL': (value) => { out.control = attributes(value); },
    '#EXT-X-MEDIA-SEQUENCE': (value) => { out.sequence = Number(value); },
    '#EXT-X-PLAYLIST-TYPE': (value) => { out.type = value; },
    '#EXT-X-MAP': (value) => { out.map = attributes(value).URI; },
    '#EXT-X-SKIP': (value) => { out.skipped = Number(attributes(value)['SKIPPED-SEGMENTS']); },
    '#EXT-X-PROGRAM-DATE-TIME': (value) => { at_hand.date_ms = Date.parse(value); },
    '#EXTINF': (value) => { at_hand.duration_s = Number.parseFloat(value); },
    '#EXT-X-PART': (value) => at_hand.parts.push(readPart(value)),
    '#EXT-X-PRELOAD-HINT': (value) => {
      const { TYPE, URI } = attributes(value);
      out.hints.push({ type: TYPE, uri: URI });
    },
    '#EXT-X-RENDITION-REPORT': (value) => out.reports.push(reportOf(attributes(value))),
  };
  for (const line of text.split(/\r?\n/)) {
    if (line === '#EXT-X-GAP') at_hand.gap = true;
    else if (line === '#EXT-X-DISCONTINUITY') at_hand.discontinuity = true;
    else if (line === '#EXT-X-ENDLIST') out.ended = true;
    else if (line === '#EXT-X-INDEPENDENT-SEGMENTS') out.independent = true;
    else if (line.startsWith('#')) {
      const tag = line.split(':', 1)[0];
      if (takers[tag] && line.length > tag.length) takers[tag](rest(line, tag));
    } else if (line !== '') {
      out.segments.push({ number: out.sequence + out.skipped + out.segments.length, uri: line, ...at_hand });
      at_hand = fresh();
    }
  }
  out.open = at_hand;
  out.next = { msn: out.sequence + out.skipped + out.segments.length, part: out.open.parts.length };
  return out;
}

/** Below 0: `a` shows less than `b`. */
export const compareEnds = (a, b) => a.next.msn - b.next.msn || a.next.part - b.next.part;

/** Whether `after` takes back what `before` shows; gaps at its end a channel that has ended may. */
export const goesBack = (before, after) => compareEnds(before, after) > 0 && !after.ended;

/**
 * The whole playlist that a delta update stands for (8216bis 6.3.7), from one that its client had before;
 * null: the client has too little to fill it in.
 */
export function applyDelta(before, delta) {
  const first_listed = delta.sequence + delta.skipped;
  const kept = before.segments.filter(({ number }) => number >= delta.sequence && number < first_listed);
  if (kept.length !== delta.skipped) return null;
  return { ...delta, skipped: 0, map: before.map, segments: [...kept, ...delta.segments] };
}

export const duration_s = (segments) => segments.reduce((sum, segment) => sum + segment.duration_s, 0);
