// A whole HLS presentation read over HTTP: every playlist, init segment and segment, parsed.

import zlib from 'node:zlib';
import { request } from '../support/http.mjs';
import { readMedia, readMultivariant } from './hls_playlist.mjs';
import { readInit, readSegment } from './fmp4.mjs';
import { readTrickPlaylist } from './trick_play.mjs';

/**
 * {url, multivariant, renditions: [{url, name, media, init, segments: [{init, …}]}], findings,
 *  iFrames: [{url, attributes, playlist}], images: [{url, attributes, playlist, sheets}]}
 * An object that is missing or broken is a finding, and what it stands for is left out.
 */
export async function loadPresentation(url) {
  const findings = [];
  const report = (rule, where, what) => findings.push({ rule, where: short(where), what });
  const text = await loadPlaylist(url, report);
  const multivariant = readMultivariant(text ?? '', url);
  const urls = new Set([...multivariant.variants, ...multivariant.media].map((one) => one.url).filter(Boolean));
  const renditions = [];
  for (const one of urls) renditions.push(await loadRendition(one, report));
  const [iFrames, images] = [await loadTrick(multivariant.iFrames, report), await loadTrick(multivariant.images, report)];
  for (const each of images) {
    each.sheets = [];
    for (const sheet of each.playlist.entries) {
      if (sheet.gap) {
        each.sheets.push(undefined);
        continue;
      }
      const loaded = await load(sheet.url, ['image/jpeg'], () => ({}), report);
      each.sheets.push(loaded?.bytes);
    }
  }
  return { url, text, multivariant, renditions: renditions.filter(Boolean), iFrames, images, findings };
}

async function loadTrick(named, report) {
  const loaded = [];
  for (const { url, attributes } of named) {
    const text = await loadPlaylist(url, report);
    if (text !== null) loaded.push({ url, attributes, playlist: readTrickPlaylist(text, url) });
  }
  return loaded;
}

const short = (url) => new URL(url).pathname;

async function loadPlaylist(url, report) {
  const response = await request(url, { headers: { 'accept-encoding': 'gzip' } });
  if (response.status !== 200) {
    report('reachable', url, `answered with ${response.status}`);
    return null;
  }
  const type = (response.headers['content-type'] ?? '').split(';')[0];
  if (type !== 'application/vnd.apple.mpegurl') report('mime type', url, `is ${type}`);
  const packed = response.headers['content-encoding'] === 'gzip';
  if (!packed) report('10.1 gzip', url, 'the playlist is not compressed though the client takes gzip');
  const text = (packed ? zlib.gunzipSync(response.body) : response.body).toString('utf8');
  if (!text.startsWith('#EXTM3U\n')) report('playlist', url, 'does not begin with #EXTM3U');
  return text;
}

async function loadRendition(url, report) {
  const text = await loadPlaylist(url, report);
  if (text === null) return null;
  const media = readMedia(text, url);
  const rendition = { url, name: short(url).split('/').at(-2), media, segments: [] };
  if (!media.map) {
    report('EXT-X-MAP', url, 'names no init segment');
    return rendition;
  }
  const inits = new Map();
  for (const map of new Set([media.map, ...media.segments.map((segment) => segment.map)])) {
    inits.set(map, await load(map, ['video/mp4', 'audio/mp4'], readInit, report));
  }
  rendition.init = inits.get(media.map);
  if (!rendition.init) return rendition;
  for (const segment of media.segments) {
    const init = inits.get(segment.map);
    if (!init) continue;
    const loaded = await load(segment.url, ['video/iso.segment', 'video/mp4', 'audio/mp4'],
      (bytes) => readSegment(bytes, init), report);
    if (loaded) rendition.segments.push({ ...segment, ...loaded, init });
  }
  return rendition;
}

async function load(url, types, read, report) {
  const { status, headers, body } = await request(url);
  if (status !== 200) {
    report('listed media is reachable', url, `answered with ${status}`);
    return null;
  }
  if (!types.includes(headers['content-type'])) report('mime type', url, `is ${headers['content-type']}`);
  if (!/\bimmutable\b/.test(headers['cache-control'] ?? '')) {
    report('immutable media', url, `Cache-Control is ${headers['cache-control']}`);
  }
  try {
    return { bytes: body, ...read(body) };
  } catch (error) {
    report('fMP4', url, error.message);
    return null;
  }
}
