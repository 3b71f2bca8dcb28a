// What tests of purges ask: whose answer is it, the old or the new, and who has applied a purge.

import { get, request } from './http.mjs';
import { until } from './poll.mjs';
import { fresh } from './scripted_origin.mjs';

export const purge = (edge, what) =>
  request(`${edge.admin}/purge`, { method: 'POST', body: JSON.stringify(what) });
/** Of its own: an owner's hit stands before it in Cache-Status. */
export const isHit = async (edge, path) =>
  (await get(edge.url + path)).headers['cache-status'].includes(`${edge.edgeName}; hit`);
export const text = async (edge, path) => (await get(edge.url + path)).text;
/** As "applied applied fenced", of a purge's answer. */
export const states = (answer) => answer.json().members.map(({ state }) => state).sort().join(' ');

/** Each edge holds `old PATH` of its own; the origin has `new PATH` by now. */
export async function fill(origin, edges, paths, headers = {}) {
  for (const path of paths) {
    origin.answer(path, { headers: { ...fresh, ...headers }, body: `old ${path}` });
    for (const edge of edges) {
      await until(`${path} to be a hit`, () => isHit(edge, path), { every_ms: 5 });
    }
    origin.answer(path, { headers: fresh, body: `new ${path}` });
  }
}
