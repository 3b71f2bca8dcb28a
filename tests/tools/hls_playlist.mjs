// Reads HLS playlists for the validator, by RFC 8216bis and independently of common/media.

/** `KEY=value,KEY="a, b"` → {KEY: 'value', …}; quotes are taken off. */
export function attributes(text) {
  const found = {};
  for (const [, key, quoted, plain] of text.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^,]*))/g)) {
    found[key] = quoted ?? plain;
  }
  return found;
}

const linesOf = (text) => text.split(/\r?\n/).filter((line) => line !== '');
const has = (lines, tag) => lines.includes(tag);
const valueOf = (lines, tag) => lines.find((line) => line.startsWith(`${tag}:`))?.slice(tag.length + 1);

/**
 * {lines, independent, variants: [{attributes, url}], media: [{attributes, url?}],
 *  iFrames: [{attributes, url}], images: [{attributes, url}]}
 */
export function readMultivariant(text, url) {
  const lines = linesOf(text);
  const tags = lines.filter((line) => line.startsWith('#EXT-X-MEDIA:'));
  const media = tags.map((line) => {
    const found = attributes(line.slice('#EXT-X-MEDIA:'.length));
    return { attributes: found, url: found.URI && new URL(found.URI, url).href };
  });
  const variants = lines.flatMap((line, i) => (line.startsWith('#EXT-X-STREAM-INF:')
    ? [{ attributes: attributes(line.slice('#EXT-X-STREAM-INF:'.length)),
      url: new URL(lines[i + 1], url).href }]
    : []));
  const named = (tag) => lines.filter((line) => line.startsWith(`${tag}:`)).map((line) => {
    const found = attributes(line.slice(tag.length + 1));
    return { attributes: found, url: new URL(found.URI ?? '', url).href };
  });
  return { lines, independent: has(lines, '#EXT-X-INDEPENDENT-SEGMENTS'), variants, media,
    iFrames: named('#EXT-X-I-FRAME-STREAM-INF'), images: named('#EXT-X-IMAGE-STREAM-INF') };
}

/**
 * {lines, target_s, type, ended, independent, map,
 *  segments: [{url, duration_s, map, discontinuity}]}
 */
export function readMedia(text, url) {
  const lines = linesOf(text);
  const segments = [];
  let [duration_s, map, discontinuity] = [undefined, undefined, false];
  for (const line of lines) {
    if (line.startsWith('#EXTINF:')) duration_s = Number.parseFloat(line.slice('#EXTINF:'.length));
    if (line === '#EXT-X-DISCONTINUITY') discontinuity = true;
    if (line.startsWith('#EXT-X-MAP:')) map = new URL(attributes(line).URI ?? '', url).href;
    if (line.startsWith('#')) continue;
    segments.push({ url: new URL(line, url).href, duration_s, map, discontinuity });
    discontinuity = false;
  }
  return {
    lines, segments,
    target_s: Number(valueOf(lines, '#EXT-X-TARGETDURATION')),
    type: valueOf(lines, '#EXT-X-PLAYLIST-TYPE'),
    ended: has(lines, '#EXT-X-ENDLIST'),
    independent: has(lines, '#EXT-X-INDEPENDENT-SEGMENTS'),
    map: segments[0]?.map ?? map,
  };
}
