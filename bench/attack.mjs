// What normal clients notice of hostile ones, and what an idle connection costs: the edge beside
// nginx in one run, one server at a time, quiet and under each attack in turn.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median, percentile, touchMemory, usage } from './measure.mjs'

const help = `bench/attack [--quick] [--rounds N] [--seconds S] [--only TEXT] [--json FILE]

Starts an nginx origin, our edge and an nginx proxy_cache in front of it, each with one serving
thread on one core. On the other core bench/steady_load plays the normal clients: 500 requests a
second for hits of 16 KB, on 16 connections that are replaced after 50 answers. Beside it, one
after another:
  slow heads, slow bodies, ranges, slow readers   slowhttptest's modes -H, -B, -R, -X
  idle        10,000 connections that asked once and then say nothing
  header flood, large header flood, range flood, churn   at a fixed rate: heads of 200 fields, a
              field of 31 KB, 1,000 ranges in one request, connections that close at once
Each attack runs between quiet times of the same length, on a server that was started for it.
Columns:
  p50, p99    of the normal clients, in milliseconds, quiet and under attack: of all rounds together, since
              fifteen waits of a round, which are a hundredth, say little
  ratio       p99 under attack to p99 quiet; of all rounds together, and of the single rounds least and most
  rss, growth memory of the server during the attack, and how much it grew since the quiet time, in MiB
  ended, refused   attackers' connections that the server ended, or did not take (slowhttptest's: one number)
  a connection     memory that each idle connection adds, in bytes (its kernel socket not counted)
The attackers share a core with the normal clients, which go first (by real-time priority where that
is allowed, and nice 19): what they cost the server is measured, and a little of what they cost their own
core. "none" runs no attack: how far its ratio is from 1 is the noise. Compare the two servers, and each
with its "none". Where it may make a network of its own, packets are those of Ethernet.
  --quick     one round of half a second and fewer attackers: a look, not a figure to quote
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
const rounds = Number(options.rounds ?? (quick ? 1 : 5))
const seconds = Number(options.seconds ?? (quick ? 0.5 : 4))
const slowConnections = quick ? 100 : 1000
const idleConnections = 10_000  // fewer, and what the first crowd makes the server keep shows in each
const outMax = 2 ** 20  // of what a child says, the end
const load = { perSecond: 500, connections: 16 }

const state = mkdtempSync(join(tmpdir(), 'torchrelay-attack-'))
const ports = { origin: 21200, edge: 21201, admin: 21202, nginx: 21203 }
const running = []
const pinned = availableParallelism() > 1
const on = (core, command) => (pinned ? ['taskset', '-c', core, ...command] : command)
// Attackers yield to everybody; the servers and the normal clients go before the rest of the machine, as far as we may.
const nicely = command => ['nice', '-n', '19', ...command]
const first = command => ['nice', '-n', '-10', ...command]
// The normal clients are the measuring instrument: an answer must not wait for an attacker's turn to end.
const mayBeFirst = spawnSync('chrt', ['-f', '10', 'true']).status === 0
const atOnce = command => (mayBeFirst ? ['chrt', '-f', '10', ...command] : first(command))

function fail(sentence) {
  throw new Error(sentence)
}

function start(core, command) {
  const [program, ...args] = on(core, command)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  child.out = ''
  child.stdout.on('data', piece => { child.out = (child.out + piece).slice(-outMax) })
  child.once('exit', (code, signal) => { child.ended = `${command.join(' ')} ended by itself with ${code ?? signal}` })
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
  for (const tool of ['nginx', 'taskset', 'slowhttptest', 'ss']) {
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
  if (child.ended) fail(child.ended)
  return usage(child.pid).rss_bytes
}

/** Normal clients for some seconds; resolves with what they saw. */
async function normal(server) {
  const child = start(1, atOnce(['build/bench/steady_load', server.port, '/page', load.perSecond, seconds, load.connections].map(String)))
  await new Promise(resolve => child.once('close', resolve))
  running.splice(running.indexOf(child), 1)
  return JSON.parse(child.out)
}

/** How many connections to the server stand, seen from the clients. */
const established = ({ port }) =>
  spawnSync('ss', ['-Htn', 'state', 'established', `dport = :${port}`], { encoding: 'utf8' }).stdout.split('\n').length - 1

/** slowhttptest in one mode until it is stopped. */
const slow = (...mode) => async server => {
  const child = start(1, nicely(['slowhttptest', ...mode, '-c', `${slowConnections}`, '-r', '500', '-l', '600', '-p', '5',
    '-u', `http://127.0.0.1:${server.port}/${mode[0] === '-X' ? 'film' : 'page'}`]))
  await pause(slowConnections / 500 + 0.5)
  return { end: async () => {
    const left = established(server)
    await stop(child)
    return { opened: slowConnections, ended: Math.max(0, slowConnections - left) }
  } }
}

