// Debian's nats-server with JetStream on a loopback port, its store in a temporary folder.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { final, until } from './poll.mjs';
import { freePorts } from './ports.mjs';
import { Program } from './program.mjs';

/** False, or why tests with a real server cannot run here; for the `skip` of tests. */
export const withoutNatsServer =
  spawnSync('/usr/sbin/nats-server', ['--version']).status !== 0 &&
  'nats-server is not installed (Debian package nats-server)';

/**
 * @param {{folder?: string, port?: number, args?: string[]}} [options] args: of nats-server besides
 * @returns the Program, with url, port, restart() and folder, for cleanUp()
 */
export async function startNatsServer(options = {}) {
  const folder = options.folder ?? fs.mkdtempSync(path.join(os.tmpdir(), 'torchrelay-nats-'));
  const port = options.port ?? (await freePorts(1))[0];
  const args = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', path.join(folder, 'store'), ...options.args ?? []];
  const server = new Program('/usr/sbin/nats-server', args, path.join(folder, 'log'));
  await until('nats-server to listen', () => {
    if (!server.alive) throw final(`nats-server ended while starting:\n${server.logTail()}`);
    return connects(port);
  });
  return Object.assign(server, {
    folder, port, url: `nats://127.0.0.1:${port}`,
    // Whatever state a test left it in.
    stop: () => { server.kill(); return server.exited; },
    restart: () => startNatsServer({ ...options, folder, port }),
  });
}

function connects(port) {
  return new Promise((answer) => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); answer(true); });
    socket.once('error', () => answer(false));
  });
}

/** A client as small as tests need one: it writes to a subject, as the `nats pub` command does. */
export function publish(server, subject, text, { user, pass, headers } = {}) {
  return new Promise((done, failed) => {
    const socket = net.connect(server.port, '127.0.0.1');
    let answers = '';
    socket.setEncoding('utf8').once('error', failed);
    socket.on('data', (more) => {
      answers += more;
      if (answers.includes('-ERR')) failed(new Error(answers));
      if (answers.includes('PONG')) { socket.destroy(); done(); }
    });
    const options = JSON.stringify({ verbose: false, pedantic: false, headers: true, user, pass });
    socket.write(`CONNECT ${options}\r\n${message(subject, text, headers)}PING\r\n`);
  });
}

function message(subject, text, headers) {
  if (!headers) return `PUB ${subject} ${Buffer.byteLength(text)}\r\n${text}\r\n`;
  const head = `NATS/1.0\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const bytes = Buffer.byteLength(head);
  return `HPUB ${subject} ${bytes} ${bytes + Buffer.byteLength(text)}\r\n${head}${text}\r\n`;
}
