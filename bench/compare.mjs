// The edge beside nginx on the same bytes, in one run, interleaved: what a hit and a miss cost the
// server in CPU time, and what clients see. DESIGN section 5 says how we measure and why.
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const help = `bench/compare [--quick] [--rounds N] [--seconds S] [--only "hit 1MB"] [--json FILE]

Starts an nginx origin, our edge and an nginx proxy_cache in front of it, each with one serving
thread, pinned to one core with the load generator (wrk) on another. For each scenario it runs both
servers in turn, A B A B, and prints medians (least to most) of:
  req/s        requests answered in a second (the client's core is a limit too: compare ratios)
  us/request   server CPU time (user and system) a request, in microseconds
  s/GB         server CPU seconds a gigabyte (10^9 bytes) of bodies
  p50, p99     latency in milliseconds, as wrk saw it
  rss          the server's resident memory at the end, in MiB
As root it runs in a network namespace of its own with cubic: with BBR the kernel charges the work of
its pacing timers to whichever process runs at that moment.
Hits ask for one URL; misses ask for a new URL each time, which the server fetches and stores.
  --quick      two rounds of a second: a look, not a figure to quote
  --only TEXT  scenarios whose name has this in it
  --json FILE  the same rows for machines`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' }, rounds: { type: 'string' }, seconds: { type: 'string' }, only: { type: 'string' },
    json: { type: 'string' }, help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const rounds = Number(options.rounds ?? (options.quick ? 2 : 5))
const seconds = Number(options.seconds ?? (options.quick ? 1 : 4))

const sizes = { '1KB': 1000, '64KB': 64_000, '1MB': 1_000_000, '4MB': 4_000_000 }
const scenarios = [
  ...Object.keys(sizes).map(size => ({ scenario: 'hit', size, connections: size === '4MB' ? 8 : 32 })),
  ...['1KB', '64KB', '1MB'].map(size => ({ scenario: 'miss', size, connections: 8 })),
].filter(({ scenario, size }) => `${scenario} ${size}`.includes(options.only ?? ''))

const state = mkdtempSync(join(tmpdir(), 'torchrelay-compare-'))
const ports = { origin: 21100, edge: 21101, admin: 21102, nginx: 21103 }
const running = []
const pinned = availableParallelism() > 1

function fail(sentence) {
  throw new Error(sentence)
}

function start(command, args) {
  const line = pinned ? ['taskset', ['-c', '0', command, ...args]] : [command, args]
  const child = spawn(line[0], line[1], { stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr.on('data', () => {})
  running.push(child)
  return child
}

async function stopAll() {
  const gone = running.splice(0).filter(child => child.exitCode === null).map(child => {
    const exit = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    return exit
  })
  await Promise.all(gone)
  rmSync(state, { recursive: true, force: true })
}

function get(port, path) {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path, agent: false }, answer => {
      const hash = createHash('sha256')
      answer.on('data', piece => hash.update(piece))
      answer.on('end', () => resolve({ status: answer.statusCode, digest: hash.digest('hex'), headers: answer.headers }))
      answer.on('error', reject)
    }).on('error', reject)
  })
}

