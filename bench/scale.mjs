// What a request costs and how much a fleet remembers, from one edge to eight; and what the hop from
// one edge to the owner of a key costs beside a hit and a miss.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { cpuSeconds } from './measure.mjs'
import { get, metricValue, request } from '../tests/support/http.mjs'
import { until } from '../tests/support/poll.mjs'
import { freePorts } from '../tests/support/ports.mjs'
import { cleanUp, startEdges, temporaryFolder } from '../tests/support/torchrelay.mjs'

const help = `bench/scale [--quick] [--seconds S] [--edges 1,2,4,8] [--objects N] [--size SIZE] [--json FILE]

Starts an nginx origin and fleets of one serving thread an edge, each edge with a store of its own of
SIZE (default 64MiB). Viewers (wrk, one an edge, 32 connections in all) ask every edge alike for N
objects (default 20000) of 16 KB by Zipf's law (exponent 0.9): first for S seconds (default 8) to fill
the stores, then for S seconds that are measured.
  us/request    CPU time of all edges a request of a viewer
  second hop    share of the requests for which the asked edge asked the owner of the key
  fleet         share of the requests that cost the origin nothing
Then, with two edges, 2,000 objects are asked for, all work that follows counted:
  hit           it lies at the edge that is asked
  second hop    it lies at its owner, the other edge only
  miss          it lies nowhere, and the edge that is asked owns it
  --quick       two seconds, one and three edges
  --json FILE   the same rows for machines`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' }, seconds: { type: 'string' }, edges: { type: 'string' }, objects: { type: 'string' },
    size: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const seconds = Number(options.seconds ?? (options.quick ? 2 : 8))
const counts = (options.edges ?? (options.quick ? '1,3' : '1,2,4,8')).split(',').map(Number)
const objects = Number(options.objects ?? 20_000)
const size = options.size ?? '64MiB'
const object_bytes = 16_000
const connections = 32
const hop_objects = 2000

const state = temporaryFolder('scale')
const children = []
let originUrl

async function startOrigin() {
  const [port] = await freePorts(1)
  writeFileSync(`${state}/object`, randomBytes(object_bytes))
  writeFileSync(`${state}/origin.conf`, `
worker_processes 1; daemon off; pid ${state}/origin.pid; error_log ${state}/origin.log;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; keepalive_requests 1000000;
  add_header Cache-Control "public, max-age=31536000, immutable";
  server { listen 127.0.0.1:${port}; root ${state}; location / { try_files /object =404; } }
}`)
  children.push(spawn('nginx', ['-c', `${state}/origin.conf`, '-p', state], { stdio: 'ignore' }))
  originUrl = `http://127.0.0.1:${port}`
  await until('the origin', () => get(`${originUrl}/0`).then(answer => answer.status === 200, () => null))
}

const startFleet = (count, size) =>
  startEdges(count, originUrl, { size, settings: { edge: { threads: 1 }, log: { level: 'error' } } })

const cpuOf = edges => cpuSeconds(edges.map(edge => edge.pid))

/** Requests that the edges sent on, to each other and to the origin. */
async function sentOn(edges) {
  const all = (await Promise.all(edges.map(edge => edge.metrics()))).join('\n')
  const to = where => metricValue(all, 'relay_edge_upstream_requests_total', { to: where })
  return { peers: to('peer'), origin: to('origin') }
}

/** Zipf's law by a table of samples that is walked again and again; each wrk has its own. */
const zipfScript = `
local list, at = {}, 0
function init(args)
  local objects, seed = tonumber(args[1]), tonumber(args[2])
  math.randomseed(seed)
  local sum, cdf = 0, {}
  for i = 1, objects do sum = sum + 1 / i ^ 0.9; cdf[i] = sum end
  for n = 1, 200000 do
    local u, low, high = math.random() * sum, 1, objects
    while low < high do
      local mid = math.floor((low + high) / 2)
      if cdf[mid] < u then low = mid + 1 else high = mid end
    end
    list[n] = "/o/" .. low
  end
end
function request() at = at % #list + 1; return wrk.format("GET", list[at]) end`

function wrk(args) {
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', args)
    let out = ''
    child.stdout.on('data', piece => { out += piece })
    child.once('error', reject).once('exit', () => {
      const bad = /Non-2xx or 3xx responses: (\d+)/.exec(out)
      if (bad) reject(new Error(`${bad[1]} requests were not answered with 200`))
      else resolve(Number(/(\d+) requests in/.exec(out)?.[1] ?? 0))
    })
  })
}

