// The edge beside nginx, Varnish and Apache Traffic Server on the same bytes, in one run, interleaved:
// what a hit and a miss cost the server in CPU time, what clients see, and how soon a restarted one
// serves what it had. DESIGN section 5 says how we measure and why.
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median, touchMemory, usage } from './measure.mjs'
import { originConfig, rivals } from './rivals.mjs'

const help = `bench/compare [--quick] [--rounds N] [--seconds S] [--only "hit 1MB"] [--servers a,b] [--json FILE]

Starts an nginx origin and, in front of it, our edge, nginx's proxy_cache, Varnish and Apache Traffic
Server, each with one serving thread, pinned to one core with the load generator (wrk) on another.
For each scenario it runs all servers in turn, A B C D A B C D, and prints medians (least to most) of:
  req/s        requests answered in a second (the client's core is a limit too: compare ratios)
  us/request   server CPU time (user and system) a request, in microseconds
  s/GB         server CPU seconds a gigabyte (10^9 bytes) of bodies
  p50, p99     latency in milliseconds, as wrk saw it
  rss          the server's resident memory at the end, in MiB; files that it maps count
  kept         of what it missed, what it has now: a sample of 100 asked for again (least-most)
As root it runs in a network namespace of its own with cubic: with BBR the kernel charges the work of
its pacing timers to whichever process runs at that moment.
Hits ask for one URL; misses ask for a new URL each time, which the server fetches and stores.
"start" fills each server with objects of 1 KB, stops it and the origin, starts it again and measures
until it serves one of them.
  --quick      two rounds of a second: a look, not a figure to quote
  --only TEXT  scenarios whose name has this in it, such as "hit 1MB" or "start"
  --servers L  only these of torchrelay,nginx,varnish,ats; those that are not installed are left out
  --json FILE  the same rows for machines`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' }, rounds: { type: 'string' }, seconds: { type: 'string' }, only: { type: 'string' },
    servers: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean' },
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
  ...Object.keys(sizes).map(size => ({ scenario: 'hit', size, connections: 64 })),
  ...['1KB', '64KB', '1MB'].map(size => ({ scenario: 'hit', size, connections: 2000 })),  // 4MB: 8 GB at once
  ...Object.keys(sizes).flatMap(size => [8, 64].map(connections => ({ scenario: 'miss', size, connections }))),
].filter(({ scenario, size }) => `${scenario} ${size}`.includes(options.only ?? ''))

const state = mkdtempSync(join(tmpdir(), 'torchrelay-compare-'))
const ports = { origin: 21100, torchrelay: 21101, nginx: 21102, varnish: 21103, ats: 21104 }
const objects_at_start = options.quick ? 10_000 : 100_000
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
      let text = ''  // its beginning
      answer.on('data', piece => { hash.update(piece); if (text.length < 1000) text += piece.toString('latin1') })
      answer.on('end', () => resolve({ status: answer.statusCode, digest: hash.digest('hex'), text }))
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

const there = tool => existsSync(tool) || spawnSync('which', [tool]).status === 0

/** Names of the servers to compare; says which are left out. */
function chosenServers() {
  const wanted = options.servers?.split(',') ?? Object.keys(rivals)
  for (const name of wanted) if (!rivals[name]) fail(`unknown server '${name}'; allowed: ${Object.keys(rivals).join(', ')}`)
  const missing = wanted.filter(name => !rivals[name].needs.every(there))
  if (missing.length > 0) console.log(`left out, for it is not installed: ${missing.join(', ')}`)
  return wanted.filter(name => !missing.includes(name))
}

const startOrigin = () => start('nginx', ['-c', `${state}/origin.conf`, '-p', state])
const startServer = name => start(...rivals[name].prepare(state, ports[name], ports.origin))

async function stop(child) {
  running.splice(running.indexOf(child), 1)
  const exit = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  await exit
}