async function poll(what, check) {
  const until = Date.now() + 10_000
  while (Date.now() < until) {
    if (await check().catch(() => false)) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  fail(`${what} did not come up within 10 s`)
}

const originConfig = `
worker_processes 1; daemon off; pid ${state}/origin.pid; error_log ${state}/origin.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; keepalive_requests 1000000;
  add_header Cache-Control "public, max-age=31536000, immutable";
  server {
    listen 127.0.0.1:${ports.origin};
    location / { root ${state}/www; }
    location ~ ^/miss/(?<size>[^/]+)/ { alias ${state}/www/$size; }
  }
}`

// The rival's best: sendfile, open_file_cache, upstream keep-alive, no temporary copy, no log.
const nginxConfig = `
worker_processes 1; daemon off; pid ${state}/nginx.pid; error_log ${state}/nginx.log;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush off; tcp_nodelay on;
  keepalive_requests 1000000; open_file_cache max=100000 inactive=60s;
  proxy_cache_path ${state}/nginx-cache levels=1:2 keys_zone=media:64m max_size=4g
                   inactive=1d use_temp_path=off;
  upstream origin { server 127.0.0.1:${ports.origin}; keepalive 64; }
  server {
    listen 127.0.0.1:${ports.nginx};
    location / {
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache media; proxy_cache_valid 200 1d; proxy_cache_lock on;
      proxy_buffers 16 64k; proxy_buffer_size 64k; proxy_busy_buffers_size 128k;
    }
  }
}`

const edgeConfig = `
[edge]
name = "edge-1"
listen = ["127.0.0.1:${ports.edge}"]
admin = "127.0.0.1:${ports.admin}"
threads = 1
[log]
level = "error"
[cache]
path = "${state}/edge-cache"
size = "4GiB"
[[upstream]]
url = "http://127.0.0.1:${ports.origin}"
`

function prepare() {
  for (const tool of ['nginx', 'wrk', 'taskset']) {
    if (spawnSync('which', [tool]).status !== 0) fail(`${tool} is missing; packages.txt names what is needed`)
  }
  if (!existsSync('build/bin/torchrelay-edge')) fail('build/bin/torchrelay-edge is missing; ./run or ./test builds it')
  chmodSync(state, 0o755) // nginx's workers are another user
  mkdirSync(`${state}/www`, { recursive: true })
  for (const [name, bytes] of Object.entries(sizes)) writeFileSync(`${state}/www/${name}`, randomBytes(bytes))
  writeFileSync(`${state}/origin.conf`, originConfig)
  writeFileSync(`${state}/nginx.conf`, nginxConfig)
  writeFileSync(`${state}/edge.toml`, edgeConfig)
  // Each request of a miss run asks for a URL that nobody asked for before.
  writeFileSync(`${state}/miss.lua`, `
local size, run, n = nil, nil, 0
function init(args) size, run = args[1], args[2] end
function request() n = n + 1; return wrk.format("GET", "/miss/" .. size .. "/" .. run .. "-" .. n) end`)
}

/** All processes of a server: nginx has a master and workers. */
function processesOf(child) {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()
  return [child.pid, ...children.split(' ').filter(Boolean).map(Number)]
}

function usage(child) {
  let ticks = 0, pages = 0
  for (const pid of processesOf(child)) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
    pages += Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  }
  return { cpu_s: ticks / 100, rss_mb: pages * 4096 / 2 ** 20 }
}

let missRun = 0
function load(port, { scenario, size, connections }) {
  const miss = scenario === 'miss'
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency']
  if (miss) args.push('-s', `${state}/miss.lua`)
  args.push(`http://127.0.0.1:${port}/${size}`)
  if (miss) args.push('--', size, `${process.pid}-${missRun++}`)
  const out = spawnSync(pinned ? 'taskset' : 'wrk', pinned ? ['-c', '1', 'wrk', ...args] : args, { encoding: 'utf8' }).stdout
  const ms = text => {
    const [, number, unit] = /([\d.]+)(us|ms|s)/.exec(text) ?? [0, 0, 'ms']
    return Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit]
  }
  const errors = /Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1] ?? /Socket errors: (.*)/.exec(out)?.[1]
  if (errors && /[1-9]/.test(errors)) console.error(`  errors seen by wrk on port ${port}: ${errors}`)
  return {
    requests: Number(/(\d+) requests in/.exec(out)?.[1] ?? 0),
    requests_per_s: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1] ?? 0),
    p50_ms: ms(/50%\s+(\S+)/.exec(out)?.[1] ?? ''), p99_ms: ms(/99%\s+(\S+)/.exec(out)?.[1] ?? ''),
  }
}

function measure(server, scenario) {
  const before = usage(server.child)
  const seen = load(server.port, scenario)
  const after = usage(server.child)
  const cpu_s = after.cpu_s - before.cpu_s
  return {
    ...seen, rss_mb: after.rss_mb,
    cpu_us_per_request: cpu_s * 1e6 / seen.requests,
    cpu_s_per_gb: cpu_s * 1e9 / (seen.requests * sizes[scenario.size]),
  }
}

