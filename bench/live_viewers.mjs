// What the viewers of live channels cost one edge and the origin: low-latency HLS by blocking reloads, and
// the same channels as plain HLS from this edge and from nginx.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { usage } from './measure.mjs'
import { get } from '../tests/support/http.mjs'
import { until } from '../tests/support/poll.mjs'
import { freePorts } from '../tests/support/ports.mjs'
import { startEdge, temporaryFolder } from '../tests/support/torchrelay.mjs'

const help = `bench/live_viewers [--quick] [--viewers N,N…] [--seconds S] [--channels N] [--renditions N] [--part-bytes N]
                  [--window SECONDS] [--rounds N] [--json FILE]

Made-up channels (parts of 500 ms, segments of 8, playlists of --window seconds) at an origin of ours in node,
and one edge with one thread. Each viewer follows one rendition on a connection of its own:
  low-latency  holds a blocking request (_HLS_msn, _HLS_part, _HLS_skip) and fetches each part when it is there
  plain        asks for the playlist once a segment and fetches the newest segment: the same bytes
Low latency with each number of viewers, then the largest number as plain HLS from the edge and from nginx
(proxy_cache; its configuration is printed), in turn, --rounds times; the figures are of all rounds.
  origin/s     requests that reached the origin a second; playlists + parts of all renditions are 'made/s'
  lists MB/s   of playlists, of what the origin sent (--window 7200 is a channel with two hours to go back)
  us/request, s/GB   CPU of the server, per request and for 10^9 bytes to viewers
  cpu          of one core, of the server and of the load generator (which must not be at 1)
  p50, p99     ms from the making of a part (plain: of a segment's last) until a viewer has its last byte
  errors, skipped    wrong or lost answers; parts that a viewer came too late for
  (default 50,500,5000 viewers, 10 s, 10 channels x 4 renditions, parts of 20,000 bytes, window 120, 2 rounds;
  --quick: 50 and 500 viewers, 5 s, 1 round)
  --json FILE  the same rows for machines`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' }, viewers: { type: 'string' }, seconds: { type: 'string' }, channels: { type: 'string' },
    renditions: { type: 'string' }, 'part-bytes': { type: 'string' }, window: { type: 'string' },
    rounds: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const viewers = (options.viewers ?? (options.quick ? '50,500' : '50,500,5000')).split(',').map(Number)
const seconds = Number(options.seconds ?? (options.quick ? 5 : 10))
const playlists = Number(options.channels ?? 10) * Number(options.renditions ?? 4)
const part_bytes = Number(options['part-bytes'] ?? 20_000)
const window_s = Number(options.window ?? 120)
const rounds = Number(options.rounds ?? (options.quick ? 1 : 2))
const part_ms = 500, parts = 8

const state = temporaryFolder('live-viewers')
const children = []

const nginxConfig = (port, origin) => `
worker_processes 1; daemon off; pid ${state}/nginx.pid; error_log ${state}/nginx.log;
events { worker_connections 16384; }
http {
  access_log off; sendfile on; tcp_nopush off; tcp_nodelay on; keepalive_requests 1000000;
  open_file_cache max=100000 inactive=60s;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffers 16 64k; proxy_buffer_size 64k;
  proxy_busy_buffers_size 128k; proxy_cache_lock on; proxy_cache_lock_timeout 30s;
  proxy_cache_use_stale updating; proxy_cache_background_update on;
  proxy_cache_path ${state}/nginx-cache levels=1:2 keys_zone=media:64m max_size=2g use_temp_path=off;
  upstream origin { server 127.0.0.1:${origin}; keepalive 64; }
  server { listen 127.0.0.1:${port} backlog=8192; location / { proxy_cache media; proxy_pass http://origin; } }
}`

function start(command, words) {
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'inherit'] })
  children.push(child)
  return child
}

async function load(port, mode, count) {
  const child = spawn('build/bench/viewer_load', [port, mode, count, playlists, part_ms, parts, seconds].map(String),
    { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let text = ''
  let used = 0
  child.stdout.on('data', (piece) => { text += piece })
  const look = setInterval(() => { try { used = usage(child.pid).cpu_s } catch { /* it has ended */ } }, 100)
  const [code] = await once(child, 'close')
  clearInterval(look)
  if (code !== 0) throw new Error(`viewer_load ended with ${code}`)
  return { ...JSON.parse(text), load_cpu: used / (seconds + 5) }
}

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms))