/** One of bench/attackers.mjs. */
const attackers = mode => async server => {
  const child = start(1, nicely([process.execPath, 'bench/attackers.mjs', mode, `${server.port}`, `${idleConnections}`]))
  await poll(`the attack "${mode}"`, () => child.out.includes('ready'), 120)
  if (mode === 'idle') await pause(10)  // what a busy connection needs is given back after some seconds
  return { end: async () => {
    await stop(child)
    return JSON.parse(child.out.trim().split('\n').at(-1))
  } }
}

const attacks = {
  'none': async () => ({ end: async () => ({ opened: 0, refused: 0, ended: 0 }) }),
  'slow heads': slow('-H', '-i', '2', '-x', '24'),
  'slow bodies': slow('-B', '-i', '2', '-s', '8192', '-x', '24', '-t', 'POST'),
  'ranges': slow('-R', '-a', '1', '-b', '3000'),
  'slow readers': slow('-X', '-w', '512', '-y', '1024', '-n', '2', '-z', '32'),
  ...Object.fromEntries(['idle', 'header flood', 'large header flood', 'range flood', 'churn'].map(mode => [mode, attackers(mode)])),
}


async function measure(name, server, scenario) {
  const quiet = [], attacked = [], sizes = [], growths = [], told = []
  for (let round = 0; round < rounds; round++) {
    quiet.push(await normal(server))
    const before = memory(server)
    const attack = await attacks[scenario](server)
    attacked.push(await normal(server))
    sizes.push(memory(server))
    growths.push(memory(server) - before)
    told.push(await attack.end())
    await poll('the server to be itself again', async () => (await get(server.port, '/page')) === 200)
  }
  const of = (list, key) => median(list.map(one => one[key]))
  const waits = list => list.flatMap(one => one.waits_us)
  const ratio = (attacked, quiet) => percentile(waits(attacked), 0.99) / percentile(waits(quiet), 0.99)
  const ratios = attacked.map((one, round) => ratio([one], [quiet[round]]))
  const ms = (list, part) => percentile(waits(list), part) / 1000
  return {
    server: name, scenario, connections: of(told, 'opened'), refused: told[0].refused === undefined ? undefined : of(told, 'refused'), ended: of(told, 'ended'),
    quiet_p50_ms: ms(quiet, 0.5), p50_ms: ms(attacked, 0.5), quiet_p99_ms: ms(quiet, 0.99), p99_ms: ms(attacked, 0.99),
    p99_ratio: ratio(attacked, quiet), p99_ratio_min: Math.min(...ratios), p99_ratio_max: Math.max(...ratios),
    errors: [...quiet, ...attacked].reduce((sum, one) => sum + one.errors, 0),
    // Of the first round: the memory of later ones was there already.
    rss_mb: median(sizes) / 2 ** 20, growth_mb: growths[0] / 2 ** 20,
    ...(scenario === 'idle' ? { bytes_per_connection: Math.round(growths[0] / told[0].opened) } : {}),
  }
}

const columns = [['scenario', 20], ['server', 11], ['quiet_p50_ms', 13, 2], ['p50_ms', 7, 2], ['quiet_p99_ms', 13, 2], ['p99_ms', 7, 2],
  ['p99_ratio', 10, 2], ['p99_ratio_min', 14, 2], ['p99_ratio_max', 14, 2], ['errors', 7, 0], ['rss_mb', 7, 0], ['growth_mb', 10, 1],
  ['connections', 12, 0], ['ended', 7, 0], ['refused', 8, 0], ['bytes_per_connection', 21, 0]]

function print(row) {
  console.log(columns.map(([key, width, digits]) => {
    const value = row[key] ?? ''
    return typeof value === 'string' ? value.padEnd(width) : value.toFixed(digits ?? 0).padStart(width)
  }).join(''))
}

async function main() {
  prepare()
  if (!quick) touchMemory()
  start(0, ['nginx', '-c', `${state}/origin.conf`, '-p', state])
  await poll('the origin', async () => (await get(ports.origin, '/page')) === 200)
  const commands = {
    torchrelay: [ports.edge, ['build/bin/torchrelay-edge', '--config', `${state}/edge.toml`]],
    nginx: [ports.nginx, ['nginx', '-c', `${state}/nginx.conf`, '-p', state]],
  }
  console.log(`nginx configuration:${nginxConfig.replaceAll(state, 'STATE')}\n`)
  console.log(`${rounds} rounds of ${seconds} s; ${slowConnections} slow connections\n`)
  console.log(columns.map(([key, width, digits]) => (digits === undefined ? key.padEnd(width) : key.padStart(width))).join(''))
  const rows = []
  for (const scenario of Object.keys(attacks).filter(name => name.includes(options.only ?? ''))) {
    for (const [name, [port, command]] of Object.entries(commands)) {
      const server = { port, child: start(0, first(command)) } // a fresh one each time: memory then means something
      // The film passed through memory, too: what an idle connection adds must not vanish in that.
      const paths = scenario === 'slow readers' ? ['/page', '/film'] : ['/page']
      for (const path of [...paths, ...paths]) {
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
