// A live channel for an hour: two publishers, viewers, a fault now and then. Is everything flat?
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { median } from './measure.mjs'
import { transcodersOf } from '../tests/support/jobs.mjs'
import { openChannel, publish, waitForAir } from '../tests/support/live.mjs'
import { freePorts } from '../tests/support/ports.mjs'
import { startFleet } from '../tests/support/torchrelay.mjs'
import { LiveWatch } from '../tests/tools/live_watch.mjs'
import { asLine } from '../tests/tools/validate.mjs'

const help = `bench/soak [--quick] [--minutes N] [--size WxH] [--rungs N] [--dvr SECONDS] [--viewers N] [--no-faults] [--json FILE]

One origin, two edges, a channel that two ffmpeg publish to (primary and backup), and --viewers who follow every
rendition at the origin and both edges, fetch every part and check every rule of low-latency HLS. A fault
every two minutes, in turn: the publisher on air is killed and comes back, the transcoder is killed, an edge
is killed and comes back, the origin is killed and comes back, as do its publishers. Every ten seconds:
  rss_mb, descriptors   of each program (origin, edges, transcoder); one that was started anew goes on in the same row
  delay_ms              from the end of the newest part, by its date, until a viewer at edge 2 had it listed
  store_mb, cache_mb    what the origin's folder and the edges' caches take on disk
Then, of each: begin (behind the first quarter) and end, medians of a twentieth of the time; the median of the
second and of the last quarter, the slope an hour by least squares, and whether it is flat: the last quarter is not above the second by more than 10 % and a small step (8 MB, 8
descriptors, 50 ms). The first quarter is warm-up: windows and caches fill. Findings of the rules are printed, and last
a line to be quoted, with begin → end of all.
  --minutes N   (default 60), --dvr (default a tenth of that, so that the window slides), --quick: 1 minute
  --json FILE   the same rows for machines`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' }, minutes: { type: 'string' }, size: { type: 'string' }, rungs: { type: 'string' },
    dvr: { type: 'string' }, viewers: { type: 'string' }, 'no-faults': { type: 'boolean' }, json: { type: 'string' },
    help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const minutes = Number(options.minutes ?? (options.quick ? 1 : 60))
const size = options.size ?? '640x360'
const dvr_s = Number(options.dvr ?? Math.max(30, Math.round(minutes * 6)))
const viewers = Number(options.viewers ?? 3)
const sample_ms = minutes < 5 ? 2000 : 10_000
const fault_ms = minutes < 5 ? 12_000 : 120_000
const channel = 'demo/soak'
const edge_cache_size = '64MiB' // it is full soon: then it must stay as it is
const steps = { mb: 8, descriptors: 8, ms: 50 }

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms))

function lookAt(pid) {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    return { rss_mb: pages * 4096 / 2 ** 20, descriptors: readdirSync(`/proc/${pid}/fd`).length }
  } catch {
    return null // it is being started
  }
}

const diskMb = (...folders) => folders.reduce((sum, folder) =>
  // A file that goes meanwhile makes it fail, with a sum all the same.
  sum + Number(spawnSync('du', ['-sk', folder], { encoding: 'utf8' }).stdout.split('\t')[0]) / 1024, 0)

/** Slope by least squares, a unit of x. */
function slopeOf(points) {
  const n = points.length
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / n
  const [mx, my] = [mean(([x]) => x), mean(([, y]) => y)]
  const over = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0)
  return over / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0)
}

function judge(what, samples) {
  const at = (i) => Math.floor(i * samples.length / 4)
  const quarter = (i) => median(samples.slice(at(i), at(i + 1)).map(([, y]) => y))
  const [second, last] = [quarter(1), quarter(3)]
  const values = samples.map(([, y]) => y)
  const some = Math.ceil(samples.length / 20)
  const unit = what.split('_').at(-1)
  return { what, begin: median(values.slice(at(1), at(1) + some)), end: median(values.slice(-some)), second_quarter: second, last_quarter: last, least: Math.min(...values),
    most: Math.max(...values), slope_per_hour: slopeOf(samples.slice(Math.floor(samples.length / 4))),
    flat: last <= second * 1.1 + steps[unit] }
}

class Soak {
  samples = {} // what → [[hours, value]]
  publishers = {}
  faults = 0

  async start() {
    const [rtmp] = await freePorts(1)
    this.fleet = await startFleet(2, { origin: {
      settings: { live: { rtmp: `127.0.0.1:${rtmp}`, srt: '', dvr: `${dvr_s}s` } },
      transcoder: { live: { rungs_max: Number(options.rungs ?? 2) } } }, edge: { size: edge_cache_size } })
    this.ingest = (await openChannel(this.fleet.origin, channel)).ingest
    for (const slot of ['primary', 'backup']) this.push(slot)
    await waitForAir(this.fleet.edges[1], channel)
    this.watches = []
    const servers = { origin: this.fleet.origin.url, 'edge-1': this.fleet.edges[0].url, 'edge-2': this.fleet.edges[1].url }
    for (let i = 0; i < viewers; i++) this.watches.push(await new LiveWatch(servers, channel).start())
    this.begun = performance.now()
  }

