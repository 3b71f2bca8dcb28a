// What ./run does about programs that end, with shell scripts in the place of the programs, and what it
// says about an environment that it cannot use.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../support/poll.mjs';
import { repository } from '../support/program.mjs';
import { temporaryFolder } from '../support/torchrelay.mjs';

let folder;
before(() => { folder = temporaryFolder('keeper'); });
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const file = (name) => path.join(folder, name);
const read = (name) => (fs.existsSync(file(name)) ? fs.readFileSync(file(name), 'utf8') : '');

/** A keeper of a program with this shell script; `exited` gives {code, out, errors}. */
function keep(t, name, script, { flag = true } = {}) {
  fs.writeFileSync(file(`${name}.sh`), script);
  if (flag) fs.writeFileSync(file(`${name}.up`), '');
  const shell = `set -euo pipefail; . .ci/keeper.sh; restart_pause_s=0
    keep ${name} ${file(`${name}.log`)} ${file(`${name}.up`)} sh ${file(`${name}.sh`)}`;
  const child = spawn('bash', ['-c', shell], { cwd: repository });
  t.after(() => child.kill('SIGTERM'));
  let [out, errors] = ['', ''];
  child.stdout.on('data', (text) => { out += text; });
  child.stderr.on('data', (text) => { errors += text; });
  const exited = new Promise((resolve) => child.once('close', (code) => resolve({ code, out, errors })));
  return { child, exited };
}

test('a program that ends is started again, with a sentence and its last words, but not for ever', async (t) => {
  const { exited } = keep(t, 'crasher', `echo run >>${file('runs')}; echo last words; kill -SEGV $$`);
  const { code, out, errors } = await exited;
  assert.equal(code, 139);
  assert.equal(read('runs'), 'run\n'.repeat(6));
  assert.match(out, /^crasher ended by itself, killed by SIGSEGV \(status 139\); starting it again \(1 of 5 times within 60 s\)\. The last lines of .*crasher\.log:\n {4}last words\n/);
  assert.match(out, /\(5 of 5 times/);
  assert.match(out, /crasher ended by itself.*it was started again 5 times within 60 s already/);
  assert.equal(errors, '', 'no words of the shell');
});

test('SIGTERM is passed on, and its end is not told', async (t) => {
  const { child, exited } = keep(t, 'server',
    'trap "echo drained; exit 0" TERM; echo up; while :; do sleep 0.05; done');
  await until('the program to be up', () => read('server.log') === 'up\n');
  child.kill('SIGTERM');
  assert.deepEqual(await exited, { code: 0, out: '', errors: '' });
  assert.equal(read('server.log'), 'up\ndrained\n');
});

test('a program that does not come up is left to whoever waits for it', async (t) => {
  const { exited } = keep(t, 'misconfigured', 'echo wrong; exit 3', { flag: false });
  assert.deepEqual(await exited, { code: 3, out: '', errors: '' });
  assert.equal(read('misconfigured.log'), 'wrong\n');
});

/** watch_over with these programs, and what it has said. */
function watchOver(t, shell) {
  const child = spawn('bash', ['-c', `set -euo pipefail; . .ci/keeper.sh; watch_interval_s=0.05; ${shell}
    watch_over origin; echo over; kill "\${process[@]}" 2>/dev/null || true`], { cwd: repository });
  t.after(() => child.kill('SIGTERM'));
  let out = '';
  child.stdout.on('data', (text) => { out += text; });
  return { out: () => out };
}
const runs = (name, command) => `${command} & process[${name}]=$!;`;
const untilGone = (name) => `(while [ -e ${file(name)} ]; do sleep 0.05; done)`;

test('of the edges one that is given up leaves the others alone, the last one does not', async (t) => {
  for (const name of ['first', 'second']) fs.writeFileSync(file(name), '');
  const watch = watchOver(t, runs('origin', 'sleep 60') + runs('edge-1', untilGone('first')) + runs('edge-2', untilGone('second')));
  fs.rmSync(file('first'));
  await until('it is told', () => watch.out() === 'edge-1 is given up; Ctrl-C and ./run start it again\n');
  fs.rmSync(file('second'));
  await until('the end', () => /edge-2 is given up.*\nover\n$/.test(watch.out()));
});

test('without its origin nothing is watched any more', async (t) => {
  fs.writeFileSync(file('origin'), '');
  const watch = watchOver(t, runs('origin', untilGone('origin')) + runs('edge-1', 'sleep 60') + runs('edge-2', 'sleep 60'));
  fs.rmSync(file('origin'));
  await until('the end', () => /^origin is given up.*\nover\n$/.test(watch.out()));
});

for (const base of ['abc', '0', '08000', '65400', '1e3', '-1', 'a[$(id)]']) {
  test(`./run says what TORCHRELAY_PORT_BASE may be, not ${base}`, () => {
    const { status, stdout, stderr } = spawnSync(path.join(repository, 'run'), ['--check'],
      { env: { ...process.env, TORCHRELAY_PORT_BASE: base }, encoding: 'utf8' });
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.equal(stderr,
      `run: TORCHRELAY_PORT_BASE is '${base}'; allowed are whole numbers from 1 to 65332 (7000 when it is not set)\n`);
  });
}
