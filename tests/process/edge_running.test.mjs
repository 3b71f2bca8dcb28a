// An edge as a program: deadlines, draining, one line and one count a request, settings, and a
// shortage of descriptors.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { get, metricValue, request } from '../support/http.mjs';
import { until } from '../support/poll.mjs';
import { freePorts } from '../support/ports.mjs';
import { programs } from '../support/program.mjs';
import { fresh, pattern, startScriptedOrigin } from '../support/scripted_origin.mjs';
import { openAnswer, openRaw } from '../support/streaming.mjs';
import { toToml } from '../support/toml.mjs';
import { cleanUp, startEdge, startOrigin, temporaryFolder } from '../support/torchrelay.mjs';

let origin;
let folder;
before(async () => {
  origin = await startScriptedOrigin();
  folder = temporaryFolder('edge-running');
  origin.answer('/x', { headers: fresh, body: 'some text' });
});
after(async () => {
  await origin?.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function withEdge(settings, use) {
  const edge = await startEdge({ upstream: origin.url, settings });
  try {
    await use(edge);
  } finally {
    await cleanUp(edge);
  }
}
const ask = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;

test('a head that comes byte by byte is given up; nobody else notices', { timeout: 60_000 }, () =>
  withEdge({}, async (edge) => {
    const slow = await openRaw(edge.port, 'GET /x HTTP/1.1\r\nHost: h\r\nA: ');
    const begun = Date.now();
    const trickle = setInterval(() => slow.socket.writable && slow.send('a'), 500);
    try {
      let others = 0;
      const ended = await until('the edge to close', async () => {
        assert.equal((await get(`${edge.url}/x`)).text, 'some text');
        others++;
        return Promise.race([slow.closed, null]);
      }, { every_ms: 200 });
      assert.ok(ended && others > 10);
      const took_s = (Date.now() - begun) / 1000;
      assert.ok(took_s < 20, `${took_s} s`);
    } finally {
      clearInterval(trickle);
      slow.socket.destroy();
    }
  }));

test('half a request, then nothing: others are served, and it is cheap to drop', () =>
  withEdge({}, async (edge) => {
    const half = await Promise.all(Array.from({ length: 50 }, () => openRaw(edge.port, 'GET /x HT')));
    const idle = await Promise.all(Array.from({ length: 50 }, () => openRaw(edge.port)));
    for (let i = 0; i < 20; i++) assert.equal((await get(`${edge.url}/x`)).text, 'some text');
    half[0].send('TP/1.1\r\nHost: h\r\n\r\n');
    await until('the late half to be answered', () => half[0].text().includes('some text'));
    const closed = Promise.all([...half.slice(1), ...idle].map((one) => { one.socket.end(); return one.closed; }));
    await closed;
    half[0].socket.destroy();
  }));

test('pipelined requests are answered in order', () => withEdge({}, async (edge) => {
  for (let i = 0; i < 5; i++) origin.answer(`/p${i}`, { headers: fresh, body: `answer ${i}` });
  const client = await openRaw(edge.port, [0, 1, 2, 3, 4, 0, 4].map((i) => ask(`/p${i}`)).join(''));
  await until('seven answers', () => client.text().match(/answer \d/g)?.length === 7);
  assert.deepEqual(client.text().match(/answer \d/g).map((one) => one.at(-1)), [...'0123404']);
  client.socket.destroy();
}));

test('SIGTERM lets a running answer end, takes no new ones and stops with 0', async () => {
  const edge = await startEdge({ upstream: origin.url });
  try {
    const body = pattern(400_000);
    let response;
    origin.answer('/running', (asked, answer) => {
      response = answer.writeHead(200, { ...fresh, 'content-length': body.length });
      answer.write(body.subarray(0, 100_000));
    });
    const idle = await openRaw(edge.port, ask('/x'));
    await until('an answer', () => idle.text().includes('some text'));
    const client = await openAnswer(`${edge.url}/running`);
    const stopped = edge.stop();
    await idle.closed;
    await until('no new connections', () => openRaw(edge.port).then(
      ({ socket }) => { socket.destroy(); return false; }, () => true));
    assert.ok(edge.alive);
    response.end(body.subarray(100_000));
    const got = await client.whole();
    assert.ok(got.complete && got.body.equals(body));
    assert.equal((await stopped).code, 0);
  } finally {
    await cleanUp(edge);
  }
});

test('SIGTERM ends in time though a client reads nothing and an upstream says nothing', async () => {
  const edge = await startEdge({ upstream: origin.url, settings: { edge: { drain_grace: '1s' } } });
  try {
    origin.answer('/silent', () => {});
    origin.answer('/stuck', (asked, answer) => {
      answer.writeHead(200, fresh).write('begun');
    });
    const waiting = [openAnswer(`${edge.url}/silent`).catch(() => {}), openAnswer(`${edge.url}/stuck`)];
    await origin.asked('/silent');
    await waiting[1];
    const half = await openRaw(edge.port, 'POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nab');
    assert.equal((await edge.stop({ deadline_ms: 8000 })).code, 0);
    half.socket.destroy();
    assert.doesNotMatch(edge.log(), /work is left/);
  } finally {
    await cleanUp(edge);
  }
});

test('SIGTERM in the middle of much storing', async () => {
  const edge = await startEdge({ upstream: origin.url });
  try {
    const body = pattern(500_000);
    origin.answer('/many', { headers: fresh, body });
    const loads = Array.from({ length: 60 }, (_, i) => get(`${edge.url}/many?${i}`).catch(() => null));
    await Promise.race(loads);
    assert.equal((await edge.stop()).code, 0);
    await Promise.all(loads);
  } finally {
    await cleanUp(edge);
  }
});

test('one line in the log and one count for each request', async () => {
  const accessLog = path.join(folder, 'access.log');
  await withEdge({ edge: { access_log: accessLog } }, async (edge) => {
    origin.answer('/cut', (asked, answer) => {
      answer.writeHead(200, { ...fresh, 'content-length': 100 }).write('short', () => answer.destroy());
    });
    origin.answer('/private', { headers: { 'cache-control': 'no-store' }, body: 'x' });
    const before = metricValue(await edge.metrics(), 'relay_edge_requests_total');
    const sent = [];
    const send = async (target, options = {}) => {
      sent.push(target);
      await (await openAnswer(edge.url + target, options).catch(() => null))?.whole();
    };
    await Promise.all(Array.from({ length: 30 }, (_, i) => send(`/x?line=${i % 5}`)));
    await send('/private');
    await send('/cut');
    await send('/missing');
    await send('/x', { method: 'POST' });
    await send('/x', { method: 'HEAD' });
    await send('/x?line=0', { headers: { range: 'bytes=0-1' } });
    await send('/loop', { headers: { 'cdn-loop': 'edge-1.torchrelay' } });
    await send('/%zz');
    await send('/none', { headers: { 'cache-control': 'only-if-cached' } });
    const bad = await openRaw(edge.port, 'GET /bad HTTP/1.1\r\n\r\n');
    await bad.closed;
    const leaver = await openRaw(edge.port, ask('/x?leaver'));
    leaver.socket.destroy();
    sent.push('/x?leaver');
    const lines = await until('all lines', () => {
      const found = fs.readFileSync(accessLog, 'utf8').split('\n').filter(Boolean);
      return found.length >= sent.length + 1 && found;
    });
    const logged = lines.map((line) => /target="([^"]*)"/.exec(line)?.[1]).filter(Boolean);
    assert.deepEqual(logged.toSorted(), sent.toSorted());
    assert.equal(lines.length, sent.length + 1, 'the refused one has a line as well');
    for (const line of lines) assert.match(line, /^time=\d+ peer=127\.0\.0\.1 .*status=\d+ outcome=[a-z]+ /);
    assert.match(lines.find((line) => line.includes('/cut')), /incomplete=true/);
    const metrics = await edge.metrics();
    assert.equal(metricValue(metrics, 'relay_edge_requests_total') - before, sent.length);
    assert.equal(metricValue(metrics, 'relay_edge_refused_total'), 1);
    assert.equal(metricValue(metrics, 'relay_edge_request_seconds_count') - before, sent.length);
  });
});

test('the metrics are an exposition that Prometheus reads', () => withEdge({}, async (edge) => {
  await get(`${edge.url}/x`);
  const text = await edge.metrics();
  const types = new Map();
  const seen = new Set();
  for (const line of text.trimEnd().split('\n')) {
    const meta = /^# (HELP|TYPE) ([a-z_:][\w:]*) (.+)$/.exec(line);
    if (meta) {
      if (meta[1] === 'TYPE') {
        assert.ok(!types.has(meta[2]), `two types of ${meta[2]}`);
        types.set(meta[2], meta[3]);
      }
      continue;
    }
    const sample = /^([a-z_:][\w:]*)(\{(?:[a-z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})? (NaN|[+-]?Inf|-?[\d.e+-]+)$/.exec(line);
    assert.ok(sample, `not a sample: ${line}`);
    assert.ok(!seen.has(sample[1] + sample[2]), `twice: ${line}`);
    seen.add(sample[1] + sample[2]);
    const family = sample[1].replace(/_(bucket|sum|count)$/, '');
    assert.ok(types.has(sample[1]) || types.get(family) === 'histogram', `no type: ${line}`);
  }
  assert.ok(seen.size > 20);
}));

const upstream = '[[upstream]]\nurl = "http://127.0.0.1:7000"\n';
const files = [
  ['an unknown key', upstream + '[edge]\nname = "a"\nlisten_on = "x"\n', 5],
  ['a wrong type', upstream + '[edge]\nthreads = "two"\n', 4],
  ['an impossible value', upstream + '[edge]\nthreads = -1\n', 4],
  ['no TOML', '[edge\n', 1],
  ['an address without a port', upstream + '[edge]\nlisten = ["127.0.0.1"]\n', 4],
  ['an upstream that is no address', '[[upstream]]\nurl = "ftp://x"\n', 2],
  ['a fleet without this edge',
    '[edge]\nname = "z"\n[[upstream]]\nurl = "http://h:1"\n[fleet]\nmembers = [{ name = "a", url = "http://h:2" }]\n', 6],
  ['a size without a unit that is known', upstream + '[cache]\nsize = "2 elephants"\n', 4],
];
for (const [i, [what, text, line]] of files.entries()) {
  test(`--check of ${what} names the place`, () => {
    const file = path.join(folder, `bad-${i}.toml`);
    fs.writeFileSync(file, text);
    const { status, stderr, stdout } = spawnSync(path.join(programs, 'torchrelay-edge'),
      ['--config', file, '--check'], { encoding: 'utf8' });
    assert.equal(status, 1);
    const told = (stderr + stdout).split('\n').filter((one) => one.startsWith(`${file}:`));
    assert.ok(told.some((one) => one.startsWith(`${file}:${line}:`)), stderr + stdout);
    for (const one of told) assert.match(one.slice(file.length), /^:\d+:\d+: .{10}/);
  });
}

for (const goal of ['objects', 'bytes', 'writes']) {
  test(`cache.goal = "${goal}" is what the store's policy aims at`, () => withEdge({ cache: { goal } }, async (edge) => {
    await until(`the policy to aim at ${goal}`, async () => {
      const { policy } = (await get(`${edge.admin}/api/v1/cache`)).json();
      return policy.goal === goal;
    });
  }));
}

test('an upstream is found by its name', async () => {
  const edge = await startEdge({ upstream: origin.url.replace('127.0.0.1', 'localhost') });
  try {
    assert.equal((await get(`${edge.url}/x`)).text, 'some text');
  } finally {
    await cleanUp(edge);
  }
});

// UBSan itself opens a pipe to look at a vtable, and takes a failure for a bad object.
const skip = process.env.TORCHRELAY_BIN ? 'a sanitizer needs descriptors of its own' : false;
test('without a descriptor left the edge fails requests, not itself', { skip }, async () => {
  const edge = await startEdge({ upstream: origin.url });
  try {
    origin.answer('/short', { headers: { 'cache-control': 'no-store' }, body: 'x' });
    const clients = await Promise.all(Array.from({ length: 10 }, () => openRaw(edge.port, ask('/x'))));
    await until('all to be accepted', () => clients.every((one) => one.text().includes('some text')));
    const used = new Set(fs.readdirSync(`/proc/${edge.pid}/fd`).map(Number));
    let lowest = 0;
    while (used.has(lowest)) lowest++;
    execFileSync('prlimit', [`--nofile=${lowest + 2}:${lowest + 1000}`, '--pid', String(edge.pid)]);
    for (const [i, client] of clients.entries()) client.send(ask(`/short?${i}`));
    await until('all to be answered', () => clients.every((one) => one.text().match(/HTTP\/1\.1 /g)?.length === 2));
    assert.ok(clients.some((one) => /HTTP\/1\.1 50\d /.test(one.text())), 'descriptors were short');
    for (const { socket } of clients) socket.destroy();
    await until('it to serve again', async () => (await get(`${edge.url}/short?again`)).text === 'x');
    assert.ok(edge.alive);
  } finally {
    await cleanUp(edge);
  }
});

for (const [what, startProgram] of [
  ['an edge', (options) => startEdge({ upstream: origin.url, ...options })],
  ['an origin', startOrigin],
]) {
  test(`${what} takes all descriptors that it may have, and says when they are few`, async () => {
    const program = await startProgram({ descriptors: '300:1000' });
    try {
      const limits = fs.readFileSync(`/proc/${program.pid}/limits`, 'utf8');
      assert.match(limits, /^Max open files +1000 +1000 /m);
      assert.match(program.log(), /fewer descriptors than connections.* descriptors_max=1000 /);
    } finally {
      await cleanUp(program);
    }
  });
}

for (const [what, addresses] of [
  ['another edge', (edge, spare) => ({ listen: [`127.0.0.1:${edge.port}`], admin: `127.0.0.1:${spare}` })],
  ['its own viewers', (_, spare) => ({ listen: [`127.0.0.1:${spare}`], admin: `127.0.0.1:${spare}` })],
]) {
  test(`a port is not shared with ${what}`, () => withEdge({}, async (edge) => {
    const [spare] = await freePorts(1);
    const file = path.join(folder, 'taken.toml');
    fs.writeFileSync(file, toToml({
      edge: { name: 'second', ...addresses(edge, spare) }, cache: { path: path.join(folder, 'taken'), size: '64MiB' },
      upstream: [{ url: origin.url }],
    }));
    const ended = spawnSync(path.join(programs, 'torchrelay-edge'), ['--config', file], { encoding: 'utf8', timeout: 20_000 });
    assert.equal(ended.status, 1, ended.stderr);
    assert.match(ended.stderr, /cannot listen on 127\.0\.0\.1:\d+: Address already in use/);
    assert.equal((await get(`${edge.url}/x`)).text, 'some text');
  }));
}

test('a viewer is not told what is behind the edge', async () => {
  const [nobody] = await freePorts(1);
  const edge = await startEdge({ upstream: `http://127.0.0.1:${nobody}` });
  try {
    for (const method of ['GET', 'POST']) {
      const answer = await request(`${edge.url}/x`, { method });
      assert.equal(answer.status, 502);
      assert.doesNotMatch(answer.text + JSON.stringify(answer.headers), new RegExp(`${nobody}`));
    }
  } finally {
    await cleanUp(edge);
  }
});
