// The campaign's origin: answers in whole, from an offset on, or that nothing has changed, and writes
// down who fetched what. `board` says which version of an object is in force.

import http from 'node:http';
import { bytesOf, etagOf, idOf, isSlow, lengthOf } from './objects.mjs';

const slow_pieces = 8;
const slow_piece_ms = 60;
const headersOf = (id, version) => ({ 'cache-control': 'public, max-age=3600', etag: etagOf(id, version) });

/** {url, fetches: {id, version, by, kind: "whole"|"rest"|"same"|"changed", at_ms, ended_ms, from, sent}[], close()} */
export async function startOrigin(host, board) {
  const fetches = [];
  const server = http.createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, (request, response) => {
    const id = idOf(request.url);
    if (id < 0 || request.method !== 'GET') return response.writeHead(404).end();
    const version = board.version(id);
    const fetch = { id, version, by: String(request.headers.via).split(' ').at(-1), kind: 'whole', at_ms: Date.now(),
      ended_ms: Infinity, from: 0, sent: 0 };
    fetches.push(fetch);
    response.on('error', () => {}).on('finish', () => { fetch.ended_ms = Date.now(); });
    const headers = headersOf(id, version);
    if (request.headers['if-none-match'] === headers.etag) {
      fetch.kind = 'same';
      return response.writeHead(304, headers).end();
    }
    const length = lengthOf(id);
    // The rest of a version that is gone: the whole of another one is of no use.
    if (request.headers['if-range'] && request.headers['if-range'] !== headers.etag) fetch.kind = 'changed';
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    if (asked && request.headers['if-range'] === headers.etag && Number(asked[1]) < length) {
      fetch.kind = 'rest';
      fetch.from = Number(asked[1]);
      response.writeHead(206, { ...headers, 'content-length': length - fetch.from,
        'content-range': `bytes ${fetch.from}-${length - 1}/${length}` });
    } else {
      response.writeHead(200, { ...headers, 'content-length': length });
    }
    return send(response, fetch, length);
  });
  await new Promise((ready, bad) => server.once('error', bad).listen(0, host, 1024, ready));
  return {
    fetches,
    url: `http://${host}:${server.address().port}`,
    close: () => new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    }),
  };
}

function send(response, fetch, length) {
  const { id, version } = fetch;
  const step = isSlow(id) ? Math.ceil(length / slow_pieces) : length;
  const next = (at) => {
    if (response.destroyed) return;
    const to = Math.min(length, at + step);
    response.write(bytesOf(id, version, at, to));
    fetch.sent += to - at;
    if (to === length) response.end();
    else setTimeout(next, slow_piece_ms, to);
  };
  next(fetch.from);
}
