// The whole way of an upload (origin, transcoder, edge) beside one ffmpeg command that makes the
// same renditions from the same file on the same cores. DESIGN section 5.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpuSecondsOfEnded, median } from './measure.mjs'
import { upload, waitForState } from '../tests/support/broadcaster.mjs'
import { get } from '../tests/support/http.mjs'
import { until } from '../tests/support/poll.mjs'
import { startFleet, temporaryFolder } from '../tests/support/torchrelay.mjs'

const help = `bench/transcode [--quick] [--rounds N] [--seconds S] [--json FILE] [FILE ...]

For each source, in turn: uploads it to an origin and measures, from the end of the upload,
  first_s  until a first video segment came whole through an edge
  wall_s   until the asset is ready: the whole ladder
  cpu_s    CPU seconds of the transcoder process
then runs the ffmpeg command for the same sizes, rates, preset and quality into HLS segments:
  wall_s, cpu_s of ffmpeg, and first_s until its smallest rendition has a first segment in its
  playlist.
Without FILE the sources are made by ffmpeg: a 1080p clip with key frames too far apart to be
published as it is, and one that fits ("passthrough").
  --quick      sources of 8 s, one round (default: 24 s, three rounds, interleaved)
  --json FILE  the same rows for machines`

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean' }, rounds: { type: 'string' }, seconds: { type: 'string' },
    json: { type: 'string' }, help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3))
const seconds = Number(options.seconds ?? (options.quick ? 8 : 24))

const work = temporaryFolder('bench-transcode')

function run(command, args) {
  const done = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (done.status !== 0) throw new Error(`${command} failed: ${done.stderr ?? done.error}`)
  return done
}

/** Moving detail and noise, so that the encoders have something to do. */
function makeClip(name, gop) {
  const file = join(work, name)
  run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=1920x1080:rate=30',
    '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-vf', 'noise=alls=8:allf=t',
    '-t', String(seconds), '-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '8M', '-maxrate', '10M',
    '-bufsize', '10M', '-g', String(gop), '-sc_threshold', '0', '-pix_fmt', 'yuv420p',
    '-c:a', 'aac', '-ac', '2', '-b:a', '128k', file])
  return file
}

const lines = text => text.split('\n').filter(line => line && !line.startsWith('#'))

/** A first video segment through the edge: multivariant, media playlist, init, segment. */
async function firstSegment(edge, asset) {
  const base = `${edge.url}/demo/${asset}/`
  const multivariant = await get(`${base}index.m3u8`)
  if (multivariant.status !== 200) return null
  const [variant] = lines(multivariant.text)
  const media = await get(base + variant)
  if (media.status !== 200 || lines(media.text).length === 0) return null
  const folder = (base + variant).replace(/[^/]+$/, '')
  for (const name of ['init.mp4', lines(media.text)[0]]) {
    if ((await get(folder + name)).status !== 200) return null
  }
  return true
}

async function ours(origin, edge, file, asset) {
  const before = cpuSecondsOfEnded(origin.pid)
  const answer = await upload(origin, `demo/videos/${asset}`, file)
  const uploaded = performance.now()
  if (answer.status >= 300) throw new Error(`the upload of ${file} was refused: ${answer.text}`)
  await until('a first segment', () => firstSegment(edge, asset), { deadline_ms: 120_000, every_ms: 10 })
  const first_s = (performance.now() - uploaded) / 1000
  const ready = await waitForState(origin, `demo/${asset}`, 'ready', { deadline_ms: 1_800_000, every_ms: 100 })
  const wall_s = (performance.now() - uploaded) / 1000
  await until('the transcoder to be reaped', () => cpuSecondsOfEnded(origin.pid) > before, { every_ms: 20 })
  return { first_s, wall_s, cpu_s: cpuSecondsOfEnded(origin.pid) - before, renditions: ready.renditions }
}

/** The same video renditions in one command, scaled as a cascade by the same filter: its best configuration. */
function ffmpegArguments(file, renditions, folder) {
  const rungs = renditions.filter(({ height, name }) => height > 0 && name !== 'source')
    .sort((a, b) => b.height - a.height)
  const hasAudio = renditions.some(({ name }) => name === 'audio' || name === 'source-audio')
  const graph = []
  let from = '[0:v]'
  rungs.forEach(({ width, height }, i) => {
    const last = i === rungs.length - 1
    graph.push(`${from}scale=${width}:${height}:flags=bicubic${last ? `[v${i}]` : `,split[v${i}][s${i}]`}`)
    from = `[s${i}]`
  })
  const args = ['-v', 'error', '-y', '-i', file, '-filter_complex', graph.join(';')]
  rungs.forEach(({ height }, i) => {
    const kbit_s = { 234: 145, 360: 365, 432: 1100, 540: 2000, 720: 4500, 1080: 7800 }[height] ?? 2000
    args.push('-map', `[v${i}]`, `-maxrate:v:${i}`, `${2 * kbit_s}k`, `-bufsize:v:${i}`, `${2 * kbit_s}k`)
  })
  if (hasAudio) args.push('-map', '0:a:0', '-c:a', 'aac', '-ac', '2', '-ar', '48000', '-b:a', '128k')
  args.push('-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p',
    '-force_key_frames', 'expr:gte(t,n_forced*2)', '-sc_threshold', '0', '-f', 'hls', '-hls_time', '6',
    '-hls_init_time', '2', '-hls_playlist_type', 'event', '-hls_segment_type', 'fmp4',
    '-master_pl_name', 'index.m3u8', '-hls_segment_filename', join(folder, '%v-%d.m4s'),
    '-var_stream_map', rungs.map((_, i) => `v:${i},agroup:audio`).join(' ') + (hasAudio ? ' a:0,agroup:audio' : ''),
    join(folder, '%v.m3u8'))
  return hasAudio ? args : args.map(arg => arg.replaceAll(',agroup:audio', ''))
}

