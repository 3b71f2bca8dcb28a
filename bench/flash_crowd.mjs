// A goal is scored: within one second all viewers ask a cold fleet for the newest segment. How often
// is the origin asked, and how long does a viewer wait? Our fleet beside nginx in the same shape.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { parseArgs } from 'node:util'
import { cpuSeconds, median } from './measure.mjs'
import { get } from '../tests/support/http.mjs'
import { until } from '../tests/support/poll.mjs'
import { freePorts } from '../tests/support/ports.mjs'
import { startEdges, temporaryFolder } from '../tests/support/torchrelay.mjs'

const help = `bench/flash_crowd [--quick] [--viewers N] [--edges N] [--objects N] [--bytes N] [--rounds N] [--json FILE]

Starts an nginx origin that gives each connection 20 MB/s and, in front of it, a fleet of our edges and
as many nginx servers: each caches with proxy_cache_lock and asks, by consistent hash of the URL, one of
them that does the same before the origin (the best that nginx knows for this; printed below). In each
round every viewer, on a connection that is open already, asks once, at a moment of its own within one
second, for one of the objects, which nobody asked for before. All bytes are compared.
  origin fetches   requests that reached the origin in a round, most of the rounds; the aim: one an object
  p50, p99         from a viewer's request to the first byte of its answer, ms; medians (least-most)
  errors           viewers who did not get every byte, sum of the rounds
  CPU              seconds of all servers of the fleet a round, median
  --viewers N   (default 2000), over all edges alike
  --objects N   (default 6: one of each rendition), --bytes N of each (default 300000)
  --quick       500 viewers, two rounds
  --json FILE   the same rows for machines`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' }, viewers: { type: 'string' }, edges: { type: 'string' }, objects: { type: 'string' },
    bytes: { type: 'string' }, rounds: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const viewers = Number(options.viewers ?? (options.quick ? 500 : 2000))
const edgeCount = Number(options.edges ?? 3)
const objects = Number(options.objects ?? 6)
const bytes = Number(options.bytes ?? 300_000)
const rounds = Number(options.rounds ?? (options.quick ? 2 : 5))
const viewer_deadline_ms = 30_000

const state = temporaryFolder('flash-crowd')
const body = randomBytes(bytes)
const children = []

const originConfig = port => `
worker_processes 1; daemon off; pid ${state}/origin.pid; error_log ${state}/origin.log;
events { worker_connections 8192; }
http {
  log_format uri '$request_uri'; access_log ${state}/origin.access uri; sendfile on; keepalive_requests 1000000;
  add_header Cache-Control "public, max-age=31536000, immutable";
  server { listen 127.0.0.1:${port} backlog=4096; limit_rate 20m; root ${state}; location / { try_files /segment =404; } }
}`

/** One of the nginx fleet: viewers come to the first server, the others of the fleet to the second. */
const nginxConfig = (name, front, inner, inners, origin) => `
worker_processes 1; daemon off; pid ${state}/${name}.pid; error_log ${state}/${name}.log;
events { worker_connections 8192; }
http {
  access_log off; sendfile on; tcp_nopush off; tcp_nodelay on; keepalive_requests 1000000;
  open_file_cache max=100000 inactive=60s;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffers 16 64k; proxy_buffer_size 64k;
  proxy_busy_buffers_size 128k; proxy_cache_valid 200 1d; proxy_cache_lock on; proxy_cache_lock_timeout 30s;
  proxy_cache_path ${state}/${name}-front keys_zone=front:16m max_size=1g use_temp_path=off;
  proxy_cache_path ${state}/${name}-inner keys_zone=inner:16m max_size=1g use_temp_path=off;
  upstream fleet { hash $uri consistent; ${inners.map(port => `server 127.0.0.1:${port};`).join(' ')} keepalive 64; }
  upstream origin { server 127.0.0.1:${origin}; keepalive 64; }
  server { listen 127.0.0.1:${front} backlog=4096; location / { proxy_cache front; proxy_pass http://fleet; } }
  server { listen 127.0.0.1:${inner} backlog=4096; location / { proxy_cache inner; proxy_pass http://origin; } }
}`

async function startNginx(name, config, port) {
  writeFileSync(`${state}/${name}.conf`, config)
  const child = spawn('nginx', ['-c', `${state}/${name}.conf`, '-p', state], { stdio: 'ignore' })
  children.push(child)
  await until(`nginx ${name}`, () => get(`http://127.0.0.1:${port}/0`).then(() => true, () => null))
  return child
}

async function startOurs(origin) {
  const edges = await startEdges(edgeCount, `http://127.0.0.1:${origin}`,
    { size: '1GiB', settings: { edge: { threads: 1 }, log: { level: 'error' } } })
  return { ports: edges.map(edge => edge.port), pids: edges.map(edge => edge.pid), stop: () => Promise.all(edges.map(edge => edge.stop())) }
}

async function startTheirs(origin) {
  const ports = await freePorts(2 * edgeCount)
  const fronts = ports.slice(0, edgeCount), inners = ports.slice(edgeCount)
  const started = []
  for (let i = 0; i < edgeCount; i++) {
    started.push(await startNginx(`nginx-${i + 1}`, nginxConfig(`nginx-${i + 1}`, fronts[i], inners[i], inners, origin), fronts[i]))
  }
  return { ports: fronts, pids: started.map(child => child.pid), stop: async () => {} }
}

