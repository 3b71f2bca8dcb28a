// A low-latency playlist at a scripted origin, whose time is the test's: a part comes when it says so. Who asks
// with _HLS_skip gets a delta update. Playlists carry the tag "live".

import { until } from './poll.mjs';
import { pattern } from './scripted_origin.mjs';

const partSeconds = 0.5;
const skip_targets = 6;  // listed in a delta update

/**
 * @param {object} origin of startScriptedOrigin()
 * @param {string} folder of the rendition
 * @param {{parts: number, segments: number, window?: number, lifetime?: string, tags?: string}} shape parts of
 *   a segment; whole segments at the beginning, and in the playlist at most; Cache-Control of its playlists, and
 *   Cache-Tag
 */
export function startScriptedLive(origin, folder, { parts, segments, window = Infinity,
  lifetime = 'public, max-age=1, must-revalidate', tags }) {
  const playlist = `${folder}/index.m3u8`;
  const partPath = (segment, part) => `${folder}/${segment}.${part}.m4s`;
  const bodies = new Map();  // of parts: {body, halves}
  const partRequests = new Map();  // path → how to answer, of those that came too early
  const halves = new Map();  // path → how to send the rest
  let made = segments * parts;  // parts that are there
  let ended = false;
  let gone = false;
  let waiting = [];
  let spoil = (delta) => delta;
  const sent = { wholes: 0, deltas: 0, bytes: 0 };

  const placeOf = (index) => [Math.floor(index / parts), index % parts];
  /** Without the segments that lie `skip_targets` and more before its end, if it is to be a delta. */
  const text = (as_delta = false) => {
    const [open, openParts] = placeOf(made);
    const first = Math.max(0, open - window);
    const from = as_delta && !ended ? Math.max(first, open - skip_targets) : first;
    const shown = (segment, count) => Array.from({ length: count }, (_, p) =>
      `#EXT-X-PART:DURATION=${partSeconds},URI="${segment}.${p}.m4s",INDEPENDENT=YES`);
    const lines = ['#EXTM3U', '#EXT-X-VERSION:9', `#EXT-X-TARGETDURATION:${parts * partSeconds}`,
      ...(ended ? [] : [`#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=${skip_targets * parts * partSeconds}`,
        `#EXT-X-PART-INF:PART-TARGET=${partSeconds}`]), `#EXT-X-MEDIA-SEQUENCE:${first}`,
      from > first ? `#EXT-X-SKIP:SKIPPED-SEGMENTS=${from - first}` : '#EXT-X-MAP:URI="init.mp4"'];
    for (let n = from; n < open; ++n) {
      if (n >= open - 3) lines.push(...shown(n, parts));
      lines.push(`#EXTINF:${parts * partSeconds},`, `${n}.m4s`);
    }
    lines.push(...shown(open, openParts));
    lines.push(ended ? '#EXT-X-ENDLIST' : `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${open}.${openParts}.m4s"`, '');
    return lines.join('\n');
  };
  const answer = (response) => {
    if (gone) return response.writeHead(404, { 'content-length': 0 }).end();
    const as_delta = new URL(response.req.url, 'http://origin').searchParams.has('_HLS_skip');
    const body = as_delta ? spoil(text(true)) : text();
    sent[body.includes('#EXT-X-SKIP') ? 'deltas' : 'wholes'] += 1;
    sent.bytes += body.length;
    response.writeHead(200, { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': lifetime,
      ...(tags && { 'cache-tag': tags }), 'content-length': Buffer.byteLength(body) });
    return response.end(body);
  };
  const wake = () => {
    const ready = waiting;
    waiting = [];
    for (const response of ready) answer(response);
  };
  origin.answer(playlist, (request, response) => {
    const query = new URL(request.url, 'http://origin').searchParams;
    const asked = query.has('_HLS_msn') ? Number(query.get('_HLS_msn')) * parts + Number(query.get('_HLS_part') ?? parts - 1) : -1;
    if (asked < made || ended || gone) return answer(response);
    response.on('close', () => { waiting = waiting.filter((one) => one !== response); });
    return waiting.push(response);
  });

  const sendPart = (path, response) => {
    const { body, halves: inHalves } = bodies.get(path);
    response.writeHead(200, { 'content-type': 'video/iso.segment', 'cache-control': 'max-age=600, immutable',
      'content-length': body.length });
    if (!inHalves) return response.end(body);
    response.write(body.subarray(0, body.length / 2));
    halves.set(path, () => response.end(body.subarray(body.length / 2)));
    return undefined;
  };
  const offerPart = (index) => {
    const path = partPath(...placeOf(index));
    origin.answer(path, (request, response) => {
      if (bodies.has(path)) return sendPart(path, response);
      return partRequests.set(path, () => sendPart(path, response));
    });
  };
  offerPart(made);

  return {
    playlist, partPath, sent, text,
    /** What is done to a delta update before it is sent. */
    spoil(change) { spoil = change; },
    /** [segment, part] that comes next. */
    next: () => placeOf(made),
    addPart({ body = pattern(1000, made), halves: inHalves = false } = {}) {
      const path = partPath(...placeOf(made));
      bodies.set(path, { body, halves: inHalves });
      offerPart(++made);
      partRequests.get(path)?.();
      wake();
    },
    /** The playlist as it was `count` parts ago. */
    goBack(count) { made -= count; wake(); },
    end() { ended = true; wake(); },
    remove() { gone = true; wake(); },
    /** Nobody is kept waiting. */
    release() { ended = true; wake(); },
    /** Waits until so many requests for the playlist are blocked. */
    blocked: (count) => until(`${count} blocked requests`, () => waiting.length === count, { every_ms: 5 }),
    /** Queries of all requests for the playlist. */
    requests: () => origin.requests.map((one) => one.path).filter((path) => path.split('?')[0] === playlist),
    halfSent: (path) => until(`half of ${path}`, () => halves.has(path), { every_ms: 5 }),
    sendRest: (path) => halves.get(path)(),
  };
}
