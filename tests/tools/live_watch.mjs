#!/usr/bin/env node
// Watches a live channel at several servers at once: every rendition is followed there by blocking
// reloads, every part and segment is fetched, and the rules of live_rules.mjs are put to what comes; so are the
// I-frame and image playlists, and the multivariant playlist is looked at with every segment.
//   node tests/tools/live_watch.mjs SECONDS TENANT/CHANNEL URL…
// prints a line a finding, and what a viewer of each rendition would have seen; 0 without a finding.

import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { request } from '../support/http.mjs';
import { readMultivariant } from './hls_playlist.mjs';
import { LiveLine } from './live_line.mjs';
import { LivePresentation } from './live_presentation.mjs';
import { TrickLine } from './live_trick_line.mjs';

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
const hashes_kept = 5000;  // of objects, after forget()
const date_slack_ms = 2;   // dates are written in milliseconds

const at = (server, channel) => `${server}/${channel}/index.m3u8`;
const folderName = (url) => new URL(url).pathname.split('/').at(-2);

async function multivariantOf(server, channel) {
  const url = at(server, channel);
  const { status, text } = await request(url);
  if (status !== 200) throw new Error(`GET ${url}: ${status}`);
  return readMultivariant(text, url);
}

const played = ({ variants, media }) => new Map([...variants, ...media].filter(({ url }) => url)
  .map(({ url, attributes }) => [folderName(url), { url, is_picture: Boolean(attributes.RESOLUTION) }]));

/** Names and addresses of the media playlists of a channel's multivariant playlist at `server`. */
export async function followable(server, channel) {
  const found = played(await multivariantOf(server, channel));
  return Object.fromEntries([...found].map(([name, { url }]) => [name, url]));
}

export class LiveWatch {
  /** [{rule, where, what}] */
  findings = [];
  counts = { versions: 0, parts: 0, segments: 0, deltas: 0, hints: 0, waits: 0, multivariants: 0, pictures: 0, sheets: 0 };
  lines = [];    // of the renditions
  #others = [];  // of what stands beside them
  hashes = new Map();  // "v240/12.3.m4s" → hash of the first that came
  #down = new Set();
  #breaks = 0;  // so often was a server told to be down
  #epoch_ms = null;  // the date at which media time is 0
  #stopped = false;
  #running = [];

  /** @param {Record<string, string>} servers name → url  @param {string} channel "demo/final" */
  constructor(servers, channel) {
    this.servers = servers;
    this.channel = channel;
  }

  async start() {
    const [first] = Object.values(this.servers);
    const multivariant = await multivariantOf(first, this.channel);
    for (const [server, url] of Object.entries(this.servers)) this.#startAt(server, multivariant, (one) => one.replace(first, url));
    for (const line of [...this.lines, ...this.#others]) this.#running.push(line.follow());
    return this;
  }

  /** `here`: of an address at the first server, the one at this. */
  #startAt(server, multivariant, here) {
    const names = played(multivariant);
    const presentation = new LivePresentation(this, server, at(this.servers[server], this.channel));
    for (const [name, { url, is_picture }] of names) {
      this.lines.push(new LiveLine(this, server, name, here(url), { names: [...names.keys()], is_picture, presentation }));
    }
    for (const [contents, list] of [['I-FRAMES', multivariant.iFrames], ['IMAGES', multivariant.images]]) {
      for (const { url } of list) this.#others.push(new TrickLine(this, server, folderName(url), here(url), contents));
    }
    this.#others.push(presentation);
  }

  async stop() {
    this.#stopped = true;
    for (const one of [...this.lines, ...this.#others]) one.close();
    await Promise.all(this.#running);
    return this.findings;
  }

  get stopped() { return this.#stopped; }
  isDown(server) { return this.#down.has(server); }

  /** Told by who breaks things: what `server` does not answer from now on is nobody's fault. */
  down(server) {
    this.#down.add(server);
    this.#breaks += 1;
  }

  up(server) { this.#down.delete(server); }
  get someDown() { return this.#down.size > 0; }

  /** Whether all stood from now until it is asked. */
  calm() {
    const [breaks, stood] = [this.#breaks, !this.someDown];
    return () => stood && breaks === this.#breaks;
  }

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

  /** What lies at a date has the media time of that date, everywhere and as long as the channel lives. */
  placed(where, name, epoch_ms) {
    this.#epoch_ms ??= epoch_ms;
    const off_ms = epoch_ms - this.#epoch_ms;
    if (Math.abs(off_ms) > date_slack_ms) this.report('6.2.4 one timeline', where, `${name} lies ${off_ms} ms from its place`);
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

async function main([seconds, channel, ...urls]) {
  if (!(seconds > 0) || urls.length === 0) throw new Error('usage: live_watch.mjs SECONDS TENANT/CHANNEL URL…');
  const watch = await new LiveWatch(Object.fromEntries(urls.map((url) => [new URL(url).host, new URL(url).origin])), channel).start();
  await new Promise((wake) => setTimeout(wake, 1000 * seconds));
  for (const { server, name, stall_s, gap_s } of watch.story(0)) {
    console.log(`${server} ${name}: stood for ${stall_s.toFixed(2)} s, ${gap_s.toFixed(2)} s were missing`);
  }
  const findings = await watch.stop();
  for (const { rule, where, what } of findings) console.log(`${where}: ${rule}: ${what}`);
  console.log(`${findings.length} findings in ${JSON.stringify(watch.counts)}`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
