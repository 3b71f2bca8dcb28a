// What a broadcaster does: upload, look, wait, delete, over the origin's API (DESIGN 3.4).

import fs from 'node:fs';
import { Readable } from 'node:stream';
import { request } from './http.mjs';
import { until, final } from './poll.mjs';

/**
 * PUTs a file (path or Buffer) and returns the answer, whatever its status.
 * @param {object} origin  from startOrigin
 * @param {string} path  "demo/videos/x", "demo/photos/x?title=T"
 */
export function upload(origin, path, file, headers = {}) {
  const whole = Buffer.isBuffer(file);
  const length = whole ? file.length : fs.statSync(file).size;
  return request(`${origin.url}/api/v1/${path}`, {
    method: 'PUT',
    headers: { ...authorize(origin, path), 'content-length': length, ...headers },
    body: whole ? file : fs.createReadStream(file),
    deadline_ms: 120_000,
  });
}

/** The same without Content-Length, in pieces. The answer may come before the body's end. */
export function uploadChunked(origin, path, bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 65536) pieces.push(bytes.subarray(at, at + 65536));
  return request(`${origin.url}/api/v1/${path}`,
    { method: 'PUT', headers: authorize(origin, path), body: Readable.from(pieces) });
}

/** One asset as the API tells it; throws unless it is there. */
export async function asset(origin, path) {
  const [tenant, name] = path.split('/');
  const response = await request(`${origin.url}/api/v1/${tenant}/assets/${name}`,
    { headers: authorize(origin, path) });
  if (response.status !== 200) throw new Error(`asset ${path}: ${response.status} ${response.text}`);
  return response.json();
}

/** Waits for a state, by name or by a test of the asset. A failed asset ends the wait at once. */
export function waitForState(origin, path, wanted, options = {}) {
  const test = typeof wanted === 'function' ? wanted : ({ state }) => state === wanted;
  return until(`${path} to be ${wanted}`, async () => {
    const found = await asset(origin, path);
    if (test(found)) return found;
    if (found.state === 'failed') throw final(`${path} failed: ${JSON.stringify(found.error)}`);
    return null;
  }, { deadline_ms: 120_000, every_ms: 100, ...options });
}

/** Waits for `ready` or `failed` and returns the asset. */
export function waitForEnd(origin, path, options = {}) {
  return waitForState(origin, path, ({ state }) => state === 'ready' || state === 'failed', options);
}

/** PUTs a clip ("demo/goal") with a JSON body and returns the answer, whatever its status. */
export function putClip(origin, path, body) {
  const [tenant, name] = path.split('/');
  return request(`${origin.url}/api/v1/${tenant}/clips/${name}`,
    { method: 'PUT', headers: authorize(origin, path), body: JSON.stringify(body) });
}

/** For until(): what the clip says of itself, once its edges are made or given up. */
export const isCut = (origin, path) => async () => {
  const { clip } = await asset(origin, path);
  return clip.exact !== 'pending' && clip;
};

export function remove(origin, path) {
  const [tenant, name] = path.split('/');
  return request(`${origin.url}/api/v1/${tenant}/assets/${name}`,
    { method: 'DELETE', headers: authorize(origin, path) });
}

export function authorize(origin, path) {
  return origin.authorization(path.split('/')[0]);
}