function connect(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
    socket.once('connect', () => resolve(socket)).once('error', reject)
  })
}

/** Asks once; resolves with the milliseconds to the first byte, or null when a byte is missing or wrong. */
function ask(socket, target) {
  return new Promise(resolve => {
    const asked = performance.now()
    let first = null, head = '', at = -1
    const end = ok => {
      clearTimeout(late)
      socket.destroy()
      resolve(ok ? first - asked : null)
    }
    const late = setTimeout(end, viewer_deadline_ms, false)
    socket.on('error', () => end(false)).on('close', () => end(false)).on('data', piece => {
      first ??= performance.now()
      if (at < 0) {
        head += piece.toString('latin1')
        const headEnd = head.indexOf('\r\n\r\n')
        if (headEnd < 0) return
        const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1])
        if (!head.startsWith('HTTP/1.1 200') || length !== bytes) return end(false)
        piece = Buffer.from(head.slice(headEnd + 4), 'latin1')
        at = 0
      }
      if (!piece.equals(body.subarray(at, at + piece.length))) return end(false)
      at += piece.length
      if (at === bytes) end(true)
    })
    socket.write(`GET ${target} HTTP/1.1\r\nHost: crowd\r\n\r\n`)
  })
}

const originLines = () => readFileSync(`${state}/origin.access`, 'utf8').split('\n').filter(Boolean)

async function round(name, fleet, number) {
  const sockets = []
  for (let i = 0; i < viewers; i++) sockets.push(await connect(fleet.ports[i % edgeCount]))
  const before = { lines: originLines().length, cpu_s: cpuSeconds(fleet.pids) }
  const waits = await Promise.all(sockets.map(async (socket, i) => {
    await new Promise(resolve => setTimeout(resolve, Math.random() * 1000))
    return ask(socket, `/${name}/${number}-${Math.floor(i / edgeCount) % objects}`)
  }))
  const got = waits.filter(wait => wait !== null).sort((a, b) => a - b)
  const quantile = q => got[Math.min(got.length - 1, Math.floor(q * got.length))] ?? NaN
  await new Promise(resolve => setTimeout(resolve, 200)) // the origin writes its log behind its answer
  return {
    origin_fetches: originLines().length - before.lines, errors: viewers - got.length,
    p50_ttfb_ms: quantile(0.5), p99_ttfb_ms: quantile(0.99), cpu_s: cpuSeconds(fleet.pids) - before.cpu_s,
  }
}

function summarise(server, samples) {
  const of = key => samples.map(sample => sample[key])
  const range = key => [Math.min(...of(key)), Math.max(...of(key))]
  return {
    server, viewers, objects, edges: edgeCount, bytes, origin_fetches: Math.max(...of('origin_fetches')),
    errors: of('errors').reduce((a, b) => a + b), p50_ttfb_ms: median(of('p50_ttfb_ms')), p99_ttfb_ms: median(of('p99_ttfb_ms')),
    p99_range: range('p99_ttfb_ms'), p50_range: range('p50_ttfb_ms'), cpu_s: median(of('cpu_s')),
  }
}

function print(row) {
  const ms = (value, range) => `${value.toFixed(1)} (${range.map(x => x.toFixed(1)).join('-')})`.padEnd(24)
  console.log(`${row.server.padEnd(12)}${String(row.origin_fetches).padStart(14)}   ${ms(row.p50_ttfb_ms, row.p50_range)}` +
    `${ms(row.p99_ttfb_ms, row.p99_range)}${String(row.errors).padStart(6)}  ${row.cpu_s.toFixed(2)}`)
}

async function main() {
  if (!existsSync('build/bin/torchrelay-edge')) throw new Error('build/bin/torchrelay-edge is missing; ./run or ./test builds it')
  chmodSync(state, 0o755) // nginx's workers are another user
  writeFileSync(`${state}/segment`, body)
  const [origin] = await freePorts(1)
  await startNginx('origin', originConfig(origin), origin)
  const fleets = { torchrelay: await startOurs(origin), nginx: await startTheirs(origin) }
  try {
    console.log(`--- nginx, each of ${edgeCount}:${nginxConfig('STATE', 7101, 7201, [7201, 7202], 7000).replaceAll(state, 'STATE')}\n`)
    console.log(`${viewers} viewers, ${edgeCount} edges, ${objects} objects of ${bytes} bytes, ${rounds} rounds\n`)
    console.log(`${''.padEnd(12)}origin fetches   ${'p50 ms'.padEnd(24)}${'p99 ms'.padEnd(24)}errors  CPU s`)
    const samples = { torchrelay: [], nginx: [] }
    for (let number = 0; number < rounds; number++) {
      for (const [name, fleet] of Object.entries(fleets)) samples[name].push(await round(name, fleet, number))
    }
    const rows = Object.entries(samples).map(([name, list]) => summarise(name, list))
    rows.forEach(print)
    if (options.json) writeFileSync(options.json, JSON.stringify({ rows }, null, 1) + '\n')
  } finally {
    await fleets.torchrelay.stop()
  }
}

try {
  await main()
} catch (error) {
  console.error(`bench/flash_crowd: ${error.message}`)
  process.exitCode = 1
} finally {
  for (const child of children) child.kill('SIGTERM')
  rmSync(state, { recursive: true, force: true })
}
