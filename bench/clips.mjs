// How soon a clip is playable: from its PUT to the answer, and until the first segment of its last rendition
// has come through an edge.
import { writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { parseArgs } from 'node:util'
import { percentile } from './measure.mjs'
import { authorize, upload, waitForState } from '../tests/support/broadcaster.mjs'
import { get, request } from '../tests/support/http.mjs'
import { fetchLive, followLive, openChannel, publishTs, quickGrid, readLive, waitForAir } from '../tests/support/live.mjs'
import { clip } from '../tests/support/media.mjs'
import { startFleet } from '../tests/support/torchrelay.mjs'

const bar_ms = 50

const help = `bench/clips [--quick] [--clips N] [--size WxH] [--cold] [--json FILE]

A video is uploaded to an origin, a channel is pushed to it by ffmpeg, and clips of both are made one after
another, each from another moment on, behind an origin with one edge. Rows:
  video             of a video
  channel           of a live channel's window, all of it made
  channel, growing  the same with an end behind the segment at hand: its playlists grow to it
Columns, in milliseconds, p50, p99 and worst:
  answer    from the PUT until its answer is there
  playable  from the PUT until the multivariant playlist, and of each rendition its playlist, init and first
            segment, have come whole through the edge, all renditions at once; the bar is ${bar_ms} ms
  within    how many of the clips were playable within the bar
  stored    how many of these segments the edge had already, as it has of what viewers look at
The channel's encoder and transcoder, the edge and this client share the machine's cores.
  --clips N    of each row (default 40)
  --size WxH   of both sources (default 1280x720)
  --cold       all that the edge holds is purged before each clip
  --quick      10 clips of 320x180, segments of 1 s: a look, not a figure to quote
  --json FILE  the same rows for machines`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' }, clips: { type: 'string' }, size: { type: 'string' }, cold: { type: 'boolean' },
    json: { type: 'string' }, help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const clips = Number(options.clips ?? (options.quick ? 10 : 40))
const size = options.size ?? (options.quick ? '320x180' : '1280x720')
const video_s = 60
const segments_min = 6  // of the channel's window
const clip_s = options.quick ? 1.5 : 6
const pause_ms = 250    // so that clips meet the channel in every state
const agent = new Agent({ keepAlive: true })

/** Places of a golden section's steps are spread evenly, however many there are. */
const spread = (i) => (i * 0.618034) % 1

/** One rendition's first segment through the edge; whether it was stored there. */
async function firstSegment(url) {
  const { text } = await get(url, { agent })
  const [, init] = /#EXT-X-MAP:URI="([^"]+)"/.exec(text)
  const { uri } = readLive(text).segments[0]
  const [, segment] = await Promise.all([init, uri].map((one) => get(new URL(one, url).href, { agent })))
  return /\bhit\b/.test(segment.headers['cache-status'])
}

/** The times of one clip, in ms, and which of its first segments the edge had. */
async function makeOne({ origin, edges: [edge] }, name, body) {
  if (options.cold) await get(`${edge.admin}/purge`, { method: 'POST', body: '{"all": true}' })
  const begun = performance.now()
  const answer = await request(`${origin.url}/api/v1/demo/clips/${name}`,
    { method: 'PUT', headers: authorize(origin, 'demo/'), body: JSON.stringify(body), agent })
  const answer_ms = performance.now() - begun
  if (answer.status !== 201) throw new Error(`the clip was refused: ${answer.status} ${answer.text}`)
  await get(`${edge.url}/demo/${name}/index.m3u8`, { agent })
  const urls = answer.json().renditions.map(({ url }) => edge.url + url)
  const stored = await Promise.all(urls.map(firstSegment))
  return { answer_ms, playable_ms: performance.now() - begun, stored }
}

/** @param {(i: number) => Promise<object>} wish  the body of the i-th clip's PUT */
async function measure(fleet, source, wish) {
  const made = []
  for (let i = 0; i < clips; i++) {
    made.push(await makeOne(fleet, `${source.replaceAll(/\W+/g, '-')}-${i}`, await wish(i)))
    await new Promise((wake) => setTimeout(wake, pause_ms))
  }
  const figures = (key) => Object.fromEntries([['p50', 0.5], ['p99', 0.99], ['worst', 1]]
    .map(([name, share]) => [`${key}_${name}_ms`, percentile(made.map((one) => one[`${key}_ms`]), share)]))
  const stored = made.flatMap((one) => one.stored)
  return { source, clips, renditions: made[0].stored.length, ...figures('answer'), ...figures('playable'), bar_ms,
    within: made.filter(({ playable_ms }) => playable_ms <= bar_ms).length,
    stored: stored.filter(Boolean).length / stored.length }
}

async function ofVideo(fleet) {
  const answer = await upload(fleet.origin, 'demo/videos/film', clip({ seconds: video_s, size }))
  if (answer.status >= 300) throw new Error(`the video was refused: ${answer.text}`)
  await waitForState(fleet.origin, 'demo/film', 'ready', { deadline_ms: 600_000 })
  return measure(fleet, 'video', async (i) => {
    const start = spread(i) * (video_s - clip_s)
    return { from: 'film', start, end: start + clip_s }
  })
}

const moment = (ms) => new Date(ms).toISOString()

/** {from_ms, to_ms}: what has been made of the window without a gap. */
function madeOf({ segments }) {
  const made = segments.slice(1 + segments.findLastIndex(({ gap }) => gap))
  const last = made.at(-1)
  return last && { from_ms: made[0].date, to_ms: last.date + 1000 * last.duration, count: made.length }
}

async function ofChannel(fleet) {
  await openChannel(fleet.origin, 'demo/match')
  const publisher = publishTs(fleet.origin, 'demo/match', { size })
  try {
    const urls = await waitForAir(fleet.edges[0], 'demo/match')
    const [, url] = Object.entries(urls).find(([name]) => name !== 'audio')
    await followLive(url, (now) => madeOf(now)?.count >= segments_min)
    const inside = await measure(fleet, 'channel', async (i) => {
      const { from_ms, to_ms } = madeOf(await fetchLive(url))
      const start_ms = from_ms + spread(i) * (to_ms - from_ms - 1000 * clip_s)
      return { from: 'match', start: moment(start_ms), end: moment(start_ms + 1000 * clip_s) }
    })
    const growing = await measure(fleet, 'channel, growing', async () => {
      const now = await fetchLive(url)
      const { to_ms } = madeOf(now)
      return { from: 'match', start: moment(to_ms - 1000 * clip_s), end: moment(to_ms + 1500 * now.target) }
    })
    return [inside, growing]
  } finally {
    await publisher.stop()
  }
}

function print(row) {
  const cells = (key) => ['p50', 'p99', 'worst'].map((name) => row[`${key}_${name}_ms`].toFixed(1).padStart(8)).join('')
  console.log(`${row.source.padEnd(18)}${cells('answer')}  ${cells('playable')}   ${`${row.within} of ${row.clips}`.padEnd(10)}`
    + `${String(row.renditions).padEnd(12)}${(100 * row.stored).toFixed(0)} %`)
}

async function main() {
  const fleet = await startFleet(1, { origin: { settings: { live: { rtmp: '', srt: '', ...(options.quick ? quickGrid : {}) } } } })
  try {
    console.log(`${clips} clips of ${clip_s} s of each, ${size}; ms from PUT`)
    console.log(`${''.padEnd(18)}${'answer: p50, p99, worst'.padStart(24)}  ${'playable: p50, p99, worst'.padStart(24)}  `
      + `within ${bar_ms}  renditions  stored`)
    const rows = [await ofVideo(fleet)]
    print(rows[0])
    for (const row of await ofChannel(fleet)) {
      rows.push(row)
      print(row)
    }
    if (options.json) writeFileSync(options.json, `${JSON.stringify({ rows }, null, 2)}\n`)
  } finally {
    agent.destroy()
    await fleet.cleanUp()
  }
}

try {
  await main()
} catch (error) {
  console.error(`bench/clips: ${error.message}`)
  process.exitCode = 1
}
