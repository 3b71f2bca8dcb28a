// A plain HTTP client for tests: one request, one connection unless an agent is given, no redirects,
// no decompression, the whole body in memory. Nothing is hidden from the test.

import http from 'node:http';
import { createHash } from 'node:crypto';

/**
 * @param {string} url
 * @param {{method?: string, headers?: object, body?: Buffer|string|import('node:stream').Readable,
 *          agent?: http.Agent, deadline_ms?: number}} [options]
 * @returns {Promise<{status: number, headers: object, body: Buffer, text: string, json: () => any}>}
 */
export function request(url, options = {}) {
  const { method = 'GET', headers = {}, body, agent = false, deadline_ms = 30_000 } = options;
  return new Promise((resolve, reject) => {
    const outgoing = http.request(url, { method, headers, agent }, (incoming) => {
      collect(incoming).then((bytes) => resolve(answer(incoming, bytes)), reject);
    });
    outgoing.setTimeout(deadline_ms, () =>
      outgoing.destroy(new Error(`${method} ${url}: no byte for ${deadline_ms} ms`)));
    outgoing.on('error', reject);
    if (body?.pipe) body.on('error', reject).pipe(outgoing);
    else outgoing.end(body);
  });
}

/** Throws, naming what came instead, unless the answer is 200. */
export async function get(url, options = {}) {
  const response = await request(url, options);
  if (response.status !== 200) {
    throw new Error(`GET ${url}: ${response.status} ${response.text.slice(0, 300)}`);
  }
  return response;
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Value of one series in a Prometheus exposition; 0 when it is absent. All labels must match. */
export function metricValue(exposition, name, labels = {}) {
  let sum = 0;
  for (const line of exposition.split('\n')) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found || found[1] !== name) continue;
    const wanted = Object.entries(labels).every(([key, value]) =>
      (found[2] ?? '').includes(`${key}="${value}"`));
    if (wanted) sum += Number(found[3]);
  }
  return sum;
}

async function collect(incoming) {
  const pieces = [];
  for await (const piece of incoming) pieces.push(piece);
  if (!incoming.complete) throw new Error('the answer ended before its end');
  return Buffer.concat(pieces);
}

function answer(incoming, body) {
  return {
    status: incoming.statusCode,
    headers: incoming.headers,
    body,
    get text() { return body.toString('utf8'); },
    json: () => JSON.parse(body.toString('utf8')),
  };
}
