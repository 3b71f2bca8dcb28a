// An origin of made-up channels for bench/live_viewers: low-latency playlists that go on by the clock, and
// parts of so many bytes; who asks with _HLS_skip gets a delta update. node bench/live/part_origin.mjs PORT PLAYLISTS PART_MS PARTS_A_SEGMENT PART_BYTES WINDOW_S
// Part k of playlist i is made at (k + 1 + i / playlists) × part_ms of Unix time, k counted over all segments.
// GET /counts tells how often it was asked, and how many bytes its playlists were.

import http from 'node:http'

const [port, playlists, part_ms, parts, part_bytes, window_s] = process.argv.slice(2).map(Number)
const target_s = parts * part_ms / 1000
const seconds = (ms) => (ms / 1000).toFixed(6)
const filler = Buffer.alloc(parts * part_bytes, 'x')
const counts = { playlists: 0, media: 0, playlist_bytes: 0 }
const listed_targets = 6  // in a delta update

const body = (stamp, bytes) => Buffer.concat([Buffer.from(stamp), filler.subarray(stamp.length, bytes)])

class Channel {
  #waiting = []
  #older = { open: -1, text: '' }  // of the segments without parts

  constructor(index) {
    this.index = index
    this.phase_ms = index * part_ms / playlists
    this.made = Math.floor((Date.now() - this.phase_ms) / part_ms)
    this.#next()
  }

  #next() {
    const due_ms = (this.made + 1) * part_ms + this.phase_ms
    setTimeout(() => {
      this.made += 1
      const ready = this.#waiting
      this.#waiting = []
      for (const act of ready) act()
      this.#next()
    }, Math.max(0, due_ms - Date.now()))
  }

  /** Once so many parts are made. */
  when(made, act) {
    if (this.made >= made) act()
    else this.#waiting.push(() => this.when(made, act))
  }

  #segment(n, count) {
    const date = new Date(n * parts * part_ms + this.phase_ms).toISOString()
    const shown = Array.from({ length: count }, (_, p) =>
      `#EXT-X-PART:DURATION=${seconds(part_ms)},URI="${n}.${p}.m4s"${p === 0 ? ',INDEPENDENT=YES' : ''}\n`)
    return `#EXT-X-PROGRAM-DATE-TIME:${date}\n${shown.join('')}`
  }

  #end(n) { return `#EXTINF:${seconds(parts * part_ms)},\n${n}.m4s\n` }

  /** Segments [from, to), which show no parts any more. */
  #without_parts(from, to) {
    let text = ''
    for (let n = from; n < to; n++) text += this.#segment(n, 0) + this.#end(n)
    return text
  }

  /** All of the window's, made once a segment. */
  #before(first, open) {
    if (this.#older.open !== open) this.#older = { open, text: this.#without_parts(first, open - 3) }
    return this.#older.text
  }

  text(as_delta) {
    const open = Math.floor(this.made / parts), open_parts = this.made % parts
    const first = open - Math.ceil(window_s / target_s)
    const skipped = as_delta ? Math.max(0, open - listed_targets - first) : 0
    const lead = skipped > 0 ? `#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}\n` : '#EXT-X-MAP:URI="init.mp4"\n'
    let text = `#EXTM3U\n#EXT-X-VERSION:${skipped > 0 ? 9 : 6}\n#EXT-X-TARGETDURATION:${Math.ceil(target_s)}\n` +
      `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${3 * part_ms / 1000},HOLD-BACK=${3 * target_s},CAN-SKIP-UNTIL=${listed_targets * target_s}\n` +
      `#EXT-X-PART-INF:PART-TARGET=${part_ms / 1000}\n#EXT-X-MEDIA-SEQUENCE:${first}\n#EXT-X-INDEPENDENT-SEGMENTS\n${lead}` +
      (skipped > 0 ? this.#without_parts(first + skipped, open - 3) : this.#before(first, open))
    for (let n = open - 3; n < open; n++) text += this.#segment(n, parts) + this.#end(n)
    if (open_parts > 0) text += this.#segment(open, open_parts)
    return `${text}#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${open}.${open_parts}.m4s"\n`
  }
}

const channels = Array.from({ length: playlists }, (_, i) => new Channel(i))

function send(response, bytes, type, lifetime) {
  response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(bytes), 'cache-control': lifetime })
  response.end(bytes)
}

http.createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  if (request.url === '/counts') return send(response, JSON.stringify(counts), 'application/json', 'no-store')
  const [, index, name, query = ''] = /^\/bench\/c(\d+)\/v1\/v\/([^?]+)\??(.*)$/.exec(request.url) ?? []
  const channel = channels[index]
  if (!channel) return response.writeHead(404, { 'content-length': 0 }).end()
  if (name === 'index.m3u8') {
    counts.playlists += 1
    const asked = new URLSearchParams(query)
    const blocking = asked.has('_HLS_msn')
    const made = blocking ? Number(asked.get('_HLS_msn')) * parts + Number(asked.get('_HLS_part') ?? parts - 1) + 1 : 0
    return channel.when(made, () => {
      const text = channel.text(asked.has('_HLS_skip'))
      counts.playlist_bytes += text.length
      send(response, text, 'application/vnd.apple.mpegurl', `public, max-age=${blocking ? 6 * target_s : target_s / 2}`)
    })
  }
  counts.media += 1
  const [segment, part] = name.split('.').map(Number)
  const is_part = !Number.isNaN(part)
  const stamp = is_part ? `c${index} ${segment}.${part}\n` : `c${index} ${segment}\n`
  const made = segment * parts + (is_part ? part + 1 : parts)
  if (made > channel.made + 1) return response.writeHead(404, { 'content-length': 0 }).end()
  return channel.when(made, () => send(response, body(stamp, is_part ? part_bytes : parts * part_bytes),
    'video/iso.segment', 'public, max-age=31536000, immutable'))
}).listen(port, '127.0.0.1', 8192)