const median = list => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

function summarise(server, scenario, samples) {
  const row = { server, ...scenario }
  for (const key of ['requests_per_s', 'cpu_us_per_request', 'cpu_s_per_gb', 'p50_ms', 'p99_ms', 'rss_mb']) {
    const values = samples.map(sample => sample[key])
    row[key] = median(values)
    row[`${key}_range`] = [Math.min(...values), Math.max(...values)]
  }
  return row
}

function print(row) {
  const number = (value, digits) => value.toFixed(digits).padStart(9)
  const span = ([least, most], digits) => `(${least.toFixed(digits)}-${most.toFixed(digits)})`.padEnd(18)
  console.log(`${row.scenario.padEnd(5)}${row.size.padEnd(6)}${row.server.padEnd(11)}` +
    `${number(row.requests_per_s, 0)}${number(row.cpu_us_per_request, 1)} ${span(row.cpu_us_per_request_range, 1)}` +
    `${number(row.cpu_s_per_gb, 3)} ${span(row.cpu_s_per_gb_range, 3)}` +
    `${number(row.p50_ms, 2)}${number(row.p99_ms, 2)}${number(row.rss_mb, 0)}`)
}

async function main() {
  prepare()
  start('nginx', ['-c', `${state}/origin.conf`, '-p', state])
  const servers = {
    torchrelay: { port: ports.edge, child: start('build/bin/torchrelay-edge', ['--config', `${state}/edge.toml`]) },
    nginx: { port: ports.nginx, child: start('nginx', ['-c', `${state}/nginx.conf`, '-p', state]) },
  }
  await poll('the origin', async () => (await get(ports.origin, '/1KB')).status === 200)
  for (const [name, server] of Object.entries(servers)) {
    await poll(name, async () => (await get(server.port, '/1KB')).status === 200)
  }
  // The same bytes from both, also from the cache, or the figures mean nothing.
  for (const size of Object.keys(sizes)) {
    const wanted = (await get(ports.origin, `/${size}`)).digest
    for (const [name, server] of Object.entries(servers)) {
      for (let i = 0; i < 3; i++) {
        if ((await get(server.port, `/${size}`)).digest !== wanted) fail(`${name} gave wrong bytes for ${size}`)
      }
    }
  }
  console.log('nginx configuration:' + nginxConfig.replaceAll(state, 'STATE') + '\n')
  const control = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
  console.log(`TCP congestion control of both servers: ${control}` +
    (control === 'bbr' ? '; its timers are charged to whoever runs, so CPU figures are not to be trusted' : ''))
  console.log(`medians of ${rounds} rounds of ${seconds} s (least-most)\n`)
  console.log(`${'what'.padEnd(11)}${'server'.padEnd(11)}${'req/s'.padStart(9)}${'us/request'.padStart(10)}` +
    `${''.padEnd(18)}${'s/GB'.padStart(9)}${''.padEnd(19)}${'p50 ms'.padStart(9)}${'p99 ms'.padStart(9)}${'rss MiB'.padStart(9)}`)
  const rows = []
  for (const scenario of scenarios) {
    const samples = { torchrelay: [], nginx: [] }
    for (let round = 0; round < rounds; round++) {
      for (const [name, server] of Object.entries(servers)) samples[name].push(measure(server, scenario))
    }
    for (const name of Object.keys(servers)) rows.push(summarise(name, scenario, samples[name]))
    rows.slice(-2).forEach(print)
    const [ours, theirs] = rows.slice(-2)
    console.log(`${''.padEnd(11)}ratio      CPU a request: ${(ours.cpu_us_per_request / theirs.cpu_us_per_request).toFixed(2)} of nginx's`)
  }
  if (options.json) writeFileSync(options.json, JSON.stringify({ rows }, null, 1) + '\n')
}

process.on('SIGINT', async () => { await stopAll(); process.exit(130) })
try {
  await main()
} catch (error) {
  console.error(`bench/compare: ${error.message}`)
  process.exitCode = 1
} finally {
  await stopAll()
}
