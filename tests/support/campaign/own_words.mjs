// When edges held one another to be down, or found themselves without a majority, by their logs. On a
// machine with too much to do that happens without a fault: then the origin is asked again as well.

// It says so when it looks next: late, where it had no turn for a while.
const unsaid_ms = 1000;
const lapsed_ms = 4000;  // an edge's trust ended at most so long before; a lease is half of it

const line = /^time=(\S+) .*event=("[^"]*"|\S+)(?: member=(\S+))?/gm;

/** @param {{edgeName: string, log(): string}[]} edges  @returns {{kind: "said", edges, from_ms, to_ms}[]} */
export function readOwnWords(edges) {
  return edges.flatMap((edge) => {
    const said = [];
    const open = new Map();
    const begin = (name, from_ms) => {
      if (open.has(name)) return;
      open.set(name, { kind: 'said', edges: [name], from_ms, to_ms: Infinity });
      said.push(open.get(name));
    };
    const end = (name, at_ms) => {
      if (open.has(name)) open.get(name).to_ms = at_ms;
      open.delete(name);
    };
    for (const [, time, event, member] of edge.log().matchAll(line)) {
      const at_ms = Date.parse(time);
      if (event === '"member is down"') begin(member, at_ms - unsaid_ms);
      if (event === '"edge is back"') end(member, at_ms);
      if (event.startsWith('"no majority')) begin(edge.edgeName, at_ms - lapsed_ms);
      if (event.startsWith('"a majority')) end(edge.edgeName, at_ms);
      if (event === 'serving') [...open.keys()].forEach((name) => end(name, at_ms));
    }
    return said;
  });
}
