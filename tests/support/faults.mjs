// Failing system calls for a program: the other side of faults.cpp.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repository } from './program.mjs';

const calls = ['write', 'sync', 'open', 'accept', 'socket', 'grow', 'send',
  'begin', 'begin read', 'put', 'get', 'erase', 'commit', 'rename', 'read', 'walk'];
const numbers = 4;

/** The library, built once into build/tests. */
export function faultsLibrary() {
  const source = path.join(repository, 'tests/support/faults.cpp');
  const folder = path.join(repository, 'build/tests');
  const library = path.join(folder, 'libfaults.so');
  const old = !fs.existsSync(library) || fs.statSync(library).mtimeMs < fs.statSync(source).mtimeMs;
  if (old) {
    fs.mkdirSync(folder, { recursive: true });
    const made = `${library}.${process.pid}`;
    execFileSync('clang++-19', ['-std=c++23', '-O1', '-shared', '-fPIC', '-o', made, source]);
    fs.renameSync(made, library);
  }
  return library;
}

/** {environment, fail(call, errno, {after, times}), work(call), failed(call), close()} */
export function makeFaults(folder) {
  const file = path.join(folder, 'faults');
  fs.writeFileSync(file, Buffer.alloc(4 * numbers * calls.length));
  const fd = fs.openSync(file, 'r+');
  const place = (call) => {
    if (!calls.includes(call)) throw new Error(`no such call: ${call}`);
    return 4 * numbers * calls.indexOf(call);
  };
  const write = (at, values) => fs.writeSync(fd, Buffer.from(new Int32Array(values).buffer), 0, 4 * values.length, at);
  return {
    environment: { LD_PRELOAD: faultsLibrary(), FAULTS_FILE: file },
    /** After `after` more calls that work, `times` fail (-1: all of them). */
    fail(call, error, { after = 0, times = -1 } = {}) {
      write(place(call) + 4, [after, times, 0]);
      write(place(call), [os.constants.errno[error]]);
    },
    work: (call) => write(place(call), [0]),
    failed(call) {
      const number = Buffer.alloc(4);
      fs.readSync(fd, number, 0, 4, place(call) + 12);
      return number.readInt32LE(0);
    },
    close: () => fs.closeSync(fd),
  };
}