function prepare() {
  for (const tool of ['nginx', 'wrk', 'taskset']) {
    if (!there(tool)) fail(`${tool} is missing; packages.txt names what is needed`)
  }
  if (!existsSync('build/bin/torchrelay-edge')) fail('build/bin/torchrelay-edge is missing; ./run or ./test builds it')
  chmodSync(state, 0o755) // nginx's workers are another user
  mkdirSync(`${state}/www`, { recursive: true })
  for (const [name, bytes] of Object.entries(sizes)) writeFileSync(`${state}/www/${name}`, randomBytes(bytes))
  writeFileSync(`${state}/origin.conf`, originConfig(state, ports.origin))
  // Each request of a miss run asks for a URL that nobody asked for before.
  writeFileSync(`${state}/miss.lua`, `
local size, run, n = nil, nil, 0
function init(args) size, run = args[1], args[2] end
function request() n = n + 1; return wrk.format("GET", "/miss/" .. size .. "/" .. run .. "-" .. n) end`)
}

let missRun = 0
function load(port, { scenario, size, connections }, run) {
  const miss = scenario === 'miss'
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency']
  if (miss) args.push('-s', `${state}/miss.lua`)
  args.push(`http://127.0.0.1:${port}/${size}`)
  if (miss) args.push('--', size, run)
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

const askedOfOrigin = async () => Number(/(\d+) (\d+) (\d+)/.exec((await get(ports.origin, '/status')).text)[3])

/** Which part of a run's answers the server has kept: a proxy that only passes on is cheap. */
async function keptOf(port, { size }, run, requests) {
  const sample = Math.min(100, requests - 1)
  const before = await askedOfOrigin()
  for (let i = 0; i < sample; i++) {  // wrk makes one request that it never sends, the first
    await get(port, `/miss/${size}/${run}-${2 + Math.floor(i * (requests - 1) / sample)}`).catch(() => {})
  }
  // What the load had asked for last may reach the origin only now.
  return Math.max(0, 1 - (await askedOfOrigin() - before - 1) / sample)
}

async function measure(server, scenario) {
  const run = `${process.pid}-${missRun++}`
  const before = usage(server.child.pid)
  const seen = load(server.port, scenario, run)
  const after = usage(server.child.pid)
  const cpu_s = after.cpu_s - before.cpu_s
  return {
    ...seen, rss_mb: after.rss_bytes / 2 ** 20,
    cpu_us_per_request: cpu_s * 1e6 / seen.requests,
    cpu_s_per_gb: cpu_s * 1e9 / (seen.requests * sizes[scenario.size]),
    kept: scenario.scenario === 'miss' ? await keptOf(server.port, scenario, run, seen.requests) : undefined,
  }
}

function summarise(server, scenario, samples) {
  const row = { server, ...scenario }
  for (const key of ['requests_per_s', 'cpu_us_per_request', 'cpu_s_per_gb', 'p50_ms', 'p99_ms', 'rss_mb', 'kept']) {
    if (samples[0][key] === undefined) continue
    const values = samples.map(sample => sample[key])
    row[key] = median(values)
    row[`${key}_range`] = [Math.min(...values), Math.max(...values)]
  }
  return row
}

function print(row) {
  const number = (value, digits) => value.toFixed(digits).padStart(9)
  const span = ([least, most], digits) => `(${least.toFixed(digits)}-${most.toFixed(digits)})`.padEnd(18)
  const what = `${row.scenario} ${row.size} x${row.connections}`
  console.log(`${what.padEnd(20)}${row.server.padEnd(11)}` +
    `${number(row.requests_per_s, 0)}${number(row.cpu_us_per_request, 1)} ${span(row.cpu_us_per_request_range, 1)}` +
    `${number(row.cpu_s_per_gb, 3)} ${span(row.cpu_s_per_gb_range, 3)}` +
    `${number(row.p50_ms, 2)}${number(row.p99_ms, 2)}${number(row.rss_mb, 0)}` +
    (row.kept === undefined ? '' : `${number(row.kept, 2)} ${span(row.kept_range, 2)}`.trimEnd()))
}

const row_head = `${'what'.padEnd(20)}${'server'.padEnd(11)}${'req/s'.padStart(9)}${'us/request'.padStart(10)}` +
  `${''.padEnd(18)}${'s/GB'.padStart(9)}${''.padEnd(19)}${'p50 ms'.padStart(9)}${'p99 ms'.padStart(9)}${'rss MiB'.padStart(9)}${'kept'.padStart(9)}`

/** The same bytes from all, also from the cache, or the figures mean nothing. */
async function checkBytes(servers) {
  for (const size of Object.keys(sizes)) {
    const wanted = (await get(ports.origin, `/${size}`)).digest
    for (const name of Object.keys(servers)) {
      for (let i = 0; i < 3; i++) {
        if ((await get(ports[name], `/${size}`)).digest !== wanted) fail(`${name} gave wrong bytes for ${size}`)
      }
    }
  }
}

/** Seconds from its start until it serves an object that it held before, with no origin behind it. */
async function restart(name, servers) {
  const filled = spawnSync('wrk', ['-t1', '-c16', '-d60s', '-s', `${state}/fill.lua`, `http://127.0.0.1:${ports[name]}/`, '--', `${objects_at_start}`])
  if (filled.status !== 0) fail(`wrk could not fill ${name}`)
  const path = `/miss/1KB/start-${objects_at_start - 1}`
  await get(ports[name], path)
  await stop(servers[name].child)
  await stop(servers.origin)
  const begun = performance.now()
  servers[name].child = startServer(name)
  let seconds = null
  while (seconds === null && performance.now() - begun < 20_000) {
    const answer = await get(ports[name], path).catch(() => null)
    if (answer?.status === 200) seconds = (performance.now() - begun) / 1000
    else await new Promise(resolve => setTimeout(resolve, 2))
  }
  servers.origin = startOrigin()
  return seconds
}

async function compareStarts(names, servers, rows) {
  writeFileSync(`${state}/fill.lua`, `
local n, most = -1, 0
function init(args) most = tonumber(args[1]) end
function request() n = n + 1; return wrk.format("GET", "/miss/1KB/start-" .. n % most) end
function response() if n > most + 64 then wrk.thread:stop() end end`)
  for (const name of names) {
    const first_hit_s = await restart(name, servers)
    rows.push({ server: name, scenario: 'start', size: '1KB', objects: objects_at_start, first_hit_s })
    console.log(`start, ${objects_at_start} objects of 1KB   ${name.padEnd(11)} ` +
      (first_hit_s === null ? 'serves none of them again' : `first hit after ${first_hit_s.toFixed(3)} s`))
  }
}

async function compareScenario(scenario, names, servers, rows) {
  const samples = Object.fromEntries(names.map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) samples[name].push(await measure(servers[name], scenario))
  }
  const these = names.map(name => summarise(name, scenario, samples[name]))
  these.forEach(print)
  const [ours, ...others] = these
  const ratio = other => `${(ours.cpu_us_per_request / other.cpu_us_per_request).toFixed(2)} of ${other.server}'s`
  if (others.length > 0) console.log(`${''.padEnd(20)}CPU a request: ${others.map(ratio).join(', ')}`)
  rows.push(...these)
}

async function main() {
  prepare()
  const names = chosenServers()
  const servers = { origin: startOrigin() }
  await poll('the origin', async () => (await get(ports.origin, '/1KB')).status === 200)
  for (const name of names) servers[name] = { port: ports[name], child: startServer(name) }
  for (const name of names) await poll(name, async () => (await get(ports[name], '/1KB')).status === 200)
  await checkBytes(Object.fromEntries(names.map(name => [name, servers[name]])))
  for (const name of names) console.log(`--- ${name}:${rivals[name].shown}\n`)
  const control = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
  console.log(`TCP congestion control of all servers: ${control}` +
    (control === 'bbr' ? '; its timers are charged to whoever runs, so CPU figures are not to be trusted' : ''))
  console.log(`medians of ${rounds} rounds of ${seconds} s (least-most)\n`)
  if (!options.quick && scenarios.some(({ scenario }) => scenario === 'miss')) touchMemory()
  const rows = []
  if (scenarios.length > 0) console.log(row_head)
  for (const scenario of scenarios) await compareScenario(scenario, names, servers, rows)
  if ('start'.includes(options.only ?? '')) await compareStarts(names, servers, rows)
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
