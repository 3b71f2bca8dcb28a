// A body too large to be kept anywhere: its bytes are made where they are asked for.

import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';

/** The bytes from `first` to `last`; every place looks different, and so does every version. */
export function largeBytes(first, last, version = 1) {
  const start = first - first % 4;
  const bytes = Buffer.alloc(Math.ceil((last + 1 - start) / 4) * 4);
  for (let at = 0; at < bytes.length; at += 4) {
    const word = (start + at) / 4;
    const mixed = Math.imul(word >>> 0, 2654435761) ^ Math.imul(version + Math.floor(word / 2 ** 32), 40503);
    bytes.writeUInt32LE(mixed >>> 0, at);
  }
  return bytes.subarray(first - start, last + 1 - start);
}

/**
 * A script for startScriptedOrigin: a body of `length` bytes with a strong ETag that answers Range
 * and If-Range. `version` may be changed at any time. `asked` lists each request's Range (or
 * "whole"), `cut` ends the answer to that one after so many bytes.
 */
export function largeBody(length, { headers = {}, ranges = true } = {}) {
  const body = { version: 1, asked: [], cut: {}, validators: () => ({ etag: `"v${body.version}"` }) };
  const pieces = async (response, first, last, most = Infinity) => {
    const version = body.version;
    async function* made() {
      let sent = 0;
      for (let at = first; at <= last && sent < most; at += 65536) {
        const piece = largeBytes(at, Math.min(at + 65535, last), version).subarray(0, most - sent);
        sent += piece.length;
        yield piece;
        await setImmediate();  // or a peer that has gone is never noticed
      }
      if (sent < last + 1 - first) throw new Error('cut');
    }
    await pipeline(made, response).catch(() => {});
  };
  body.script = (request, response) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const validators = body.validators();
    const current = [undefined, ...Object.values(validators)].includes(request.headers['if-range']);
    body.asked.push(request.headers.range ?? 'whole');
    const common = { 'cache-control': 'public, max-age=600', 'accept-ranges': 'bytes', ...validators, ...headers };
    if (Object.values(validators).includes(request.headers['if-none-match'])) {
      return response.writeHead(304, common).end();
    }
    if (!range || !current || !ranges) {
      response.writeHead(200, { ...common, 'content-length': length });
      return pieces(response, 0, length - 1);
    }
    const [first, last] = [Number(range[1]), Math.min(Number(range[2]), length - 1)];
    response.writeHead(206, {
      ...common, 'content-length': last + 1 - first, 'content-range': `bytes ${first}-${last}/${length}` });
    const most = body.cut[request.headers.range];
    delete body.cut[request.headers.range];
    return pieces(response, first, last, most);
  };
  return body;
}