/** Runs it under a shell that reports its times, and watches for the first listed segment. */
function theirs(file, renditions) {
  const folder = join(work, 'ffmpeg')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const args = ffmpegArguments(file, renditions, folder)
  const script = `cd "$1"; shift; TIMEFORMAT='%R %U %S'; start=$(date +%s%N); ffmpeg "$@" & pid=$!
    while kill -0 $pid 2>/dev/null; do
      if grep -qs EXTINF ./*.m3u8; then echo "first $((($(date +%s%N) - start) / 1000000))"; break; fi
      sleep 0.01
    done; time wait $pid; echo "wall $((($(date +%s%N) - start) / 1000000))"; times`
  const done = spawnSync('bash', ['-c', script, 'bash', folder, ...args], { encoding: 'utf8' })
  if (!/wall/.test(done.stdout)) throw new Error(`ffmpeg failed: ${done.stderr}`)
  const clock = text => text.split(/\s+/).map(part => /(\d+)m([\d.]+)s/.exec(part)).filter(Boolean)
    .reduce((sum, [, minutes, secs]) => sum + Number(minutes) * 60 + Number(secs), 0)
  return {
    first_s: Number(/first (\d+)/.exec(done.stdout)?.[1] ?? NaN) / 1000,
    wall_s: Number(/wall (\d+)/.exec(done.stdout)[1]) / 1000,
    cpu_s: clock(done.stdout.trim().split('\n').at(-1)), // of the shell's children
    args,
  }
}

function summarise(server, scenario, samples) {
  const row = { server, scenario }
  for (const key of ['first_s', 'wall_s', 'cpu_s']) {
    const values = samples.map(sample => sample[key])
    row[key] = median(values)
    row[`${key}_range`] = [Math.min(...values), Math.max(...values)]
  }
  return row
}

/** Ours to theirs, pair by pair of one round: a machine that slows down for a while slows both. */
function ratios(key, mine, rival) {
  const list = mine.map((sample, i) => sample[key] / rival[i][key])
  return `${median(list).toFixed(2)} (${Math.min(...list).toFixed(2)}-${Math.max(...list).toFixed(2)})`
}

function print(row) {
  const cell = key => `${row[key].toFixed(2).padStart(8)} (${row[`${key}_range`].map(x => x.toFixed(2)).join('-')})`.padEnd(24)
  console.log(`${row.scenario.padEnd(14)}${row.server.padEnd(12)}${cell('first_s')}${cell('wall_s')}${cell('cpu_s')}`)
}

async function main() {
  // As deployed: the origin tells its edge when something becomes playable.
  const fleet = await startFleet(1, { origin: { settings: { origin: { threads: 2 } } }, edge: { settings: { edge: { threads: 1 } } } })
  const { origin, edges: [edge] } = fleet
  try {
    const sources = positionals.length > 0
      ? positionals.map(file => [file.split('/').at(-1).slice(0, 13), file])
      : [['1080p encode', makeClip('encode.mp4', 300)], ['1080p fitting', makeClip('fitting.mp4', 60)]]
    const rows = []
    console.log(`${''.padEnd(14)}${''.padEnd(12)}${'first segment s'.padEnd(24)}${'whole ladder s'.padEnd(24)}CPU s`)
    for (const [scenario, file] of sources) {
      const samples = { torchrelay: [], ffmpeg: [] }
      for (let round = 0; round < rounds; round++) {
        // Other bytes each time, or the origin would rightly say that it has them already.
        const copy = join(work, `round-${round}${file.slice(file.lastIndexOf('.'))}`)
        writeFileSync(copy, Buffer.concat([readFileSync(file), Buffer.alloc(round)]))
        const asset = `a${rows.length}-${round}`
        samples.torchrelay.push(await ours(origin, edge, copy, asset))
        samples.ffmpeg.push(theirs(copy, samples.torchrelay.at(-1).renditions))
      }
      for (const [name, list] of Object.entries(samples)) rows.push(summarise(name, scenario, list))
      rows.slice(-2).forEach(print)
      const { torchrelay, ffmpeg } = samples
      console.log(`  ours/ffmpeg by rounds: ladder ${ratios('wall_s', torchrelay, ffmpeg)}, CPU ${ratios('cpu_s', torchrelay, ffmpeg)}`)
      console.log(`  source: ${(statSync(file).size / 1e6).toFixed(1)} MB; the rival: ffmpeg ${samples.ffmpeg[0].args.join(' ').replaceAll(work, 'WORK')}`)
    }
    if (options.json) writeFileSync(options.json, JSON.stringify({ rows }, null, 1) + '\n')
  } finally {
    await fleet.cleanUp()
    rmSync(work, { recursive: true, force: true })
  }
}

await main()
