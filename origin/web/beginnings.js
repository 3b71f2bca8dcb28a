// Where hls.js begins is told in the playlist, the only place where it looks once it knows what kind of
// playlist it has. Pure.

/**
 * A video that is still being encoded is no channel: it starts with its first picture, not where the
 * encoder is (RFC 8216, 4.3.5.2).
 */
export function startingEarly(playlist) {
  return playlist.replace(/^#EXT-X-PLAYLIST-TYPE:EVENT$/m, '$&\n#EXT-X-START:TIME-OFFSET=0');
}

/**
 * A channel's playlist that ends in a gap, without it: an ordinary one, of whole segments, that has not gone
 * on since; so it stands until there is something behind the gap. null: it ends in none, or has nothing else.
 */
export function beforeGap(playlist) {
  if (/^#EXT-X-(ENDLIST|PLAYLIST-TYPE)/m.test(playlist)) return null;
  const segments = playlist.match(/^(?:(?:#.*)?\n)*[^#\n].*\n/gm) ?? [];
  const open = playlist.slice(segments.join('').length);
  const made = segments.map((segment) => !/^#EXT-X-GAP$/m.test(segment)).lastIndexOf(true) + 1;
  if (made === 0 || made === segments.length || hasMedia(open)) return null;
  return segments.slice(0, made).join('').replace(/^#EXT-X-(?:SERVER-CONTROL|PART-INF|PART):.*\n/gm, '');
}

/** The segment that is not whole yet may have begun. */
const hasMedia = (open) => /^#EXT-X-PART:(?!.*GAP=YES)/m.test(open);
