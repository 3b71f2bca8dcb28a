// The suite http-cache-tests (cache-tests.fyi): its server is the origin, its client asks the cache
// between them and its own judge says what each answer was worth.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { determineTestResult } from 'http-cache-tests/lib/display.mjs';
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs';
import suites from 'http-cache-tests/tests/index.mjs';
import surrogateControl from 'http-cache-tests/tests/surrogate-control.mjs';
import fetch from 'node-fetch';
import { request } from './http.mjs';
import { until, final } from './poll.mjs';
import { freePorts } from './ports.mjs';
import { Program } from './program.mjs';
import { temporaryFolder } from './torchrelay.mjs';

const support = path.dirname(fileURLToPath(import.meta.url));
const all = [...suites, surrogateControl];

/** The suite's server on loopback: {url, folder, stop()}. */
export async function startSuiteOrigin() {
  const server = createRequire(import.meta.url).resolve('http-cache-tests/server/server.mjs');
  const folder = temporaryFolder('cache-tests');
  const [port] = await freePorts(1);
  const program = new Program(process.execPath,
    ['--require', path.join(support, 'loopback.cjs'), server], path.join(folder, 'log'), {
      npm_config_protocol: 'http', npm_config_port: String(port),
      npm_config_pidfile: path.join(folder, 'pid'),
    });
  const url = `http://127.0.0.1:${port}`;
  await until('the suite\'s server to be ready', async () => {
    if (!program.alive) throw final(`it ended while starting:\n${program.logTail()}`);
    return (await request(`${url}/state/none`)).status === 404;
  });
  return {
    url, folder,
    stop: async () => {
      program.kill();
      await program.exited;
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Runs every test against the cache at `url`, which must forward to the suite's server.
 * @returns {Promise<{id: string, kind: 'required'|'optimal'|'check', passed: boolean, why: string}[]>}
 */
export async function judgeCache(url) {
  await runTests(all, fetch, false, url);
  const results = getResults();
  return all.flatMap(({ tests }) => tests).filter((test) => !test.browser_only).map((test) => {
    const mark = determineTestResult(all, test.id, results)[2];
    const found = results[test.id];
    return {
      id: test.id, kind: test.kind ?? 'required', passed: mark === '✅' || mark === 'Y',
      why: `${mark} ${found === true ? 'what it depends on did not pass' : found?.[1] ?? 'not run'}`,
    };
  });
}
