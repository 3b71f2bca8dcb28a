// Connections that a kernel has given up by itself, for want of an acknowledgement: on a machine with
// too much to do a packet waits on its way for longer than the patience of TCP, and limits::tcp_user_timeout
// counts from the last loss that the connection had, however long ago. Neither side is told; the
// viewer finds out when it asks whether the connection lives.

import { execFileSync } from 'node:child_process';

/** How many until now. @param {string[]} [wrapper] a command that enters a network namespace */
export function timedOut(wrapper = []) {
  const [program, ...args] = [...wrapper, 'cat', '/proc/net/netstat'];
  const lines = execFileSync(program, args, { encoding: 'utf8' }).split('\n').filter((line) => line.startsWith('TcpExt:'));
  const [names, values] = lines.map((line) => line.split(' '));
  return Number(values[names.indexOf('TCPAbortOnTimeout')]);
}
