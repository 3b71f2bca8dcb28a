// One playlist of a live channel, followed at one server by blocking reloads, for live_watch.mjs: what every
// answer must be, whatever the playlist lists.

import { Agent } from 'node:http';
import zlib from 'node:zlib';
import { request } from '../support/http.mjs';
import { compareEnds, goesBack } from './live_playlist.mjs';

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
const retry_ms = 100;

/** Seconds for which an answer may be kept. */
export const ageOf = ({ headers }) => Number(/max-age=(\d+)/.exec(headers['cache-control'] ?? '')?.[1] ?? NaN);

/**
 * Who follows a kind of playlist says how it is read (`read`: with target_s, ended, skipped and next, see
 * readLiveMedia), asked for (`awaited`: the query of what is not there yet), judged (`judge` by itself,
 * `growth` beside the one before), and what else there is to do (`took`).
 */
export class LiveFollower {
  now = null;   // the newest whole playlist
  #asked = [];  // what is under way beside the playlist
  #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(watch, server, name, url) {
    Object.assign(this, { watch, server, name, url });
    this.where = `${server} ${name}`;
    this.folder = url.slice(0, url.lastIndexOf('/') + 1);
  }

  close() { this.#agent.destroy(); }

  report = (rule, what) => this.watch.report(rule, this.where, what);

  /** null: not answered, and that was to be expected or is told. */
  async ask(url, headers = {}) {
    const was_down = () => this.watch.isDown(this.server);
    const before = was_down();
    try {
      return await request(url, { headers, agent: this.#agent, deadline_ms: 60_000 });
    } catch (error) {
      const expected = before || was_down() || this.watch.stopped;
      if (!expected) this.report('reachable', `${url.replace(this.folder, '')}: ${error.message}`);
      return null;
    }
  }

  async askMedia(url, headers) {
    const answer = await this.ask(url, headers);
    const lifetime = answer?.headers['cache-control'] ?? '';
    if (answer?.status < 300 && !/immutable/.test(lifetime)) {
      this.report('immutable media', `${url.replace(this.folder, '')}: ${lifetime}`);
    }
    return answer;
  }

  /** null: what is listed did not come, which is told where it is a fault. */
  async askListed(url, headers) {
    const was_calm = this.watch.calm();
    const answer = await this.askMedia(url, headers);
    if (answer?.status === (headers?.range ? 206 : 200)) return answer;
    if (answer && was_calm()) {
      this.report('6.2.2 what is listed can be had', `${url.replace(this.folder, '')}: ${answer.status}`);
    }
    return null;
  }

  laterOn(promise) {
    this.#asked.push(promise);
    promise.finally(() => { this.#asked = this.#asked.filter((one) => one !== promise); });
  }

  async follow() {
    while (!this.watch.stopped && !this.now?.ended) {
      const [was_calm, asked_ms] = [this.watch.calm(), performance.now()];
      const query = this.now ? `?${this.awaited(this.now)}` : '';
      const answer = await this.ask(this.url + query, { 'accept-encoding': 'gzip' });
      if (this.watch.stopped) break;
      if (!answer) await this.#reconnect();
      else if (answer.status === 200) this.#take(answer, query !== '');
      else if (answer.status === 503) this.#cameNothing(performance.now() - asked_ms, was_calm());
      else if (was_calm()) this.report('6.2.5.2 blocking reload', `${query}: ${answer.status}`);
      if (answer && answer.status !== 200 && !this.watch.stopped) await pause(retry_ms);
    }
    await Promise.all(this.#asked);
  }

  /** A 503 is for who has waited three target durations. */
  #cameNothing(waited_ms, calm) {
    this.watch.counts.waits += 1;
    const least_ms = 3000 * (this.now?.target_s ?? 0) - retry_ms;
    if (calm && waited_ms < least_ms) this.report('6.2.5.2 blocking reload', `503 after ${Math.round(waited_ms)} ms`);
  }

  /** What stood before stands still, whoever answers now. */
  async #reconnect() {
    await pause(retry_ms);
    const before = this.now;
    const answer = before && await this.ask(this.url);
    if (answer?.status === 200) this.standsStill(before, this.read(answer.text));
  }

  standsStill(before, next) {
    if (goesBack(before, next)) {
      const ends = [before, next].map((playlist) => JSON.stringify(playlist.next));
      return this.report('a playlist never goes back', ends.join(', then '));
    }
    this.growth(before, next);
  }

  #take(answer, blocking) {
    const [before, next] = [this.now, this.read(this.unpacked(answer))];
    this.#headers(answer, blocking, next);
    this.watch.counts.versions += 1;
    this.judge(next);
    if (next.skipped > 0) return this.report('6.2.5.1 delta', 'nobody asked for one');
    if (before) this.standsStill(before, next);
    if (before && goesBack(before, next)) return;
    if (before && blocking && !next.ended && compareEnds(before, next) === 0) {
      this.report('6.2.5.2 blocking reload', `${JSON.stringify(before.next)} was asked for and is not there`);
    }
    this.now = next;
    this.took(before, next);
  }

  /** The text of a playlist's answer. */
  unpacked({ headers, body }) {
    const type = (headers['content-type'] ?? '').split(';')[0];
    if (type !== 'application/vnd.apple.mpegurl') this.report('mime type', type);
    if (!/accept-encoding/i.test(headers.vary ?? '')) this.report('Vary', `is ${headers.vary}`);
    if (headers['content-encoding'] === 'gzip') return zlib.gunzipSync(body).toString();
    this.report('10.1 gzip', 'the playlist is not compressed though the client takes gzip');
    return body.toString();
  }

  /** An answer to a blocking reload belongs to its query; any other is old soon. */
  #headers(answer, blocking, { target_s, ended }) {
    const most_s = blocking ? 6 * target_s : Math.max(1, target_s / 2);
    if (ageOf(answer) <= most_s || ended) return;
    this.report('Cache-Control', `${answer.headers['cache-control']}, blocking: ${blocking}`);
  }
}
