// What benchmarks read off processes, and how they sum up.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'

const ticks_a_second = 100 // USER_HZ of /proc

const fieldsOf = pid => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').map(Number)

/** CPU seconds and resident memory of a process and its children: nginx has a master and workers. */
export function usage(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  let ticks = 0, pages = 0
  for (const one of [pid, ...children]) {
    const fields = fieldsOf(one)
    ticks += fields[11] + fields[12]
    pages += Number(readFileSync(`/proc/${one}/statm`, 'utf8').split(' ')[1])
  }
  return { cpu_s: ticks / ticks_a_second, rss_bytes: pages * 4096 }
}

export const cpuSeconds = pids => pids.reduce((sum, pid) => sum + usage(pid).cpu_s, 0)

/** CPU seconds of all children that a process has waited for. */
export const cpuSecondsOfEnded = pid => (fieldsOf(pid)[13] + fieldsOf(pid)[14]) / ticks_a_second

/** The value below which a `share` of them lies; NaN of none. */
export function percentile(list, share) {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

export const median = list => percentile(list, 0.5)

/** Memory that the machine never used costs its first user dearly under a hypervisor: we touch it, so that
 *  no server pays for the others. */
export function touchMemory() {
  const free_mb = Number(/MemAvailable: +(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))[1]) / 1024
  const file = '/dev/shm/torchrelay-touch'
  spawnSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', `count=${Math.min(8192, Math.floor(free_mb / 2))}`])
  rmSync(file, { force: true })
}
