// What is there for trick play: I-frame playlists and image playlists (Apple's authoring specification
// 6.x, RFC 8216bis 4.4.3.6, the HLS image media playlist specification 0.4), and the rules for them.

import { boxes, nalTypes, readSegment } from './fmp4.mjs';
import { attributes } from './hls_playlist.mjs';
import { peakRate, timesOf } from './rules.mjs';

const clock_slack_s = 0.0011;
const tolerance = 0.10;

/**
 * {tags, target_s, sequence, control, type, ended, map, entries: [{url, duration_s, gap, date,
 *  discontinuity?, range?: {offset, length}, tiles?}]} of the text of an I-frame or image playlist at `url`.
 */
export function readTrickPlaylist(text, url) {
  const found = { tags: new Set(), entries: [], control: {}, sequence: 0, ended: false };
  let next = {};
  for (const line of text.split('\n').filter(Boolean)) {
    const [tag, value] = line.split(/:(.*)/s);
    found.tags.add(tag);
    if (tag === '#EXTINF') next.duration_s = Number.parseFloat(value);
    else if (tag === '#EXT-X-GAP') next.gap = true;
    else if (tag === '#EXT-X-DISCONTINUITY') next.discontinuity = true;
    else if (tag === '#EXT-X-PROGRAM-DATE-TIME') next.date = Date.parse(value);
    else if (tag === '#EXT-X-BYTERANGE') next.range = rangeOf(value);
    else if (tag === '#EXT-X-TILES') next.tiles = tilesOf(attributes(value));
    else if (tag === '#EXT-X-TARGETDURATION') found.target_s = Number(value);
    else if (tag === '#EXT-X-MEDIA-SEQUENCE') found.sequence = Number(value);
    else if (tag === '#EXT-X-SERVER-CONTROL') found.control = attributes(value);
    else if (tag === '#EXT-X-PLAYLIST-TYPE') found.type = value;
    else if (tag === '#EXT-X-ENDLIST') found.ended = true;
    else if (tag === '#EXT-X-MAP') found.map ??= new URL(attributes(value).URI, url).href;
    if (!line.startsWith('#')) {
      found.entries.push({ gap: false, ...next, url: new URL(line, url).href });
      next = {};
    }
  }
  return found;
}

const rangeOf = (value) => {
  const [length, offset] = value.split('@').map(Number);
  return { offset, length };
};

const tilesOf = ({ RESOLUTION, LAYOUT, DURATION, 'X-SKIP': skip = 0 }) => {
  const [[width, height], [columns, rows]] = [RESOLUTION, LAYOUT].map((text) => text.split('x').map(Number));
  return { width, height, columns, rows, duration_s: Number(DURATION), skip_s: Number(skip) };
};

/**
 * The one picture that a byte range of a segment shows: {bytes, sample, whole}. Throws when it does not
 * begin with the moof of a key picture, or cuts the picture off. `whole`: no box is cut.
 */
export function pictureIn(segment, { offset, length }, init) {
  if (!(offset >= 0 && length > 0 && offset + length <= segment.length)) {
    throw new Error(`bytes ${offset} to ${offset + length} of ${segment.length}`);
  }
  const bytes = segment.subarray(offset, offset + length);
  if (bytes.toString('latin1', 4, 8) !== 'moof') throw new Error('the range does not begin at a moof');
  const [sample] = readSegment(segment.subarray(offset), init).samples;
  if (sample.offset + sample.size > length) throw new Error('the range ends inside of its picture');
  if (!sample.sync) throw new Error('the picture is not a sync sample');
  if (init.codec.startsWith('avc1') && !nalTypes(bytes, sample, init.nalLengthBytes).includes(5)) {
    throw new Error('the picture is not an IDR');
  }
  return { bytes, sample, whole: areWhole(bytes) };
}

function areWhole(bytes) {
  try {
    return boxes(bytes).length > 0;
  } catch {
    return false;
  }
}

/** 6.1 to 6.10, on a presentation whose `iFrames` are loaded. */
export function iFramePlaylists({ url, multivariant, renditions, iFrames }, report) {
  const pictures = renditions.filter(({ init }) => init?.kind === 'vide');
  if (pictures.length > 0 && iFrames.length === 0) report('6.1 I-frame playlists', url, 'there is none');
  for (const { attributes: stated, url: where } of multivariant.iFrames) {
    for (const name of ['BANDWIDTH', 'CODECS', 'RESOLUTION', 'URI']) {
      if (!stated[name]) report(`9.x ${name}`, where, 'is missing from EXT-X-I-FRAME-STREAM-INF');
    }
  }
  for (const each of iFrames) {
    const rendition = pictures.find(({ media }) => media.map === each.playlist.map);
    if (!rendition) report('I-frames of a rendition', each.url, 'no rendition has its EXT-X-MAP');
    else judgeIFrames(each, rendition, report);
  }
}

