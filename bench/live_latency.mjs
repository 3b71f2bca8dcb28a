// How far behind a live channel's viewers are: from a frame's arrival at the listener to its part in the
// playlist at an edge, and from the camera to the screen of a browser.
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { parseArgs } from 'node:util'
import { startCamera } from './live/camera.mjs'
import { nowMs, tapRtmp, tapSrt } from './live/taps.mjs'
import { blocks, readBlocks, strip } from './live/time_code.mjs'
import { startWatching, whatWasSeen } from './live/viewer_page.mjs'
import { percentile } from './measure.mjs'
import { launchBrowser, openPage } from '../tests/support/browser.mjs'
import { get, request } from '../tests/support/http.mjs'
import { openChannel, waitForAir } from '../tests/support/live.mjs'
import { freePorts } from '../tests/support/ports.mjs'
import { startFleet, temporaryFolder } from '../tests/support/torchrelay.mjs'
import { readLiveMedia } from '../tests/tools/live_playlist.mjs'
import { followable, LiveWatch } from '../tests/tools/live_watch.mjs'
import { asLine } from '../tests/tools/validate.mjs'

const help = `bench/live_latency [--quick] [--minutes N] [--protocols rtmp,srt] [--size WxH] [--rungs N] [--part MS] [--srt-latency MS]
                   [--no-browser] [--trace] [--json FILE]

A camera (25 frames a second, each with its number in the picture) is pushed by ffmpeg (x264 zerolatency) to
an origin; a viewer with hls.js in Chromium watches at an edge of two, and all renditions are followed there
by blocking reloads. At the other edge the playlists are held to the rules. One protocol after the other.
  part_p50_ms, part_p99_ms   from a frame's arrival at the listener (a relay in front of it looks into the
               protocol) until the part with this frame is in the edge's playlist, all frames of all
               renditions; what is in a part is read off its pictures. The bar: part + 250 ms
  last_p50_ms, last_p99_ms   the same of the last frame of each part: what is left without the part's own length
  origin_p99_ms              part_p99_ms as seen at the origin: what the edge adds is the rest
  glass_p50_ms, glass_p99_ms from the camera until the frame is on the screen, read off a canvas
  sent_p50_ms  of that, from the camera to the listener: ffmpeg's encoding and muxing, none of ours
  date_p50_ms  what the playlist's EXT-X-PROGRAM-DATE-TIME says of the same: the picture's own delay
               before the channel's clock is not in it
  stalls, stall_ms           times that the picture stood still for 250 ms and more, and for how long
  repeated, missing          frames of the camera that were shown again, or never, in the rendition
  violations   of the rules of live_rules.mjs, each printed; 0 is the bar
  SRT arrives at the relay before libsrt's own buffer (live.srt_latency, 120 ms unless --srt-latency says
  otherwise), which is in the figures.
  --minutes N  of each protocol (default 2), once the viewer has settled; --quick: 15 s, RTMP, 640x360, two renditions
  --trace      the way from camera to screen, second by second
  --json FILE  the same rows for machines`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' }, minutes: { type: 'string' }, protocols: { type: 'string' }, size: { type: 'string' },
    rungs: { type: 'string' }, part: { type: 'string' }, 'srt-latency': { type: 'string' }, json: { type: 'string' }, 'no-browser': { type: 'boolean' }, trace: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const seconds = 60 * Number(options.minutes ?? (options.quick ? 1 / 4 : 2))
const protocols = (options.protocols ?? (options.quick ? 'rtmp' : 'rtmp,srt')).split(',')
const size = options.size ?? (options.quick ? '640x360' : '1280x720')
const rungs = Number(options.rungs ?? (options.quick ? 2 : 4))
const part_ms = Number(options.part ?? 500)
const srt_latency_ms = Number(options['srt-latency'] ?? 120)
const rate = 25
const settle_s = options.quick ? 15 : 40 // of a viewer, who comes to its place by playing faster, before figures count

/** When each part came to be in the playlist at `url`: "12.3.m4s" → ms. */
class Follower {
  listed = new Map()
  segments = new Map()  // complete ones, by number
  #agent = new Agent({ keepAlive: true })
  #stopped = false

