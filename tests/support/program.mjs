// A real program as a child process: its log in a file, stopped by SIGTERM, killed with the test run.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
/** Folder of the programs; TORCHRELAY_BIN names another one, such as that of a sanitizer build. */
export const programs = process.env.TORCHRELAY_BIN ?? path.join(repository, 'build/bin');
const running = new Set();

process.on('exit', () => { for (const program of running) program.kill(); });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

export class Program {
  /**
   * @param {string} name "torchrelay-edge", or an absolute path  @param {string[]} args
   * @param {string} logPath  @param {Record<string, string>} [env] on top of ours
   * @param {{descriptors?: number|string, wrapper?: string[]}} [limits] how many files and sockets it
   *   may have open, or SOFT:HARD; a command that becomes the program, such as nsenter
   */
  constructor(name, args, logPath, env = {}, { descriptors, wrapper = [] } = {}) {
    this.name = name;
    this.logPath = logPath;
    const log = fs.openSync(logPath, 'a');
    const file = path.resolve(programs, name);
    const line = [...wrapper, ...(descriptors ? ['prlimit', `--nofile=${descriptors}`] : []), file, ...args];
    this.child = spawn(line[0], line.slice(1), {
      stdio: ['ignore', log, log], cwd: repository, env: { ...process.env, ...env },
    });
    fs.closeSync(log);
    running.add(this);
    this.exited = new Promise((resolve) => {
      const ended = (code, signal) => {
        running.delete(this);
        resolve({ code, signal });
      };
      this.child.once('exit', ended);
      this.child.once('error', (error) => ended(error.message, null));
    });
  }

  get pid() { return this.child.pid; }
  get alive() { return running.has(this); }
  log() { return fs.readFileSync(this.logPath, 'utf8'); }
  logTail() { return this.log().split('\n').slice(-20).join('\n'); }

  /** SIGTERM, wait, and the exit status; SIGKILL after the deadline, which is an error. */
  async stop({ deadline_ms = 20_000 } = {}) {
    if (!this.alive) return this.exited;
    this.child.kill('SIGTERM');
    this.child.kill('SIGCONT');  // a test may have left it paused
    const late = setTimeout(() => this.child.kill('SIGKILL'), deadline_ms);
    const ended = await this.exited;
    clearTimeout(late);
    if (ended.code !== 0 && !this.crashed) {
      throw new Error(`${this.name} stopped with ${ended.code ?? ended.signal}:\n${this.logTail()}`);
    }
    return ended;
  }

  signal(name) {
    if (name === 'SIGKILL') this.crashed = true;
    this.child.kill(name);
  }

  /** kill -9, as in a crash: what the test asked for is no fault of the program. */
  kill() { this.signal('SIGKILL'); }
}
