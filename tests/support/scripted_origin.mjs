// An origin that does what a test tells it, path by path: answer late, slowly, wrongly or not at
// all. Every request that came in is kept.

import http from 'node:http';
import { until } from './poll.mjs';

/**
 * {url, requests: {method, path, headers, body}[], answer(path, script), count(path),
 *  asked(path, n), close(), reopen(), stop()}: stop is close, for cleanUp()
 * A script is {status, headers, body} or a function (request, response, number) that answers as it
 * likes; number counts the requests of that path from 1. Paths without a script are 404.
 */
export async function startScriptedOrigin() {
  const requests = [];
  const scripts = new Map();
  const count = (path) => requests.filter((one) => one.path === path).length;
  let server;
  let port = 0;

  const serve = async (request, response) => {
    const entry = { method: request.method, path: request.url, headers: request.headers, body: '' };
    requests.push(entry);
    const number = count(request.url);
    response.on('error', () => {});
    if (!['GET', 'HEAD'].includes(request.method)) {
      for await (const piece of request) entry.body += piece.toString('latin1');
    }
    const script = scripts.get(request.url.split('?')[0]);
    if (typeof script === 'function') return script(request, response, number);
    const { status = 200, headers = {}, body = '' } = script ?? { status: 404 };
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
    return response.end(body);
  };
  const reopen = async () => {
    server = http.createServer({ keepAliveTimeout: 60_000 }, serve);
    await new Promise((ready, bad) => server.once('error', bad).listen(port, '127.0.0.1', ready));
    port = server.address().port;
  };
  await reopen();
  const close = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return {
    requests, count, reopen,
    url: `http://127.0.0.1:${port}`,
    answer: (path, script) => { scripts.set(path, script); },
    /** Waits until the path was asked for `n` times. */
    asked: (path, n = 1) => until(`${n} requests for ${path}`, () => count(path) >= n, { every_ms: 5 }),
    close, stop: close,
  };
}

export const fresh = { 'cache-control': 'public, max-age=600' };

/** Bytes in which every place looks different, the same at every call. */
export function pattern(length, seed = 1) {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}
