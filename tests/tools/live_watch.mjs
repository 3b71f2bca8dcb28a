// Watches a live channel at several servers at once: every rendition is followed there by blocking
// reloads, every part and segment is fetched, and the rules of live_rules.mjs are put to what comes.

import { createHash } from 'node:crypto';
import { request } from '../support/http.mjs';
import { readMultivariant } from './hls_playlist.mjs';
import { LiveLine } from './live_line.mjs';

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
const hashes_kept = 5000;  // of objects, after forget()

/** Names and addresses of the media playlists of a channel's multivariant playlist at `server`. */
export async function followable(server, channel) {
  const url = `${server}/${channel}/index.m3u8`;
  const { status, text } = await request(url);
  if (status !== 200) throw new Error(`GET ${url}: ${status}`);
  const { variants, media } = readMultivariant(text, url);
  const urls = [...variants, ...media].map((one) => one.url).filter(Boolean);
  return Object.fromEntries(urls.map((one) => [new URL(one).pathname.split('/').at(-2), one]));
}

export class LiveWatch {
  /** [{rule, where, what}] */
  findings = [];
  counts = { versions: 0, parts: 0, segments: 0, deltas: 0, hints: 0, waits: 0 };
  lines = [];
  hashes = new Map();  // "v240/12.3.m4s" → hash of the first that came
  #down = new Set();
  #stopped = false;
  #running = [];

  /** @param {Record<string, string>} servers name → url  @param {string} channel "demo/final" */
  constructor(servers, channel) {
    this.servers = servers;
    this.channel = channel;
  }

  async start() {
    const [first] = Object.values(this.servers);
    const names = Object.entries(await followable(first, this.channel));
    for (const [server, url] of Object.entries(this.servers)) {
      for (const [name, address] of names) {
        const line = new LiveLine(this, server, name, address.replace(first, url), names.map(([one]) => one));
        this.lines.push(line);
        this.#running.push(line.follow());
      }
    }
    return this;
  }

  async stop() {
    this.#stopped = true;
    for (const line of this.lines) line.close();
    await Promise.all(this.#running);
    return this.findings;
  }

  get stopped() { return this.#stopped; }
  isDown(server) { return this.#down.has(server); }

  /** Told by who breaks things: what `server` does not answer from now on is nobody's fault. */
  down(server) { this.#down.add(server); }
  up(server) { this.#down.delete(server); }
  get someDown() { return this.#down.size > 0; }

  report(rule, where, what) {
    if (!this.findings.some((one) => one.rule === rule && one.where === where && one.what === what)) {
      this.findings.push({ rule, where, what });
    }
  }

  /** The bytes of one object are the same wherever and whenever they are fetched. */
  seen(object, bytes, where) {
    const value = hash(bytes);
    const known = this.hashes.get(object) ?? value;
    this.hashes.set(object, known);
    if (known !== value) this.report('the same bytes everywhere', `${where} ${object}`, `others than before: ${bytes.length}`);
  }

  playlistsAt(server) {
    return Object.fromEntries(this.lines.filter((line) => line.server === server && line.now)
      .map((line) => [line.name, line.now]));
  }

  /** Of long watches: what came before `at_ms` (of performance.now) has been told. */
  forget(at_ms) {
    for (const line of this.lines) line.pieces = line.pieces.filter((piece) => piece.at_ms >= at_ms);
    while (this.hashes.size > hashes_kept) this.hashes.delete(this.hashes.keys().next().value);
  }

  /** What a viewer of each line would have seen from `begin_ms` (of performance.now) on. */
  story(begin_ms) {
    return this.lines.map((line) => line.story(begin_ms));
  }
}
