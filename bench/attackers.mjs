// The attackers of bench/attack that slowhttptest does not play, in a process of their own so that it
// can be niced: node bench/attackers.mjs MODE PORT IDLE_CONNECTIONS. Writes a line {"ready": true} when
// the attack is on, and {"opened", "refused", "ended"} of its connections when it is told to stop (SIGTERM).
import net from 'node:net'

const flood_per_s = 200
const step_ms = 50

const [mode, port] = process.argv.slice(2)
const idle_connections = Number(process.argv[4])
const counts = { opened: 0, refused: 0, ended: 0 }
const sockets = new Set()
const tell = line => process.stdout.write(JSON.stringify(line) + '\n')

function open(bytes, on_data) {
  let connected = false, leaving = false
  const socket = net.connect(port, '127.0.0.1', () => {
    connected = true
    counts.opened++
    if (bytes) socket.write(bytes)
    else leave()
  })
  const leave = () => { leaving = true; socket.destroy() }
  sockets.add(socket)
  socket.on('data', () => on_data(socket, leave)).on('error', () => {}).on('close', () => {
    sockets.delete(socket)
    if (!connected) counts.refused++
    else if (!leaving) counts.ended++
  })
}

/** Connections that got one answer each and stay. */
function idle() {
  let answered = 0, begun = 0
  const more = () => {
    // A few at a time: what an idle connection costs is asked for, not what a busy one does.
    while (begun < idle_connections && begun - answered < 64) {
      begun++
      let first = true
      open('GET /page HTTP/1.1\r\nHost: h\r\n\r\n', () => {
        if (!first) return
        first = false
        if (++answered === idle_connections) tell({ ready: true })
        setImmediate(more)
      })
    }
  }
  more()
}

/** New connections at a fixed rate; each sends its bytes and leaves when something comes back. */
function flood(bytes) {
  setInterval(() => {
    for (let i = 0; i < flood_per_s * step_ms / 1000; i++) open(bytes, (_, leave) => leave())
  }, step_ms)
  setTimeout(() => tell({ ready: true }), 500)
}

const head = more => `GET /page HTTP/1.1\r\nHost: h\r\n${more}\r\n`
const ranges = Array.from({ length: 1000 }, (_, i) => `${i}-${i + 1}`)
const modes = {
  'idle': idle,
  'header flood': () => flood(head('a: b\r\n'.repeat(200))),
  'large header flood': () => flood(head(`a: ${'a'.repeat(31_000)}\r\n`)),
  'range flood': () => flood(head(`Range: bytes=${ranges}\r\n`)),
  'churn': () => flood(''),
}

process.on('SIGTERM', () => {
  tell(counts)
  process.exit(0)
})
modes[mode]()
