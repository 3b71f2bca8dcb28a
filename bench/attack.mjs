// What normal clients notice of hostile ones, and what an idle connection costs: the edge beside
// nginx in one run, one server at a time, quiet and under each attack in turn.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const help = `bench/attack [--quick] [--rounds N] [--seconds S] [--only TEXT] [--json FILE]

Starts an nginx origin, our edge and an nginx proxy_cache in front of it, each with one serving
thread on one core. On the other core wrk plays the normal clients (8 connections, hits of 16 KB),
and beside it, one after another:
  slow heads, slow bodies, ranges, slow readers   slowhttptest's modes -H, -B, -R, -X
  idle        connections that asked once and then say nothing
  header flood, range flood, churn                at a fixed rate: heads of 200 fields, 1,000 ranges
                                                  in one request, connections that close at once
Each attack is run between two quiet runs of the same length. Columns:
  p50, p99    of the normal clients, in milliseconds, quiet and under attack; medians of the rounds
  ratio       p99 under attack to p99 quiet
  rss         memory of the server during the attack, in MiB
  a connection   memory that each idle connection adds, in bytes (its kernel socket not counted)
The attackers share a core with the normal clients: compare the two servers, not the figures as such.
  --quick     one round of two seconds and fewer attackers
  --json FILE the same rows for machines`

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
const quick = options.quick
const rounds = Number(options.rounds ?? (quick ? 1 : 3))
const seconds = Number(options.seconds ?? (quick ? 2 : 5))
const slowConnections = quick ? 200 : 1000
const idleConnections = 10_000
const floodPerSecond = 200

const state = mkdtempSync(join(tmpdir(), 'torchrelay-attack-'))
const ports = { origin: 21200, edge: 21201, admin: 21202, nginx: 21203 }
const running = []
const pinned = availableParallelism() > 1
const on = (core, command) => (pinned ? ['taskset', '-c', core, ...command] : command)

function fail(sentence) {
  throw new Error(sentence)
}

function start(core, command) {
  const [program, ...args] = on(core, command)
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] })
  running.push(child)
  return child
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await exit
  clearTimeout(late)
}

async function stopAll() {
  await Promise.all(running.splice(0).map(stop))
  rmSync(state, { recursive: true, force: true })
}

const pause = s => new Promise(resolve => setTimeout(resolve, 1000 * s))

async function poll(what, check, wait_s = 30) {
  const until = Date.now() + 1000 * wait_s
  while (Date.now() < until) {
    if (await check()) return
    await pause(0.05)
  }
  fail(`${what}: not within ${wait_s} s`)
}

const get = (port, path) => new Promise(resolve => {
  http.get({ host: '127.0.0.1', port, path, agent: false }, answer => answer.resume().on('end', () => resolve(answer.statusCode)))
    .on('error', () => resolve(0))
})

const originConfig = `
worker_processes 1; daemon off; pid ${state}/origin.pid; error_log ${state}/origin.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on;
  add_header Cache-Control "public, max-age=31536000, immutable";
  server { listen 127.0.0.1:${ports.origin}; root ${state}/www; }
}`

const nginxConfig = `
worker_processes 1; daemon off; pid ${state}/nginx.pid; error_log ${state}/nginx.log;
worker_rlimit_nofile 65536;
events { worker_connections 20000; }
http {
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000; open_file_cache max=1000;
  client_header_timeout 10s; client_body_timeout 30s; send_timeout 30s; keepalive_timeout 75s;
  max_ranges 16; reset_timedout_connection on;
  proxy_cache_path ${state}/nginx-cache levels=1:2 keys_zone=media:16m max_size=1g use_temp_path=off;
  upstream origin { server 127.0.0.1:${ports.origin}; keepalive 16; }
  server {
    listen 127.0.0.1:${ports.nginx} backlog=4096;
    location / {
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache media; proxy_cache_valid 200 1d;
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
size = "1GiB"
[[upstream]]
url = "http://127.0.0.1:${ports.origin}"
`

function prepare() {
  for (const tool of ['nginx', 'wrk', 'taskset', 'slowhttptest']) {
    if (spawnSync('which', [tool]).status !== 0) fail(`${tool} is missing; packages.txt names what is needed`)
  }
  if (!existsSync('build/bin/torchrelay-edge')) fail('build/bin/torchrelay-edge is missing; ./run or ./test builds it')
  chmodSync(state, 0o755) // nginx's workers are another user
  mkdirSync(`${state}/www`)
  writeFileSync(`${state}/www/page`, randomBytes(16_000))
  writeFileSync(`${state}/www/film`, randomBytes(16 << 20))
  writeFileSync(`${state}/origin.conf`, originConfig)
  writeFileSync(`${state}/nginx.conf`, nginxConfig)
  writeFileSync(`${state}/edge.toml`, edgeConfig)
}

/** Resident bytes of a server; nginx has a master and a worker. */
function memory({ child }) {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()
  const pids = [child.pid, ...children.split(' ').filter(Boolean)]
  return pids.reduce((sum, pid) => sum + Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096, 0)
}

/** Normal clients for some seconds; resolves with what wrk saw. */
function normal(server) {
  const [program, ...args] = on(1, ['wrk', '-t1', '-c8', `-d${seconds}s`, '--latency', `http://127.0.0.1:${server.port}/page`])
  const wrk = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let out = ''
  wrk.stdout.on('data', piece => { out += piece })
  const ms = text => {
    const [, number, unit] = /([\d.]+)(us|ms|s)/.exec(text) ?? [0, NaN, 'ms']
    return Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit]
  }
  return new Promise(resolve => wrk.once('exit', () => resolve({
    requests_per_s: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1] ?? 0),
    errors: Number(/Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1] ?? 0),
    p50_ms: ms(/50%\s+(\S+)/.exec(out)?.[1] ?? ''), p99_ms: ms(/99%\s+(\S+)/.exec(out)?.[1] ?? ''),
  })))
}

