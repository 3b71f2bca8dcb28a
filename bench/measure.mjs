// What benchmarks read off processes, and how they sum up.
import { readFileSync } from 'node:fs'

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

export const median = list => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]
