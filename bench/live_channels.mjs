// How many live channels of which ladder this machine encodes, and how soon their parts come out:
// transcoder processes alone, fed as the origin feeds them.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { percentile, usage } from './measure.mjs'
import { temporaryFolder } from '../tests/support/torchrelay.mjs'
import { programs } from '../tests/support/program.mjs'

const help = `bench/live_channels [--quick] [--seconds S] [--channels N,N…] [--rungs N] [--json FILE]

For each source (made by ffmpeg, sent as FLV in its own time) and number of channels at once, in
turn: starts that many transcoder processes, feeds them and takes their parts as an origin does.
  cores        CPU that all transcoders used together
  part_p50_ms, part_p99_ms   from the moment at which a part of the picture is over on the channel
               clock until its last byte came out; the clock itself runs delay_ms behind arrival
  delay_ms     from a picture's arrival to its moment on the clock
  shed         renditions that were left out because the machine could not keep up, all channels
  rss_mb       the largest process
  --quick      720p only, 1 and 2 channels for 12 s (default: 720p, 1080p; 1, 2, 3, 4, 6 for 30 s)
  --json FILE  the same rows for machines`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' }, seconds: { type: 'string' }, channels: { type: 'string' },
    rungs: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const seconds = Number(options.seconds ?? (options.quick ? 12 : 30))
const counts = (options.channels ?? (options.quick ? '1,2' : '1,2,3,4,6')).split(',').map(Number)
const rungs = Number(options.rungs ?? 4)
const sources = options.quick ? ['1280x720'] : ['1280x720', '1920x1080']
const work = temporaryFolder('bench-live')

function makeFeed(size) {
  const file = join(work, `${size}.flv`)
  const done = spawnSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25`,
    '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-vf', 'noise=alls=5:allf=t',
    '-t', String(seconds), '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '6M', '-maxrate', '7M',
    '-bufsize', '7M', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac', file], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`ffmpeg failed: ${done.stderr ?? done.error}`)
  const bytes = readFileSync(file)
  const tags = [{ time_ms: 0, bytes: bytes.subarray(0, 13) }]
  for (let at = 13; at + 11 < bytes.length;) {
    const length = 11 + bytes.readUIntBE(at + 1, 3) + 4
    const time_ms = bytes.readUIntBE(at + 4, 3) + bytes[at + 7] * 2 ** 24
    tags.push({ time_ms, bytes: bytes.subarray(at, at + length) })
    at += length
  }
  return tags
}

/** A frame of common/media/feed.hpp. */
function frame(kind, format, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(8)
  head[1] = kind
  head.writeUInt16BE(format, 2)
  head.writeUInt32BE(payload.length, 4)
  return Buffer.concat([head, payload])
}

class Channel {
  lateness_ms = []
  statuses = []
  shed = new Set()

  constructor(number, config) {
    this.epoch_ms = Date.now() - 3_600_000
    this.process = spawn(join(programs, 'torchrelay-transcoder'), ['--config', config],
      { stdio: ['pipe', 'ignore', 'ignore', 'pipe', 'pipe'] })
    this.ended = new Promise(resolve => this.process.on('exit', resolve))
    this.process.stdin.end(JSON.stringify({ kind: 'live', tenant: 'bench', asset: `c${number}`,
      version: 'v1', live: { channel: { epoch_ms: this.epoch_ms } } }))
    this.feed = this.process.stdio[3]
    this.origin = this.process.stdio[4]
    this.received = Buffer.alloc(0)
    this.origin.on('data', bytes => this.take(bytes))
    for (const stream of [this.feed, this.origin]) stream.on('error', () => {})
  }

  async play(tags) {
    this.feed.write(frame(1, 1))
    const begin = performance.now()
    for (const { time_ms, bytes } of tags) {
      const wait_ms = begin + time_ms - performance.now()
      if (wait_ms > 1) await new Promise(resolve => setTimeout(resolve, wait_ms))
      this.feed.write(frame(2, 0, bytes))
    }
    this.used = usage(this.process.pid)
    this.feed.end(frame(3, 0))
    await this.ended
  }

  take(bytes) {
    this.received = Buffer.concat([this.received, bytes])
    for (;;) {
      const head_end = this.received.indexOf('\r\n\r\n')
      if (head_end < 0) return
      const head = this.received.subarray(0, head_end).toString()
      const end = head_end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (this.received.length < end) return
      this.judge(head.split(' ')[1], this.received.subarray(head_end + 4, end))
      this.received = this.received.subarray(end)
      this.origin.write('HTTP/1.1 204 No Content\r\n\r\n')
    }
  }

  judge(target, body) {
    if (target === '/live/setup') this.setup = JSON.parse(body)
    if (target === '/live/status') this.statuses.push(JSON.parse(body))
    const part = /^\/live\/v[^/]*\/(\d+)\.(\d+)\.m4s/.exec(target)
    if (!part) return
    const { group_frames, parts_per_group, segment_frames, rate_numerator, rate_denominator } = this.setup
    const next = Number(part[2]) + 1
    const end_frame = Number(part[1]) * segment_frames + Math.floor(next / parts_per_group) * group_frames +
      Math.ceil((next % parts_per_group) * group_frames / parts_per_group)
    this.lateness_ms.push(Date.now() - this.epoch_ms - end_frame * 1000 * rate_denominator / rate_numerator)
  }
}

async function measure(size, tags, count, config) {
  const begin = performance.now()
  const channels = Array.from({ length: count }, (_, i) => new Channel(i, config))
  await Promise.all(channels.map(channel => channel.play(tags)))
  const wall_s = (performance.now() - begin) / 1000
  const lateness = channels.flatMap(channel => channel.lateness_ms)
  const settled = channels.flatMap(channel => channel.statuses.slice(2))
  return {
    source: `${size}p25`.replace(/^\d+x/, ''), channels: count,
    ladder: channels[0].setup?.renditions.map(({ name }) => name).join(' ') ?? '',
    cores: channels.reduce((sum, { used }) => sum + used.cpu_s, 0) / wall_s,
    part_p50_ms: Math.round(percentile(lateness, 0.5)), part_p99_ms: Math.round(percentile(lateness, 0.99)),
    delay_ms: percentile(settled.map(({ slots }) => slots[0].delay_ms), 0.5),
    dropped_frames: channels.reduce((sum, { statuses }) => sum + statuses.at(-1).slots[0].dropped_frames, 0),
    shed: channels.reduce((sum, { statuses }) => sum + new Set(statuses.flatMap(({ shed }) => shed)).size, 0),
    rss_mb: Math.round(Math.max(...channels.map(({ used }) => used.rss_bytes)) / 2 ** 20),
  }
}

const config = join(work, 'transcoder.toml')
writeFileSync(config, `[live]\nrungs_max = ${rungs}\n`)
const rows = []
for (const size of sources) {
  const tags = makeFeed(size)
  for (const count of counts) {
    const row = await measure(size, tags, count, config)
    rows.push(row)
    console.log(Object.entries(row).map(([key, value]) =>
      `${key}=${typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : value}`).join('  '))
  }
}
rmSync(work, { recursive: true, force: true })
if (options.json) writeFileSync(options.json, `${JSON.stringify({ rows }, null, 2)}\n`)