/** One run; CPU and requests to the origin of the seconds that count. */
async function run(server, mode, count, origin) {
  const warm_up_ms = 5000
  const running = load(server.port, mode, count)
  const counts = async () => (await get(`http://127.0.0.1:${origin}/counts`)).json()
  await pause(warm_up_ms)
  const before = { cpu_s: usage(server.pid).cpu_s, counts: await counts(), at: performance.now() }
  await pause(seconds * 1000 - 200)
  const after = { cpu_s: usage(server.pid).cpu_s, counts: await counts(), at: performance.now() }
  const result = await running
  const length_s = (after.at - before.at) / 1000
  const share = length_s / result.seconds
  const cpu_s = after.cpu_s - before.cpu_s
  const asked = (what) => (after.counts[what] - before.counts[what]) / length_s
  return { server: server.name, mode, viewers: count, requests_per_s: result.requests / result.seconds,
    mb_per_s: result.bytes / result.seconds / 1e6, cpu: cpu_s / length_s, load_cpu: result.load_cpu,
    cpu_us_per_request: 1e6 * cpu_s / (result.requests * share), cpu_s_per_gb: 1e9 * cpu_s / (result.bytes * share),
    origin_per_s: asked('playlists') + asked('media'), lists_mb_per_s: asked('playlist_bytes') / 1e6, made_per_s: 2 * playlists * 1000 / part_ms,
    rss_mb: usage(server.pid).rss_bytes / 2 ** 20,
    p50_ms: result.p50_ms, p99_ms: result.p99_ms, errors: result.errors, skipped: result.skipped }
}

function mean(rows) {
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0)
  const totals = ['errors', 'skipped']
  return Object.fromEntries(Object.entries(rows[0]).map(([key, value]) => {
    if (typeof value !== 'number') return [key, value]
    return [key, totals.includes(key) ? sum(key) : sum(key) / rows.length]
  }))
}

const columns = [ // title, key, digits, width
  ['server', 'server', 0, 12], ['mode', 'mode', 0, 13], ['viewers', 'viewers', 0, 8],
  ['requests/s', 'requests_per_s', 0, 12], ['MB/s', 'mb_per_s', 1, 8], ['cpu', 'cpu', 2, 7], ['load', 'load_cpu', 2, 7],
  ['us/request', 'cpu_us_per_request', 1, 12], ['s/GB', 'cpu_s_per_gb', 2, 8], ['origin/s', 'origin_per_s', 1, 10],
  ['made/s', 'made_per_s', 0, 8], ['lists MB/s', 'lists_mb_per_s', 2, 12], ['rss MB', 'rss_mb', 0, 8], ['p50', 'p50_ms', 1, 9], ['p99', 'p99_ms', 1, 9],
  ['errors', 'errors', 0, 8], ['skipped', 'skipped', 0, 8],
]

function print(row) {
  console.log(columns.map(([name, key, digits, width]) => {
    const value = row ? row[key] : name
    return (typeof value === 'number' ? value.toFixed(digits) : value).padStart(width)
  }).join(''))
}

async function main() {
  if (!existsSync('build/bin/torchrelay-edge')) throw new Error('build/bin/torchrelay-edge is missing; ./run or ./test builds it')
  chmodSync(state, 0o755) // nginx's workers are another user
  const [origin, nginx_port] = await freePorts(2)
  start('node', ['bench/live/part_origin.mjs', origin, playlists, part_ms, parts, part_bytes, window_s].map(String))
  await until('the origin', () => get(`http://127.0.0.1:${origin}/counts`))
  writeFileSync(`${state}/nginx.conf`, nginxConfig(nginx_port, origin))
  const settings = { edge: { threads: 1 }, log: { level: 'error' } }
  const edge = await startEdge({ upstream: `http://127.0.0.1:${origin}`, size: '1GiB', settings })
  try {
    const ours = { name: 'torchrelay', port: edge.port, pid: edge.pid }
    const theirs = { name: 'nginx', port: nginx_port, pid: start('nginx', ['-c', `${state}/nginx.conf`, '-p', state]).pid }
    await until('nginx', () => get(`http://127.0.0.1:${nginx_port}/bench/c0/v1/v/index.m3u8`))
    console.log(`--- nginx:${nginxConfig(7101, 7000).replaceAll(state, 'STATE')}\n`)
    console.log(`--- ours: ${JSON.stringify(settings)}\n`)
    console.log(`${playlists} renditions, parts of ${part_ms} ms and ${part_bytes} bytes, playlists of ${window_s} s, ${rounds} x ${seconds} s\n`)
    const plan = [...viewers.map((count) => [ours, 'low-latency', count]), [ours, 'plain', viewers.at(-1)], [theirs, 'plain', viewers.at(-1)]]
    const samples = plan.map(() => [])
    for (let round = 0; round < rounds; round++) {
      for (const [i, [server, mode, count]] of plan.entries()) samples[i].push(await run(server, mode, count, origin))
    }
    const rows = samples.map(mean)
    print(null)
    rows.forEach(print)
    if (options.json) writeFileSync(options.json, `${JSON.stringify({ rows }, null, 1)}\n`)
  } finally {
    await edge.stop()
    rmSync(edge.folder, { recursive: true, force: true })
  }
}

try {
  await main()
} catch (error) {
  console.error(`bench/live_viewers: ${error.message}`)
  process.exitCode = 1
} finally {
  for (const child of children) child.kill('SIGTERM')
  rmSync(state, { recursive: true, force: true })
}
