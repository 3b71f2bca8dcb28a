// How long a purge takes until every edge of a fleet on this machine has it durably in force.
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { parseArgs } from 'node:util'
import { percentile } from './measure.mjs'
import { get, request } from '../tests/support/http.mjs'
import { startScriptedOrigin } from '../tests/support/scripted_origin.mjs'
import { cleanUp, startEdges } from '../tests/support/torchrelay.mjs'

const help = `bench/purge [--quick] [--edges N] [--purges N] [--json FILE]

Starts a fleet of edges on loopback, one thread each, and sends purges to each of them in turn over
connections that are kept, one purge at a time. Each is answered when all have applied and synced it.
Rows:
  edge        "scope": "edge": one edge's own purge, an LMDB commit with its syncs; the floor
  fleet       in force on all members: the same, and a letter to each other member, which does the same
  fleet, soft
Columns: purges sent, and p50, p99 and the longest, in milliseconds, as the client saw them; "slowest
member" is the p99 of the latest receipt in the answer, counted from the purge's coming. All
edges share this machine's cores and its one disk, with a sync each: a fleet has more of both.
  --quick     a tenth of the purges: a look, not a figure to quote
  --json FILE the same rows for machines`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' }, edges: { type: 'string' }, purges: { type: 'string' },
    json: { type: 'string' }, help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const count = Number(options.edges ?? 10)
const purges = Number(options.purges ?? (options.quick ? 200 : 2000))
const agent = new http.Agent({ keepAlive: true })

const startFleet = (upstream) =>
  startEdges(count, upstream, { size: '64MiB', settings: { edge: { threads: 1 }, log: { level: 'warn' } } })

async function measure(edges, what, body) {
  const times = []
  const slowest = []
  for (let i = 0; i < purges; i++) {
    const begun = process.hrtime.bigint()
    const answer = await request(`${edges[i % edges.length].admin}/purge`,
      { method: 'POST', agent, body: JSON.stringify({ url: `/bench/${what}/${i}`, ...body }) })
    times.push(Number(process.hrtime.bigint() - begun) / 1e6)
    if (answer.status !== 200) throw new Error(`a purge was answered with ${answer.status}: ${answer.text}`)
    const { members = [] } = answer.json()
    if (members.some(({ state }) => state !== 'applied')) throw new Error(`not applied by all: ${answer.text}`)
    if (members.length > 0) slowest.push(Math.max(...members.map(({ ms }) => ms)))
  }
  return { what, edges: edges.length, purges, p50_ms: percentile(times, 0.5), p99_ms: percentile(times, 0.99),
    max_ms: percentile(times, 1), slowest_member_p99_ms: slowest.length > 0 ? percentile(slowest, 0.99) : null }
}

const origin = await startScriptedOrigin()
let edges = []
try {
  edges = await startFleet(origin.url)
  for (const edge of edges) await get(`${edge.admin}/readyz`)
  await measure(edges, 'warm', {})
  const rows = [
    await measure(edges, 'edge', { scope: 'edge' }),
    await measure(edges, 'fleet', {}),
    await measure(edges, 'fleet, soft', { soft: true }),
  ]
  const text = (ms) => (ms === null ? '-' : ms.toFixed(2))
  console.log(`${count} edges, ${purges} purges a row`)
  console.log('what           p50 ms   p99 ms   max ms   slowest member, p99 ms')
  for (const row of rows) {
    console.log(`${row.what.padEnd(12)} ${text(row.p50_ms).padStart(8)} ${text(row.p99_ms).padStart(8)} `
      + `${text(row.max_ms).padStart(8)}   ${text(row.slowest_member_p99_ms)}`)
  }
  if (options.json) writeFileSync(options.json, JSON.stringify({ rows }, null, 2) + '\n')
} finally {
  agent.destroy()
  await cleanUp(...edges)
  await origin.close()
}
