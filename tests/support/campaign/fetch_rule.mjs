// Which fetches from the origin a fault excuses. Pure.
//
// Of a title or segment the origin may be asked for the whole once. It may be asked again only while
// each edge that fetched it before could not give it to the asking one, or was not where it is looked
// for, since
//   * one of the two was dead, stopped or cut off at that moment, or held to be so by an edge, or within `notice_ms` before: so long
//     may it take until others have noticed that it is back, it trusts its store again and its share of
//     the keys has ramped up; or
//   * that one died before it had stored what it fetched: within `store_ms` of the end of its fetch; or
//   * that one, or any that comes before it in the key's order, was dead, stopped or cut off when it
//     fetched it, or within `notice_ms` before: it kept nothing for want of trust, or only stood in.
// Once an object was purged, each edge may ask once, for a while it may not believe the others; and once
// more when its fetch was under way as the purge came.

/**
 * @param {{id, version, by, kind, at_ms, ended_ms}[]} fetches in order of time; by: an edge's name; kind: "whole",
 *   "rest" (went on at an offset), "same" (304), "changed" (wanted the rest of a version that is gone)
 * @param {{kind: "kill"|"stop"|"cut", edges: string[], from_ms, to_ms}[]} faults of whom; cut: from all others
 * @param {{notice_ms: number, store_ms: number}} times
 * @param {(id: number) => string[]} orderOf names of all edges, the owner of the object first
 * @returns {{objects: number, wholes: number, excused: number, after_purge: number, rests: number,
 *   same: number, changed: number, unexcused: object[]}}
 */
export function judgeFetches(fetches, faults, times, orderOf) {
  const sum = { objects: 0, wholes: 0, excused: 0, after_purge: 0, rests: 0, same: 0, changed: 0, unexcused: [] };
  const known = new Map();  // of each object and version: the fetches of the whole until now
  const lasts = (fault, at_ms) => fault.from_ms <= at_ms && at_ms < fault.to_ms + times.notice_ms;
  const away = (name, at_ms) => faults.some((fault) => fault.edges.includes(name) && lasts(fault, at_ms));
  const brokeOff = (had) => faults.some((fault) => fault.kind === 'kill' && fault.edges.includes(had.by)
    && had.at_ms <= fault.from_ms && fault.from_ms < had.ended_ms + times.store_ms);
  const stoodIn = (had) => {
    const order = orderOf(had.id);
    return order.slice(0, order.indexOf(had.by)).some((earlier) => away(earlier, had.at_ms));
  };
  const isLost = (asking) => (had) => away(had.by, asking.at_ms) || away(asking.by, asking.at_ms)
    || brokeOff(had) || away(had.by, had.at_ms) || stoodIn(had);
  for (const fetch of fetches) {
    if (fetch.kind === 'rest') sum.rests++;
    if (fetch.kind === 'same') sum.same++;
    if (fetch.kind === 'changed') sum.changed++;
    if (fetch.kind !== 'whole') continue;
    sum.wholes++;
    const key = `${fetch.id} ${fetch.version}`;
    const before = known.get(key) ?? [];
    known.set(key, [...before, fetch]);
    const own = before.filter(({ by }) => by === fetch.by);
    if (before.length === 0) sum.objects++;
    else if (before.every(isLost(fetch))) sum.excused++;
    else if (fetch.version > 1 && own.filter((had) => !isLost(fetch)(had)).length < 2) sum.after_purge++;
    else sum.unexcused.push({ ...fetch, before });
  }
  return sum;
}