/** slowhttptest in one mode until it is stopped. */
const slow = (...mode) => async server => {
  const child = start(1, ['slowhttptest', ...mode, '-c', `${slowConnections}`, '-r', '500', '-l', '600', '-p', '5',
    '-u', `http://127.0.0.1:${server.port}/${mode[0] === '-X' ? 'film' : 'page'}`])
  await pause(slowConnections / 500 + 1)
  return { end: () => stop(child), connections: slowConnections }
}

const ask = path => `GET /${path} HTTP/1.1\r\nHost: h\r\n\r\n`

/** Connections that got one answer each and stay. */
async function idle(server) {
  const sockets = [], before = memory(server)
  let answered = 0
  for (let i = 0; i < idleConnections; i++) {
    const socket = net.connect(server.port, '127.0.0.1')
    socket.once('data', () => { answered++; socket.resume() }).on('error', () => {})
    sockets.push(socket)
    socket.write(ask('page'))
    if (i % 100 === 99) await poll('idle connections to be answered', () => answered >= i)
  }
  await pause(3)  // buffers are given back after a moment
  return { connections: idleConnections, each: (memory(server) - before) / idleConnections,
    end: async () => sockets.forEach(socket => socket.destroy()) }
}

/** New connections at a fixed rate; each sends its bytes and leaves when something comes back. */
const flood = bytes => async server => {
  const open = new Set()
  const timer = setInterval(() => {
    for (let i = 0; i < floodPerSecond / 20; i++) {
      const socket = net.connect(server.port, '127.0.0.1', () => (bytes ? socket.write(bytes) : socket.destroy()))
      open.add(socket)
      socket.on('data', () => socket.destroy()).on('error', () => {}).on('close', () => open.delete(socket))
    }
  }, 50)
  return { connections: floodPerSecond, end: async () => {
    clearInterval(timer)
    for (const socket of open) socket.destroy()
  } }
}