  push(slot) {
    this.publishers[slot] = publish(slot === 'primary' ? this.ingest.rtmp : `${this.ingest.rtmp}&slot=${slot}`, { size, group: 50 })
  }

  note(what, value) {
    if (!Number.isFinite(value)) return
    (this.samples[what] ??= []).push([(performance.now() - this.begun) / 3_600_000, value])
  }

  sample() {
    const { origin, edges } = this.fleet
    const programs = { origin: origin.pid, edge_1: edges[0].pid, edge_2: edges[1].pid, transcoder: transcodersOf(origin.pid)[0] }
    for (const [name, pid] of Object.entries(programs)) {
      const now = lookAt(pid)
      for (const [what, value] of Object.entries(now ?? {})) this.note(`${name}_${what}`, value)
    }
    this.note('store_mb', diskMb(origin.folder))
    this.note('cache_mb', diskMb(...edges.map(({ folder }) => folder)))
    const line = this.watches[0].lines.find(({ server, name }) => server === 'edge-2' && name !== 'audio')
    this.note('delay_ms', line?.delays_ms(0).at(-1))
    for (const watch of this.watches) watch.forget(performance.now() - 60_000)
  }

  async fault() {
    const kinds = [this.killPublisher, this.killTranscoder, this.killEdge, this.killOrigin]
    await kinds[this.faults++ % kinds.length].call(this)
  }

  async killPublisher() {
    await this.publishers.primary.stop()
    await pause(5000)
    this.push('primary')
  }

  async killTranscoder() {
    const [pid] = transcodersOf(this.fleet.origin.pid)
    if (pid) process.kill(pid, 'SIGKILL')
  }

  async killEdge() {
    this.fleet.edges[0] = await this.killed('edge-1', this.fleet.edges[0])
  }

  async killOrigin() {
    this.fleet.origin = await this.killed('origin', this.fleet.origin)
    for (const slot of Object.keys(this.publishers)) {
      await this.publishers[slot].stop()
      this.push(slot)
    }
  }

  /** Kills a program; what stands in its place. */
  async killed(name, program) {
    for (const watch of this.watches) watch.down(name)
    program.kill()
    await program.exited
    const again = await program.restart()
    for (const watch of this.watches) watch.up(name)
    return again
  }

  async run() {
    const end = this.begun + minutes * 60_000
    let next_fault = this.begun + fault_ms
    while (performance.now() < end) {
      await pause(sample_ms)
      this.sample()
      if (options['no-faults'] || performance.now() < next_fault) continue
      next_fault += fault_ms
      await this.fault()
    }
  }

  async stop() {
    for (const publisher of Object.values(this.publishers)) await publisher.stop()
    for (const watch of this.watches ?? []) await watch.stop()
    await this.fleet?.cleanUp()
  }
}

function print(rows) {
  const text = (value) => (typeof value === 'number' ? value.toFixed(1) : String(value)).padStart(16)
  const titles = ['begin', 'end', 'second quarter', 'last quarter', 'least', 'most', 'slope an hour', 'flat']
  console.log('what'.padEnd(24) + titles.map(text).join(''))
  for (const { what, ...rest } of rows) console.log(what.padEnd(24) + Object.values(rest).map(text).join(''))
}

/** "origin 41 → 42 MB, 60 → 60 descriptors; …": a line to be quoted. */
function quoted(rows) {
  const units = { mb: 'MB', ms: 'ms', descriptors: 'descriptors' }
  const of = new Map()
  for (const { what, begin, end } of rows) {
    const [, name, unit] = /^(.*?)_(?:rss_)?(mb|ms|descriptors)$/.exec(what)
    of.set(name, [...(of.get(name) ?? []), `${Math.round(begin)} → ${Math.round(end)} ${units[unit]}`])
  }
  return [...of].map(([name, figures]) => `${name.replace('_', ' ')} ${figures.join(', ')}`).join('; ')
}

const soak = new Soak()
try {
  await soak.start()
  await soak.run()
  const rows = Object.entries(soak.samples).map(([what, samples]) => judge(what, samples))
  const found = soak.watches.flatMap((watch) => watch.findings)
  const findings = [...new Set(found.map(({ rule }) => rule))].map((rule) => {
    const list = found.filter((one) => one.rule === rule)
    return { rule, times: list.length, first: asLine(list[0]) }
  })
  const counts = JSON.stringify(soak.watches[0].counts)
  console.log(`${minutes} minutes, ${soak.faults} faults, ${size}, window ${dvr_s} s, each viewer ${counts}\n`)
  print(rows)
  console.log(`\n${found.length} findings of the rules`)
  for (const { times, first } of findings) console.log(`  ${times} like ${first}`)
  console.log(`\n${minutes} minutes, ${soak.faults} faults, ${found.length} findings: ${quoted(rows)}`)
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ rows, findings }, null, 1)}\n`)
} catch (error) {
  console.error(`bench/soak: ${error.message}`)
  process.exitCode = 1
} finally {
  await soak.stop()
}
