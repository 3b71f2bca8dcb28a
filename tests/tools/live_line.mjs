// One rendition of a live channel followed at one server, for live_watch.mjs: what it answers is read, judged
// by the rules, and all that it lists and hints at is fetched.

import { Agent } from 'node:http';
import zlib from 'node:zlib';
import { request } from '../support/http.mjs';
import { applyDelta, compareEnds, goesBack, readLiveMedia } from './live_playlist.mjs';
import * as rules from './live_rules.mjs';
import { playThrough } from './stalls.mjs';

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
const retry_ms = 100;
const probe_each = 8;  // versions from one look at directives and deltas to the next
const ageOf = ({ headers }) => Number(/max-age=(\d+)/.exec(headers['cache-control'] ?? '')?.[1] ?? NaN);

/** One rendition at one server. */
export class LiveLine {
  now = null;        // the newest whole playlist
  pieces = [];       // of playThrough
  #versions = 0;
  #asked = [];       // fetches under way
  #parts = new Map();  // uri → bytes, of segments that are not complete yet
  #update = null;    // a delta whose moment has no whole playlist yet
  #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(watch, server, name, url, names) {
    Object.assign(this, { watch, server, name, url });
    this.siblings = names.filter((one) => one !== name);
    this.where = `${server} ${name}`;
    this.folder = url.slice(0, url.lastIndexOf('/') + 1);
  }

  close() { this.#agent.destroy(); }

  #report = (rule, what) => this.watch.report(rule, this.where, what);

  /** null: not answered, and that was to be expected or is told. */
  async #ask(url, headers = {}) {
    const was_down = () => this.watch.isDown(this.server);
    const before = was_down();
    try {
      return await request(url, { headers, agent: this.#agent, deadline_ms: 60_000 });
    } catch (error) {
      const expected = before || was_down() || this.watch.stopped;
      if (!expected) this.#report('reachable', `${url.replace(this.folder, '')}: ${error.message}`);
      return null;
    }
  }

  async follow() {
    while (!this.watch.stopped && !this.now?.ended) {
      const [was_calm, asked_ms] = [this.watch.calm(), performance.now()];
      const query = this.now ? `?_HLS_msn=${this.now.next.msn}&_HLS_part=${this.now.next.part}` : '';
      const answer = await this.#ask(this.url + query, { 'accept-encoding': 'gzip' });
      if (this.watch.stopped) break;
      if (!answer) await this.#reconnect();
      else if (answer.status === 200) this.#take(answer, query !== '');
      else if (answer.status === 503) this.#cameNothing(performance.now() - asked_ms, was_calm());
      else if (was_calm()) this.#report('6.2.5.2 blocking reload', `${query}: ${answer.status}`);
      if (answer && answer.status !== 200 && !this.watch.stopped) await pause(retry_ms);
    }
    await Promise.all(this.#asked);
  }

  /** A 503 is for who has waited three target durations. */
  #cameNothing(waited_ms, calm) {
    this.watch.counts.waits += 1;
    const least_ms = 3000 * (this.now?.target_s ?? 0) - retry_ms;
    if (calm && waited_ms < least_ms) this.#report('6.2.5.2 blocking reload', `503 after ${Math.round(waited_ms)} ms`);
  }

  /** What stood before stands still, whoever answers now. */
  async #reconnect() {
    await pause(retry_ms);
    const before = this.now;
    const answer = before && await this.#ask(this.url);
    if (answer?.status === 200) this.#standsStill(before, readLiveMedia(answer.text));
  }

  #standsStill(before, next) {
    if (goesBack(before, next)) {
      const ends = [before, next].map((playlist) => JSON.stringify(playlist.next));
      return this.#report('a playlist never goes back', ends.join(', then '));
    }
    rules.growth(before, next, this.#report);
  }

  #take(answer, blocking) {
    const text = this.#unpacked(answer);
    const next = readLiveMedia(text);
    this.#headers(answer, blocking, next);
    const before = this.now;
    this.watch.counts.versions += 1;
    for (const rule of rules.oneRules) rule(next, this.#report);
    if (next.skipped > 0) return this.#report('6.2.5.1 delta', 'nobody asked for one');
    if (before) this.#standsStill(before, next);
    if (before && goesBack(before, next)) return;
    if (before && blocking && !next.ended && compareEnds(before, next) === 0) {
      this.#report('6.2.5.2 blocking reload', `${JSON.stringify(before.next)} was asked for and is not there`);
    }
    this.now = next;
    this.#note(before, next);
    const all = this.watch.playlistsAt(this.server);
    if (Object.keys(all).length === this.siblings.length + 1) {
      rules.together({ [this.name]: next, ...all }, this.#report);
      rules.reports(next, this.siblings, this.#report);
    }
    this.#checkUpdate(next);
    this.#fetchNew(before, next);
    if (++this.#versions % probe_each === 1) this.#later_on(this.#probe(next));
  }

  #unpacked({ headers, body }) {
    if (headers['content-encoding'] === 'gzip') return zlib.gunzipSync(body).toString();
    this.#report('10.1 gzip', 'the playlist is not compressed though the client takes gzip');
    return body.toString();
  }

  /** An answer to a blocking reload belongs to its query; any other is old soon. */
  #headers(answer, blocking, { target_s, ended }) {
    const { headers } = answer;
    const type = (headers['content-type'] ?? '').split(';')[0];
    if (type !== 'application/vnd.apple.mpegurl') this.#report('mime type', type);
    const age_s = ageOf(answer);
    const most_s = blocking ? 6 * target_s : Math.max(1, target_s / 2);
    if (!(age_s <= most_s) && !ended) this.#report('Cache-Control', `${headers['cache-control']}, blocking: ${blocking}`);
    if (!/accept-encoding/i.test(headers.vary ?? '')) this.#report('Vary', `is ${headers.vary}`);
  }

  /** Each part and each gap, with the moment at which a viewer could have it. */
  #note(before, next) {
    const at_ms = performance.now();
    const seen = before?.next ?? { msn: next.next.msn, part: Math.max(0, next.next.part - 1) };
    const add = (from_ms, seconds, gap) => this.pieces.push({ at_ms, from_ms, to_ms: from_ms + 1000 * seconds, gap });
    for (const each of [...next.segments, { ...next.open, number: next.next.msn }]) {
      if (each.number < seen.msn || each.date_ms === null) continue;
      const first = each.number === seen.msn ? seen.part : 0;
      let from_ms = each.date_ms;
      each.parts.forEach((part, i) => {
        if (i >= first && !part.gap) add(from_ms, part.duration_s, false);
        from_ms += 1000 * part.duration_s;
      });
      if (each.gap) {
        const shown_ms = Math.max(from_ms, each.date_ms + 1000 * this.#shown_s(before, each.number));
        add(shown_ms, each.duration_s - (shown_ms - each.date_ms) / 1000, true);
      } else if (each.number < next.next.msn && each.parts.length === 0) {
        add(each.date_ms, each.duration_s, false);
      }
    }
  }

  #shown_s(before, number) {
    if (before?.next.msn !== number) return 0;
    return before.open.parts.reduce((sum, part) => sum + part.duration_s, 0);
  }

  #later_on(promise) {
    this.#asked.push(promise);
    promise.finally(() => { this.#asked = this.#asked.filter((one) => one !== promise); });
  }

  #fetchNew(before, next) {
    const first = before?.next.msn ?? next.next.msn;
    const known = (uri) => this.#parts.has(uri);
    for (const segment of next.segments.filter(({ number, gap }) => number >= first && !gap)) {
      const wanted = segment.parts.filter(({ uri }) => !known(uri)).map(({ uri }) => this.#fetchPart(uri));
      if (before) this.#later_on(Promise.all(wanted).then(() => this.#fetchWhole(segment)));
    }
    for (const { uri } of next.open.parts) if (!known(uri)) this.#later_on(this.#fetchPart(uri));
    const hint = next.hints.find(({ type }) => type === 'PART')?.uri;
    if (hint && this.#versions % 2 === 0 && !known(hint)) this.#later_on(this.#fetchPart(hint, true));
    for (const uri of this.#parts.keys()) if (Number(uri.split('.')[0]) < next.next.msn - 4) this.#parts.delete(uri);
  }

  async #get(uri) {
    const answer = await this.#ask(this.folder + uri);
    if (!answer) return null;
    if (answer.status === 200 && !/immutable/.test(answer.headers['cache-control'] ?? '')) {
      this.#report('immutable media', `${uri}: ${answer.headers['cache-control']}`);
    }
    return answer;
  }

  /** A listed part is there at once; a hinted one is there in the end if it is ever listed. */
  async #fetchPart(uri, hinted = false) {
    this.#parts.set(uri, null);
    const was_calm = this.watch.calm();
    const answer = await this.#get(uri);
    if (answer?.status === 200) {
      this.#parts.set(uri, answer.body);
      this.watch.seen(`${this.name}/${uri}`, answer.body, this.server);
      this.watch.counts[hinted ? 'hints' : 'parts'] += 1;
      return;
    }
    this.#parts.delete(uri);
    const is_listed = this.#lists(uri);
    if (is_listed && answer && was_calm()) {
      this.#report(hinted ? '4.4.5.3 a hinted part' : '6.2.2 what is listed can be had', `${uri}: ${answer.status}`);
    }
  }

  #lists(uri) {
    return [...this.now.segments, this.now.open].some(({ parts }) => parts.some((part) => part.uri === uri));
  }

  async #fetchWhole({ uri, parts }) {
    const pieces = parts.map((part) => this.#parts.get(part.uri));
    const was_calm = this.watch.calm();
    const answer = await this.#get(uri);
    if (!answer) return;
    if (answer.status !== 200) {
      if (was_calm()) this.#report('6.2.2 what is listed can be had', `${uri}: ${answer.status}`);
      return;
    }
    this.watch.counts.segments += 1;
    this.watch.seen(`${this.name}/${uri}`, answer.body, this.server);
    if (pieces.some((piece) => !piece)) return;
    if (!Buffer.concat(pieces).equals(answer.body)) this.#report('a segment is its parts', uri);
  }

  /** Directives that need no waiting, right and wrong, and a delta of this moment. */
  async #probe(whole) {
    const was_calm = this.watch.calm();
    const { msn, part } = whole.next;
    const wrong = { '_HLS_part=0': 400, '_HLS_msn=x': 400, [`_HLS_msn=${msn + 9}`]: 400,
      [`_HLS_msn=${whole.sequence}`]: 200, [`_HLS_msn=${Math.max(0, whole.sequence - 1)}&_HLS_part=0`]: 200 };
    for (const [query, wanted] of Object.entries(wrong)) {
      const answer = await this.#ask(`${this.url}?${query}`);
      if (!answer || !was_calm() || this.now.ended) continue;
      const said = `${query} at ${msn}.${part}: ${answer.status}, ${answer.headers['cache-control']}`;
      if (answer.status !== wanted) this.#report('6.2.5.2 directives', `${said}, not ${wanted}`);
      if (answer.status === 400 && ageOf(answer) > whole.target_s) this.#report('Cache-Control', said);
    }
    const now = this.now;
    const plain = await this.#ask(this.url);
    if (plain?.status === 200) this.#standsStill(now, readLiveMedia(plain.text));
    const never = await this.#ask(`${this.folder}${msn + 1000}.0.m4s`);
    if (never && was_calm() && never.status !== 404) this.#report('6.2.6 an unknown part', `${never.status}`);
    await this.#askDelta(this.#versions % (2 * probe_each) === 1 ? 'YES' : 'v2');
  }

  async #askDelta(how) {
    const last = this.now;
    const answer = await this.#ask(`${this.url}?_HLS_msn=${last.next.msn}&_HLS_part=${last.next.part}&_HLS_skip=${how}`);
    if (answer?.status !== 200) return;
    const update = readLiveMedia(answer.text);
    if (update.skipped === 0) return;
    for (const rule of [rules.head, rules.segments, rules.hints]) rule(update, this.#report);
    this.#update = { before: last, update };
    this.#checkUpdate(this.now);
  }

  #checkUpdate(whole) {
    if (!this.#update || compareEnds(whole, this.#update.update) < 0) return;
    const { before, update } = this.#update;
    this.#update = null;
    rules.delta(whole, before, update, this.#report);
    if (applyDelta(before, update)) this.watch.counts.deltas += 1;
  }

  story(begin_ms) {
    const hold_back_s = Number(this.now?.control['PART-HOLD-BACK'] ?? 0);
    const { stalls, gap_s } = playThrough(this.pieces, hold_back_s, performance.now());
    const stall_s = stalls.filter(({ at_ms, s }) => at_ms + 1000 * s > begin_ms).reduce((sum, { s }) => sum + s, 0);
    return { server: this.server, name: this.name, stall_s, gap_s };
  }
}

