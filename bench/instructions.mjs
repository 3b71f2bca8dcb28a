// What a hit costs in instructions and heap allocations, exactly, so that a change can be compared with
// what was before it on any machine.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { until } from '../tests/support/poll.mjs'
import { freePorts } from '../tests/support/ports.mjs'

const help = `bench/instructions [--edge PROGRAM] [--json FILE]

Runs an edge with one thread under valgrind twice, with few and with many hits of one object on one
connection, and divides the difference: what starts and ends a process cancels out. For bodies of 1 KB and
16 KB (copied) and 64 KB and 1 MB (sendfile):
  instructions  in user space, by callgrind
  allocations, bytes allocated   on the heap, by memcheck; what is used again from a cache of the program's own
                does not count
The request is the head of a browser.
  --edge PROGRAM  another build of the edge (build/bin/torchrelay-edge)
  --json FILE     the same rows for machines`

const { values: options } = parseArgs({
  options: { edge: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean' } },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const program = options.edge ?? 'build/bin/torchrelay-edge'
const sizes = { '1KB': 1000, '16KB': 16_000, '64KB': 64_000, '1MB': 1_000_000 }
const few = 200, many = 1200
const start_wait = { deadline_ms: 120_000 }

const state = mkdtempSync(join(tmpdir(), 'torchrelay-instructions-'))
const head = path => `GET ${path} HTTP/1.1\r\nHost: media.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) ` +
  'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br\r\n' +
  'Accept-Language: en-GB,en;q=0.9\r\nOrigin: https://media.example\r\nReferer: https://media.example/watch\r\n\r\n'

/** `count` answers to `path` on one connection, one after another. */
async function ask(port, path, count) {
  const socket = net.connect(port, '127.0.0.1')
  const request = head(path)
  let got = Buffer.alloc(0), answers = 0, due = null
  await new Promise((resolve, reject) => {
    socket.on('error', reject).on('close', () => reject(new Error('the edge closed the connection')))
    socket.on('data', piece => {
      got = due === null ? Buffer.concat([got, piece]) : piece
      if (due === null) {
        const end = got.indexOf('\r\n\r\n')
        if (end < 0) return
        const said = got.subarray(0, end).toString('latin1')
        if (!said.startsWith('HTTP/1.1 200 ')) return reject(new Error(said.split('\r\n')[0]))
        due = end + 4 + Number(/content-length: (\d+)/i.exec(said)[1])
      }
      due -= got.length
      if (due > 0) return
      got = Buffer.alloc(0)
      due = null
      if (++answers === count) resolve()
      else socket.write(request)
    })
    socket.write(request)
  })
  socket.removeAllListeners('close').destroy()
}

/** Runs the edge under a tool of valgrind for so many hits; what the tool said at its end. */
async function run(tool, path, hits, origin) {
  const [port, admin] = await freePorts(2)
  const folder = mkdtempSync(join(state, 'run-'))
  const config = join(folder, 'edge.toml')
  writeFileSync(config, `[edge]\nname = "edge-1"\nlisten = ["127.0.0.1:${port}"]\nadmin = "127.0.0.1:${admin}"\n` +
    `threads = 1\n[log]\nlevel = "error"\n[cache]\npath = "${folder}/cache"\nsize = "256MiB"\n` +
    `[[upstream]]\nurl = "http://127.0.0.1:${origin}"\n`)
  const child = spawn('valgrind', [...tool, program, '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', text => { said += text })
  const ended = new Promise(resolve => child.once('exit', resolve))
  try {
    const one = () => ask(port, path, 1).then(() => true)
    await until('the edge to answer under valgrind', one, start_wait)
    await until('a hit', () => hit(port, path), start_wait)
    await ask(port, path, hits)
  } finally {
    child.kill('SIGTERM')
    await ended
  }
  return said
}

const hit = (port, path) => new Promise((resolve, reject) => {
  http.get({ port, path, host: '127.0.0.1', agent: false }, answer => {
    answer.resume().on('end', () => resolve(/; hit/.test(answer.headers['cache-status'])))
  }).on('error', reject)
})

/** The numbers that `pattern` finds in what the tool says, a hit. */
async function each(tool, pattern, path, origin) {
  const numbers = []
  for (const hits of [few, many]) {
    const found = pattern.exec(await run(tool, path, hits, origin))
    if (!found) throw new Error(`valgrind said nothing of ${pattern}`)
    numbers.push(found.slice(1).map(text => Number(text.replaceAll(',', ''))))
  }
  return numbers[1].map((number, i) => (number - numbers[0][i]) / (many - few))
}

const callgrind = ['--tool=callgrind', `--callgrind-out-file=${state}/callgrind.out`]
const memcheck = ['--tool=memcheck', '--leak-check=no', '--undef-value-errors=no']

async function main() {
  if (!existsSync(program)) throw new Error(`${program} is missing; ./run or ./test builds it`)
  if (spawnSync('which', ['valgrind']).status !== 0) throw new Error('valgrind is missing: apt-get install valgrind')
  mkdirSync(state, { recursive: true })
  const bodies = Object.fromEntries(Object.entries(sizes).map(([name, size]) => [`/${name}`, randomBytes(size)]))
  const origin = http.createServer((asked, answer) => {
    const body = bodies[asked.url]
    answer.writeHead(200, { 'cache-control': 'public, max-age=31536000', 'content-length': body.length }).end(body)
  })
  await new Promise(ready => origin.listen(0, '127.0.0.1', ready))
  const { port } = origin.address()
  console.log('body        instructions   allocations   bytes allocated')
  const rows = []
  for (const size of Object.keys(sizes)) {
    const [instructions] = await each(callgrind, /Collected : (\d+)/, `/${size}`, port)
    const [allocations, bytes] = await each(memcheck, /total heap usage: ([\d,]+) allocs, [\d,]+ frees, ([\d,]+) bytes/, `/${size}`, port)
    rows.push({ size, instructions, allocations, bytes })
    console.log(`hit ${size.padEnd(8)}${instructions.toFixed(0).padStart(12)}${allocations.toFixed(1).padStart(14)}${bytes.toFixed(0).padStart(18)}`)
  }
  if (options.json) writeFileSync(options.json, JSON.stringify({ rows }, null, 1) + '\n')
  origin.close()
  origin.closeAllConnections()
}

try {
  await main()
} catch (error) {
  console.error(`bench/instructions: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(state, { recursive: true, force: true })
}
