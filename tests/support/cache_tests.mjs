// The suite http-cache-tests (cache-tests.fyi): its server is the origin, its client asks the cache
// between them and its own judge says what each answer was worth.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setBaseUrl, setFetch, setUseBrowserCache } from 'http-cache-tests/client/config.mjs';
import { determineTestResult } from 'http-cache-tests/lib/display.mjs';
import { makeCacheTest, testResults } from 'http-cache-tests/client/test.mjs';
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

const at_once = 100;
const tries_max = 2;

/**
 * Runs every test against the cache at `url`, which must forward to the suite's server. What does not
 * pass is tried again, since the suite counts on its two seconds of freshness and its connections
 * outlasting a standstill of the machine; `again` names what passed only then.
 * @returns {Promise<{again: string[], results:
 *   {id: string, kind: 'required'|'optimal'|'check', passed: boolean, why: string}[]}>}
 */
export async function judgeCache(url, { notPassed }) {
  setFetch(fetch);
  setUseBrowserCache(false);
  setBaseUrl(url);
  const tests = all.flatMap((suite) => suite.tests).filter((test) => !test.browser_only);
  await run(tests);
  const again = [];
  for (let tries = 1; tries < tries_max; ++tries) {
    const failed = tests.filter((test) => {
      const { kind, passed } = judge(test);
      return kind !== 'check' && !passed && !(test.id in notPassed);
    });
    for (const { id } of failed) console.log(`# ${id} is tried again: ${judge({ id }).why}`);
    await run(failed);
    again.push(...failed.filter((test) => judge(test).passed).map(({ id }) => id));
  }
  return { again, results: tests.map(judge) };
}

async function run(tests) {
  for (let first = 0; first < tests.length; first += at_once) {
    const some = tests.slice(first, first + at_once);
    for (const { id } of some) delete testResults[id];
    await Promise.all(some.map(makeCacheTest));
  }
}

function judge({ id, kind = 'required' }) {
  const mark = determineTestResult(all, id, testResults)[2];
  const found = testResults[id];
  return {
    id, kind, passed: mark === '✅' || mark === 'Y',
    why: `${mark} ${found === true ? 'what it depends on did not pass' : found?.[1] ?? 'not run'}`,
  };
}
