// A body of which the origin counts each byte that it sends, and stops where the test wants it.

import { once } from 'node:events';

const pieceBytes = 65_536;

/**
 * A script for startScriptedOrigin: `body` under a strong ETag; answers "Range: bytes=N-" and If-Range.
 * `answers` has an entry for each request: {range, ifRange, ifNoneMatch, status, sent}. hold(i, ...offsets):
 * the i-th answer, from 1, stops at each of these bytes of the body until release(i), or until its
 * connection is closed. `body`, `etag` and `headers` may be changed at any time.
 */
export function countedBody(body, { etag = '"one"', headers = {} } = {}) {
  const holds = new Map();
  const counted = {
    body, etag, headers, answers: [],
    sent: () => counted.answers.reduce((sum, each) => sum + each.sent, 0),
    asked: () => counted.answers.map(({ status, range }) => `${status} ${range ?? 'whole'}`),
    hold: (number, ...offsets) => {
      holds.set(number, offsets.map((offset) => {
        const stop = { offset };
        stop.released = new Promise((wake) => { stop.release = wake; });
        return stop;
      }));
    },
    release: (number) => holds.get(number).shift().release(),
  };
  async function send(response, from, entry, stops) {
    const bytes = counted.body;
    let open = true;
    const closed = once(response, 'close').then(() => { open = false; }, () => { open = false; });
    for (let at = from; open && at < bytes.length;) {
      while (stops[0]?.offset <= at && open) await Promise.race([stops.shift().released, closed]);
      if (!open) break;
      const piece = bytes.subarray(at, Math.min(at + pieceBytes, stops[0]?.offset ?? bytes.length));
      await Promise.race([new Promise((done) => { response.write(piece, done); }), closed]);
      if (open) entry.sent += piece.length;
      at += piece.length;
    }
    response.end();
  }
  counted.script = (request, response) => {
    const { range, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers;
    const entry = { range, ifRange, ifNoneMatch, status: 200, sent: 0 };
    counted.answers.push(entry);
    const common = { 'cache-control': 'public, max-age=600', 'accept-ranges': 'bytes', etag: counted.etag, ...counted.headers };
    if (ifNoneMatch === counted.etag) {
      entry.status = 304;
      return response.writeHead(304, common).end();
    }
    const current = ifRange === undefined || ifRange === counted.etag;
    const from = current && range ? Number(/^bytes=(\d+)-$/.exec(range)[1]) : 0;
    const rest = counted.body.subarray(from);
    entry.status = from > 0 ? 206 : 200;
    response.writeHead(entry.status, { ...common, 'content-length': rest.length,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${counted.body.length - 1}/${counted.body.length}` } : {}) });
    return send(response, from, entry, [...(holds.get(counted.answers.length) ?? [])]);
  };
  return counted;
}