  constructor(url) {
    this.url = url
    this.done = this.#follow()
  }

  async #follow() {
    let now = null
    while (!this.#stopped) {
      const query = now ? `?_HLS_msn=${now.next.msn}&_HLS_part=${now.next.part}&_HLS_skip=YES` : ''
      const answer = await request(this.url + query, { agent: this.#agent }).catch(() => null)
      if (answer?.status !== 200) continue
      const at = nowMs()
      const next = readLiveMedia(answer.text)
      for (const { uri } of [...next.segments, next.open].flatMap(({ parts }) => parts)) {
        if (!this.listed.has(uri)) this.listed.set(uri, now ? at : NaN)
      }
      for (const segment of next.segments) {
        if (segment.parts.length > 0 && !segment.gap) this.segments.set(segment.number, segment)
      }
      now = next
    }
  }

  async stop() {
    this.#stopped = true
    await this.done
    this.#agent.destroy()
  }
}

/** Numbers of the camera's frames in each part of a rendition: "12.3.m4s" → [number]. */
async function framesOfParts({ url, segments }) {
  const folder = url.slice(0, url.lastIndexOf('/') + 1)
  const list = [...segments.values()].sort((a, b) => a.number - b.number)
  const pieces = [(await get(`${folder}init.mp4`)).body]
  for (const { uri } of list) pieces.push((await get(folder + uri)).body)
  const decoded = spawnSync('ffmpeg', ['-v', 'error', '-i', 'pipe:0', '-vf',
    `crop=iw:ih*${strip / 3}:0:ih*${strip / 3},scale=${blocks}:1:flags=area,format=gray`, '-vsync', '0', '-f', 'rawvideo', 'pipe:1'],
  { input: Buffer.concat(pieces), maxBuffer: 1 << 28 })
  if (decoded.status !== 0) throw new Error(`ffmpeg failed: ${decoded.stderr}`)
  const numbers = Array.from({ length: decoded.stdout.length / blocks },
    (_, i) => readBlocks(decoded.stdout.subarray(i * blocks, (i + 1) * blocks)))
  const parts = new Map()
  let at = 0
  for (const segment of list) {
    for (const { uri, duration_s } of segment.parts) {
      const count = Math.round(duration_s * rate)
      parts.set(uri, numbers.slice(at, at + count))
      at += count
    }
  }
  if (at !== numbers.length) throw new Error(`${numbers.length} frames came out of ${at}`)
  return parts
}

function delaysOf(parts, followers, arrived, choose) {
  const delays = []
  for (const { listed } of followers) {
    for (const [uri, numbers] of parts) {
      const at = listed.get(uri)
      if (!(at > 0)) continue
      for (const number of choose(numbers)) if (arrived[number]) delays.push(at - arrived[number])
    }
  }
  return delays
}

function judgeParts(parts, followers, at_origin, arrived) {
  const delays = delaysOf(parts, followers, arrived, (numbers) => numbers)
  const last = delaysOf(parts, followers, arrived, (numbers) => numbers.slice(-1))
  const shown = [...parts.values()].flat().filter((number) => number !== null)
  let repeated = 0, missing = 0
  for (let i = 1; i < shown.length; i++) {
    if (shown[i] === shown[i - 1]) repeated += 1
    if (shown[i] > shown[i - 1] + 1) missing += shown[i] - shown[i - 1] - 1
  }
  return { part_p50_ms: percentile(delays, 0.5), part_p99_ms: percentile(delays, 0.99), part_max_ms: percentile(delays, 1),
    last_p50_ms: percentile(last, 0.5), last_p99_ms: percentile(last, 0.99),
    origin_p99_ms: percentile(delaysOf(parts, at_origin, arrived, (numbers) => numbers), 0.99),
    frames: shown.length, repeated, missing }
}

function judgeScreen({ frames, stalls, unread, by_date }, taken) {
  const delays = frames.filter(([number]) => taken[number]).map(([number, ms]) => ms - taken[number])
  if (options.trace) console.log(delays.filter((_, i) => i % 25 === 0).map(Math.round).join(' '))
  return { glass_p50_ms: percentile(delays, 0.5), glass_p99_ms: percentile(delays, 0.99), date_p50_ms: percentile(by_date, 0.5),
    stalls: stalls.length, stall_ms: stalls.reduce((sum, { ms }) => sum + ms, 0), shown: delays.length, unread }
}

async function measure(protocol, fleet, ports, work, browser) {
  const channel = `demo/${protocol}`
  const { ingest } = await openChannel(fleet.origin, channel)
  const tap = protocol === 'rtmp' ? await tapRtmp(ports.rtmp) : await tapSrt(ports.srt)
  const to = protocol === 'rtmp' ? ingest.rtmp.replace(`:${ports.rtmp}`, `:${tap.port}`)
    : `srt://127.0.0.1:${tap.port}?streamid=${encodeURIComponent(`#!::u=demo,r=${protocol},s=${ingest.key}`)}`
  const camera = startCamera(to, { folder: work, size, rate })
  const edge = fleet.edges[1]
  let page, rules
  const followers = [], at_origin = []
  try {
    await waitForAir(edge, channel)
    for (const [server, into] of [[edge, followers], [fleet.origin, at_origin]]) {
      for (const url of Object.values(await followable(server.url, channel))) into.push(new Follower(url))
    }
    rules = await new LiveWatch({ 'edge-1': fleet.edges[0].url }, channel).start()
    if (browser) {
      page = await openPage(browser, `${edge.url}/watch/${channel}`)
      await page.waitForFunction(() => document.querySelector('video').currentTime > 0, null, { timeout: 60_000 })
      await new Promise((wake) => setTimeout(wake, settle_s * 1000))
      await startWatching(page)
    }
    await new Promise((wake) => setTimeout(wake, seconds * 1000))
    const seen = page && await whatWasSeen(page)
    for (const follower of [...followers, ...at_origin]) await follower.stop()
    const findings = await rules.stop()
    for (const finding of findings) console.log(asLine(finding))
    const pictures = followers.filter(({ url }) => !/audio/.test(url))
    const lost = camera.taken.length - tap.arrived.length
    if (Math.abs(lost) > rate) throw new Error(`${camera.taken.length} frames were taken, ${tap.arrived.length} arrived: ${camera.said()}`)
    const parts = await framesOfParts(pictures.at(-1))
    return { protocol, size: size.replace('x', ' x '), renditions: pictures.length, part_ms,
      violations: findings.length, ...judgeParts(parts, followers, at_origin, tap.arrived),
      sent_p50_ms: percentile(tap.arrived.map((at, number) => at - camera.taken[number]), 0.5), ...(seen ? judgeScreen(seen, camera.taken) : {}) }
  } finally {
    await page?.context().close()
    for (const follower of [...followers, ...at_origin]) await follower.stop()
    await rules?.stop()
    await camera.stop()
    tap.stop()
  }
}

async function main() {
  const work = temporaryFolder('bench-latency')
  const [rtmp, srt] = await freePorts(2)
  const fleet = await startFleet(2, { origin: {
    settings: { live: { rtmp: `127.0.0.1:${rtmp}`, srt: `127.0.0.1:${srt}`, part: `${part_ms}ms`, srt_latency: `${srt_latency_ms}ms` } },
    transcoder: { live: { rungs_max: rungs } } } })
  const browser = options['no-browser'] ? null : await launchBrowser()
  const rows = []
  try {
    for (const protocol of protocols) {
      const row = await measure(protocol, fleet, { rtmp, srt }, work, browser)
      rows.push(row)
      console.log(Object.entries(row).map(([key, value]) =>
        `${key}=${typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(1) : value}`).join('  '))
    }
    if (options.json) writeFileSync(options.json, `${JSON.stringify({ rows }, null, 2)}\n`)
  } finally {
    await browser?.close()
    await fleet.cleanUp()
    rmSync(work, { recursive: true, force: true })
  }
}

try {
  await main()
} catch (error) {
  console.error(`bench/live_latency: ${error.message}`)
  process.exitCode = 1
}
