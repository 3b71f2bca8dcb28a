// The thumbnails of an asset: an image media playlist (EXT-X-IMAGES-ONLY), read and asked for what
// was to be seen at a moment. No document, no player: pages of every kind use it.

/**
 * A place in a sheet: `x` and `y` of the tile in the picture at `url`, all in its pixels.
 * @typedef {{url: string, x: number, y: number, width: number, height: number, sheetWidth: number,
 *   sheetHeight: number, time_s: number}} Thumbnail
 */

/** The image playlist that a multivariant playlist at `base` names; null when there is none. */
export function thumbnailsIn(multivariant, base) {
  const line = multivariant.split(/\r?\n/).find((each) => each.startsWith('#EXT-X-IMAGE-STREAM-INF:'));
  const uri = /[:,]URI="([^"]*)"/.exec(line ?? '')?.[1];
  return uri ? new URL(uri, base).href : null;
}

export class Thumbnails {
  #sheets;

  constructor(text, address) {
    this.#sheets = sheetsIn(text, address);
    this.ended = /^#EXT-X-ENDLIST/m.test(text);
  }

  /** null when they cannot be had. */
  static async load(address) {
    try {
      const answer = await fetch(address);
      return answer.ok ? new Thumbnails(await answer.text(), answer.url) : null;
    } catch {
      return null;
    }
  }

  /** What is shown `seconds` after the beginning; null: nothing is known of it. */
  at(seconds) {
    return this.#find(seconds, (sheet) => sheet.start_s);
  }

  /** The same of a channel, by Unix time in milliseconds. */
  atDate(ms) {
    return this.#find(ms / 1000, (sheet) => sheet.date_ms / 1000);
  }

  #find(moment_s, begin) {
    const sheet = this.#sheets.find((each) => moment_s >= begin(each) && moment_s < begin(each) + each.duration_s);
    if (!sheet?.tiles) return null;
    const { width, height, columns, rows, duration_s, skip_s } = sheet.tiles;
    const i = Math.min(Math.floor((moment_s - begin(sheet) + skip_s) / duration_s), columns * rows - 1);
    return { url: sheet.url, x: (i % columns) * width, y: Math.floor(i / columns) * height, width, height,
      sheetWidth: columns * width, sheetHeight: rows * height,
      time_s: sheet.start_s + Math.max(0, i * duration_s - skip_s) };
  }
}

/** [{url, start_s, duration_s, date_ms, tiles?}]; a gap has no tiles. */
function sheetsIn(text, address) {
  const sheets = [];
  let start_s = 0;
  let next = {};
  for (const line of text.split(/\r?\n/)) {
    const value = line.slice(line.indexOf(':') + 1);
    if (line.startsWith('#EXTINF:')) next.duration_s = Number.parseFloat(value);
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) next.date_ms = Date.parse(value);
    else if (line.startsWith('#EXT-X-TILES:')) next.tiles = tilesOf(value);
    else if (line && !line.startsWith('#')) {
      sheets.push({ ...next, start_s, url: new URL(line, address).href });
      start_s += next.duration_s;
      next = {};
    }
  }
  return sheets;
}

function tilesOf(text) {
  const pair = (name) => new RegExp(`(?:^|,)${name}=(\\d+)x(\\d+)`).exec(text)?.slice(1).map(Number);
  const [resolution, layout] = [pair('RESOLUTION'), pair('LAYOUT')];
  const duration_s = Number(/(?:^|,)DURATION=([\d.]+)/.exec(text)?.[1]);
  if (!resolution || !layout || !(duration_s > 0)) return undefined;
  // A clip may begin within a sheet of its source.
  const skip_s = Number(/(?:^|,)X-SKIP=([\d.]+)/.exec(text)?.[1] ?? 0);
  return { width: resolution[0], height: resolution[1], columns: layout[0], rows: layout[1], duration_s, skip_s };
}