const manyFields = `GET /page HTTP/1.1\r\nHost: h\r\n${'a: b\r\n'.repeat(200)}\r\n`
const manyRanges = `GET /page HTTP/1.1\r\nHost: h\r\nRange: bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-${i + 1}`)}\r\n\r\n`
const attacks = {
  'slow heads': slow('-H', '-i', '2', '-x', '24'),
  'slow bodies': slow('-B', '-i', '2', '-s', '8192', '-x', '24', '-t', 'POST'),
  'ranges': slow('-R', '-a', '1', '-b', '3000'),
  'slow readers': slow('-X', '-w', '512', '-y', '1024', '-n', '2', '-z', '32'),
  'idle': idle,
  'header flood': flood(manyFields),
  'range flood': flood(manyRanges),
  'churn': flood(''),
}

const median = list => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

async function measure(name, server, scenario) {
  const quiet = [], attacked = [], sizes = []
  let attack
  for (let round = 0; round < rounds; round++) {
    quiet.push(await normal(server))
    attack = await attacks[scenario](server)
    attacked.push(await normal(server))
    sizes.push(memory(server))
    await attack.end()
    await poll('the server to be itself again', async () => (await get(server.port, '/page')) === 200)
  }
  const of = (list, key) => median(list.map(one => one[key]))
  return {
    server: name, scenario, connections: attack.connections,
    requests_per_s: of(attacked, 'requests_per_s'), quiet_requests_per_s: of(quiet, 'requests_per_s'),
    p50_ms: of(attacked, 'p50_ms'), quiet_p50_ms: of(quiet, 'p50_ms'),
    p99_ms: of(attacked, 'p99_ms'), quiet_p99_ms: of(quiet, 'p99_ms'),
    errors: attacked.reduce((sum, one) => sum + one.errors, 0),
    rss_mb: median(sizes) / 2 ** 20, ...(attack.each === undefined ? {} : { bytes_per_connection: Math.round(attack.each) }),
  }
}

const columns = [['scenario', 14], ['server', 11], ['connections', 12], ['quiet_p50_ms', 13, 2], ['p50_ms', 8, 2], ['quiet_p99_ms', 13, 2],
  ['p99_ms', 8, 2], ['ratio', 7, 2], ['rss_mb', 8, 0], ['bytes_per_connection', 21, 0]]

function print(row) {
  const full = { ...row, ratio: row.p99_ms / row.quiet_p99_ms }
  console.log(columns.map(([key, width, digits]) => {
    const value = full[key] ?? ''
    return typeof value === 'string' ? value.padEnd(width) : value.toFixed(digits ?? 0).padStart(width)
  }).join(''))
}

async function main() {
  prepare()
  start(0, ['nginx', '-c', `${state}/origin.conf`, '-p', state])
  await poll('the origin', async () => (await get(ports.origin, '/page')) === 200)
  const commands = {
    torchrelay: [ports.edge, ['build/bin/torchrelay-edge', '--config', `${state}/edge.toml`]],
    nginx: [ports.nginx, ['nginx', '-c', `${state}/nginx.conf`, '-p', state]],
  }
  console.log(`nginx configuration:${nginxConfig.replaceAll(state, 'STATE')}\n`)
  console.log(`medians of ${rounds} rounds of ${seconds} s; ${slowConnections} slow connections, floods at ${floodPerSecond} connections a second\n`)
  console.log(columns.map(([key, width, digits]) => (digits === undefined && key !== 'connections' ? key.padEnd(width) : key.padStart(width))).join(''))
  const rows = []
  for (const scenario of Object.keys(attacks).filter(name => name.includes(options.only ?? ''))) {
    for (const [name, [port, command]] of Object.entries(commands)) {
      const server = { port, child: start(0, command) } // a fresh one each time: memory then means something
      for (const path of ['/page', '/film', '/page', '/film']) {
        await poll(name, async () => (await get(port, path)) === 200)
      }
      rows.push(await measure(name, server, scenario))
      print(rows.at(-1))
      await stop(server.child)
    }
  }
  if (options.json) writeFileSync(options.json, JSON.stringify({ rows }, null, 1) + '\n')
}

process.on('SIGINT', async () => { await stopAll(); process.exit(130) })
try {
  await main()
} catch (error) {
  console.error(`bench/attack: ${error.message}`)
  process.exitCode = 1
} finally {
  await stopAll()
}