async function zipfLoad(edges, seed) {
  const each = Math.max(1, Math.floor(connections / edges.length))
  const answered = await Promise.all(edges.map((edge, i) =>
    wrk(['-t1', `-c${each}`, `-d${seconds}s`, '-s', `${state}/zipf.lua`, edge.url, '--', String(objects), String(seed + i)])))
  return answered.reduce((a, b) => a + b)
}

async function measureFleet(count) {
  const edges = await startFleet(count, size)
  try {
    await zipfLoad(edges, 1)
    const before = await sentOn(edges), cpu = cpuOf(edges)
    const requests = await zipfLoad(edges, 1000)
    const used = cpuOf(edges) - cpu, after = await sentOn(edges)
    return {
      scenario: 'zipf', edges: count, requests, cpu_us_per_request: used * 1e6 / requests,
      second_hop: (after.peers - before.peers) / requests, fleet_hit_ratio: 1 - (after.origin - before.origin) / requests,
    }
  } finally {
    await cleanUp(...edges)
  }
}

/** What was fetched is stored behind the answers: waits until nobody works any more. */
async function settled(edges) {
  let last = -1
  await until('the edges to rest', async () => last === (last = cpuOf(edges)), { every_ms: 300 })
}

/** Asks for each path `times` times, with eight connections; CPU of both edges a request, all that follows from it included. */
async function ask(edges, edge, paths, times = 1) {
  await settled(edges)
  writeFileSync(`${state}/paths.lua`, `
local paths, at, done = {${paths.map(path => `"${path}"`).join(',')}}, 0, 0
function request() at = at % #paths + 1; return wrk.format("GET", paths[at]) end
function response() done = done + 1; if done >= ${times} * #paths then wrk.thread:stop() end end`)
  const before = cpuOf(edges)
  const requests = await wrk(['-t1', '-c8', '-d60s', '-s', `${state}/paths.lua`, edge.url])
  await settled(edges)
  return (cpuOf(edges) - before) * 1e6 / requests
}

async function measureHops() {
  const edges = await startFleet(2, '1GiB')
  try {
    const [here, there] = edges
    // Through the other edge: what it owns lies there alone, what this one owns at both.
    const owned = { here: [], there: [] }
    for (let n = 0; owned.there.length < hop_objects || owned.here.length < hop_objects; n++) {
      const answer = await get(`${there.url}/hop/${n}`)
      const hops = String(answer.headers['cache-status']).includes('edge-1')
      owned[hops ? 'here' : 'there'].push(`/hop/${n}`)
    }
    const mine = owned.here.slice(0, hop_objects)
    const rows = []
    const row = (scenario, cpu_us_per_request) => rows.push({ scenario, edges: 2, cpu_us_per_request })
    row('hit', await ask(edges, here, mine, 10))
    row('second hop', await ask(edges, here, owned.there.slice(0, hop_objects)))
    for (const edge of edges) await request(`${edge.admin}/purge`, { method: 'POST', body: '{"all":true}' })
    row('miss', await ask(edges, here, mine))
    return rows
  } finally {
    await cleanUp(...edges)
  }
}

async function main() {
  if (!existsSync('build/bin/torchrelay-edge')) throw new Error('build/bin/torchrelay-edge is missing; ./run or ./test builds it')
  chmodSync(state, 0o755) // nginx's workers are another user
  writeFileSync(`${state}/zipf.lua`, zipfScript)
  await startOrigin()
  const rows = []
  console.log(`${objects} objects of ${object_bytes} bytes, stores of ${size} an edge, ${seconds} s\n`)
  console.log('edges   us/request  second hop   fleet')
  for (const count of counts) {
    const row = await measureFleet(count)
    rows.push(row)
    console.log(`${String(count).padStart(5)}${row.cpu_us_per_request.toFixed(1).padStart(13)}${row.second_hop.toFixed(4).padStart(12)}${row.fleet_hit_ratio.toFixed(4).padStart(8)}`)
  }
  for (const row of await measureHops()) {
    rows.push(row)
    console.log(`${row.scenario.padEnd(12)} ${row.cpu_us_per_request.toFixed(1)} us a request, both edges`)
  }
  if (options.json) writeFileSync(options.json, JSON.stringify({ rows }, null, 1) + '\n')
}

try {
  await main()
} catch (error) {
  console.error(`bench/scale: ${error.message}`)
  process.exitCode = 1
} finally {
  for (const child of children) child.kill('SIGTERM')
  rmSync(state, { recursive: true, force: true })
}
