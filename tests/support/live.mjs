// Live channels from outside: a publisher (the ffmpeg command), and what a low-latency player asks.

import { spawn } from 'node:child_process';
import { asset, authorize } from './broadcaster.mjs';
import { get, request } from './http.mjs';
import { until } from './poll.mjs';

/** Short parts and segments, so that tests see many of them. */
export const quickGrid = { part: '250ms', group: '1s', segment: '1s' };

/** PUTs a channel ("demo/final") and returns the answer's document with the status. */
export async function openChannel(origin, channel, { query = '', body = {} } = {}) {
  const [tenant, asset] = channel.split('/');
  const answer = await request(`${origin.url}/api/v1/${tenant}/channels/${asset}${query}`, {
    method: 'PUT', headers: authorize(origin, channel), body: JSON.stringify(body),
  });
  return { status: answer.status, ...answer.json() };
}

export function endChannel(origin, channel) {
  const [tenant, asset] = channel.split('/');
  return request(`${origin.url}/api/v1/${tenant}/channels/${asset}/end`,
    { method: 'POST', headers: authorize(origin, channel) });
}

/** What the document says of an open channel: {on_air, slots: {primary, backup}, …}. */
export const liveOf = async (origin, channel) => (await asset(origin, channel)).live;

/** Waits until a publisher's slot can go on air. */
export const slotReady = (origin, channel, slot) => until(`${slot} to be ready`,
  async () => (await liveOf(origin, channel)).slots[slot].state === 'ready', { deadline_ms: 60_000 });

export const feedUrl = (origin, channel, slot = 'primary') => {
  const [tenant, asset] = channel.split('/');
  return `${origin.url}/api/v1/${tenant}/channels/${asset}/feed?slot=${slot}`;
};

/** Names of the picture renditions among `names`, the dearest first. */
export const byHeight = (names) => names.filter((name) => /^v\d/.test(name))
  .sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));

const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

/**
 * A moving picture with a tone, in real time, until stop(). `exited` resolves with ffmpeg's code and
 * what it said.
 * @param {string} to  an rtmp:// or srt:// address, or feedUrl()
 * @param {{size?: string, rate?: number, group?: number, headers?: object, input?: string[],
 *          output?: string[], format?: string, speed?: number}} [options]  speed: of its clock
 */
export function publish(to, { size = '320x180', rate = 25, group = 25, headers = {}, input = [],
  output = [], speed = 1, format = to.startsWith('rtmp') ? 'flv' : 'mpegts' } = {}) {
  const over = to.startsWith('http')
    ? ['-method', 'POST', '-headers', Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')]
    : [];
  return runFfmpeg(['-readrate', String(speed), '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}`,
    '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', ...input,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', String(group),
    '-c:a', 'aac', ...output, '-f', format, ...over, to]);
}

/** A file as it is, again and again in real time, to an rtmp:// address until stop(). */
export const publishFile = (to, file) =>
  runFfmpeg(['-re', '-stream_loop', '-1', '-i', file, '-c', 'copy', '-f', 'flv', to]);

function runFfmpeg(args) {
  const child = spawn('ffmpeg', ['-v', 'error', '-nostdin', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  let said = '';
  child.stderr.on('data', (text) => { said += text; });
  const exited = new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, said });
    });
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    return exited;
  };
  return { pid: child.pid, exited, stop, said: () => said };
}

export const publishTs = (origin, channel, options = {}) =>
  publish(feedUrl(origin, channel, options.slot),
    { headers: authorize(origin, channel), ...options });

/** Addresses of the media playlists that a channel's multivariant playlist names, by rendition. */
export async function renditionUrls(server, channel) {
  const base = `${server.url}/${channel}/`;
  const { text } = await get(`${base}index.m3u8`);
  const played = text.replaceAll(/^#EXT-X-(I-FRAME|IMAGE)-STREAM-INF.*$/gm, '');
  const uris = [...played.matchAll(/^(?:([^#\n]+)|.*URI="([^"]+)".*)$/gm)].map((m) => m[1] ?? m[2]);
  return Object.fromEntries(uris.map((uri) => [uri.split('/').at(-2), base + uri]));
}

/** Waits until something is on air; the addresses of its renditions. */
export const waitForAir = (server, channel) =>
  until(`${channel} to be on air`, async () => {
    const urls = await renditionUrls(server, channel);
    for (const url of Object.values(urls)) await get(url);
    return Object.keys(urls).length > 0 && urls;
  }, { deadline_ms: 60_000, every_ms: 100 });

/**
 * A media playlist as values: {sequence, target, segments: [{number, gap, duration, date, parts}],
 * open: [part], next: {msn, part}, hint, reports, ended, skipped}; a part is {uri, duration, independent, gap}.
 */
export function readLive(text) {
  const out = { sequence: 0, segments: [], open: [], reports: [], skipped: 0, ended: false, hint: null };
  let parts = [], gap = false, duration = 0, date = null;
  const attribute = (line, name) => new RegExp(`[:,]${name}=("([^"]*)"|[^,]*)`).exec(line);
  const value = (line, name) => { const m = attribute(line, name); return m && (m[2] ?? m[1]); };
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXT-X-MEDIA-SEQUENCE:')) out.sequence = Number(line.split(':')[1]);
    else if (line.startsWith('#EXT-X-TARGETDURATION:')) out.target = Number(line.split(':')[1]);
    else if (line.startsWith('#EXT-X-SKIP:')) out.skipped = Number(value(line, 'SKIPPED-SEGMENTS'));
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) date = Date.parse(line.slice(25));
    else if (line === '#EXT-X-GAP') gap = true;
    else if (line.startsWith('#EXTINF:')) duration = Number.parseFloat(line.slice(8));
    else if (line.startsWith('#EXT-X-PART:')) {
      parts.push({ uri: value(line, 'URI'), duration: Number(value(line, 'DURATION')),
        independent: value(line, 'INDEPENDENT') === 'YES', gap: value(line, 'GAP') === 'YES' });
    } else if (line.startsWith('#EXT-X-PRELOAD-HINT:')) out.hint = value(line, 'URI');
    else if (line.startsWith('#EXT-X-RENDITION-REPORT:')) {
      out.reports.push({ uri: value(line, 'URI'), msn: Number(value(line, 'LAST-MSN')),
        part: value(line, 'LAST-PART') });
    } else if (line === '#EXT-X-ENDLIST') out.ended = true;
    else if (line && !line.startsWith('#')) {
      out.segments.push({ number: out.sequence + out.skipped + out.segments.length, uri: line, gap, duration, date, parts });
      parts = [];
      gap = false;
    }
  }
  out.open = parts;
  out.next = { msn: out.sequence + out.skipped + out.segments.length, part: parts.length };
  return out;
}

export const fetchLive = async (url) => readLive((await get(url)).text);

/** Reads on by blocking reloads until `enough(playlist)`; every playlist on the way goes to `see`. */
export async function followLive(url, enough, see = () => {}) {
  let now = await fetchLive(url);
  for (const end = Date.now() + 60_000; !enough(now); ) {
    if (Date.now() > end) throw new Error(`${url} did not come so far: ${JSON.stringify(now.next)}`);
    const { msn, part } = now.next;
    const answer = await request(`${url}?_HLS_msn=${msn}&_HLS_part=${part}`);
    if (answer.status === 503) continue;
    if (answer.status !== 200) throw new Error(`${url} ${msn}.${part}: ${answer.status} ${answer.text}`);
    const next = readLive(answer.text);
    see(next, now);
    now = next;
  }
  return now;
}