function judgeIFrames({ url, playlist, attributes: stated }, rendition, report) {
  const { init, media } = rendition;
  if (!playlist.tags.has('#EXT-X-I-FRAMES-ONLY')) report('EXT-X-I-FRAMES-ONLY', url, 'is missing');
  if (playlist.target_s !== media.target_s) report('6.11 target duration', url, `is ${playlist.target_s} s`);
  if (playlist.ended !== media.ended) report('ENDLIST', url, 'is not that of the media playlist');
  const pictures = playlist.entries.map((entry) => pictureOf(entry, rendition, report)).filter(Boolean);
  for (const [i, { entry, sample }] of pictures.entries()) {
    const next = pictures[i + 1]?.sample;
    const last = rendition.segments.at(-1).samples.at(-1);
    const end = next ? next.decodeTime : last.decodeTime + last.duration;
    const lasts_s = (end - sample.decodeTime) / init.timescale;
    if (Math.abs(lasts_s - entry.duration_s) > 2 * clock_slack_s) {
      report('EXTINF to the next I-frame', entry.url, `says ${entry.duration_s} s, it is ${lasts_s} s`);
    }
    if (Math.round(entry.duration_s) > playlist.target_s) report('7.7 EXTINF within target', entry.url, `${entry.duration_s} s`);
  }
  if (pictures.length === 0) return;
  const measured = peakRate({ media: playlist,
    segments: pictures.map(({ entry, bytes }) => ({ bytes, duration_s: entry.duration_s })) });
  const ratio = measured / Number(stated.BANDWIDTH);
  if (!(Math.abs(ratio - 1) <= tolerance)) {
    report('I-frame BANDWIDTH', url, `declares ${stated.BANDWIDTH} bit/s, measured ${Math.round(measured)}`);
  }
  rendition.iFrames = pictures;
}

function pictureOf(entry, { segments }, report) {
  const segment = segments.find(({ url }) => url === entry.url);
  if (!segment) {
    report('I-frame in a listed segment', entry.url, 'the media playlist does not name it');
    return null;
  }
  const { init } = segment;
  try {
    return { entry, init, ...pictureIn(segment.bytes, entry.range ?? { offset: 0, length: segment.bytes.length }, init) };
  } catch (error) {
    report('6.10 I-frame range', entry.url, error.message);
    return null;
  }
}

/** Width and height from the frame header of a JPEG; throws when it is none. */
export function jpegSize(bytes) {
  if (bytes.readUInt16BE(0) !== 0xffd8) throw new Error('not a JPEG');
  for (let at = 2; at + 9 < bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    if (bytes[at] !== 0xff) throw new Error(`no marker at ${at}`);
    const is_frame = bytes[at + 1] >= 0xc0 && bytes[at + 1] <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(bytes[at + 1]);
    if (is_frame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
  }
  throw new Error('a JPEG without a frame');
}

/** Sheets are what EXT-X-TILES says, and go along with the pictures' segments. */
export function imagePlaylists({ renditions, images }, report) {
  const picture = renditions.find(({ init, segments }) => init?.kind === 'vide' && segments.length > 0);
  for (const { url, playlist, sheets } of images) {
    if (!playlist.tags.has('#EXT-X-IMAGES-ONLY')) report('EXT-X-IMAGES-ONLY', url, 'is missing');
    if (!playlist.ended) report('ENDLIST', url, 'is missing');
    if (picture && playlist.entries.length !== picture.segments.length) {
      report('a sheet a segment', url, `${playlist.entries.length} sheets, ${picture.segments.length} segments`);
    }
    for (const [i, { url: where, duration_s, tiles }] of playlist.entries.entries()) {
      if (!sheets[i]) continue;
      judgeSheet(sheets[i], tiles, where, report);
      const segment = picture?.segments[i];
      const lasts_s = segment && timesOf(segment, picture.init).duration_s;
      if (segment && Math.abs(lasts_s - duration_s) > clock_slack_s) {
        report('a sheet is as long as its segment', where, `${duration_s} s, segment ${lasts_s} s`);
      }
      // A clip may end within a sheet of its source.
      const isCut = i === playlist.entries.length - 1 && !where.startsWith(new URL('.', url).href);
      if (tiles && !isCut && (tiles.columns * tiles.rows - 1) * tiles.duration_s >= duration_s + tiles.skip_s) {
        report('EXT-X-TILES', where, 'a tile lies behind the end of its sheet');
      }
    }
  }
}

/** What EXT-X-TILES says of a sheet is what its bytes are. */
export function judgeSheet(bytes, tiles, where, report) {
  try {
    if (!tiles) throw new Error('no EXT-X-TILES');
    const { width, height } = jpegSize(bytes);
    if (width !== tiles.columns * tiles.width || height !== tiles.rows * tiles.height) {
      throw new Error(`the sheet is ${width}x${height}, not ${tiles.columns}x${tiles.rows} of ${tiles.width}x${tiles.height}`);
    }
  } catch (error) {
    report('EXT-X-TILES', where, error.message);
  }
}

export const trickRules = [iFramePlaylists, imagePlaylists];
