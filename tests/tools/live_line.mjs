// One rendition of a live channel followed at one server, for live_watch.mjs: what it answers is judged by the
// rules, and all that it lists and hints at is fetched.

import { ageOf, LiveFollower } from './live_follower.mjs';
import { applyDelta, compareEnds, readLiveMedia } from './live_playlist.mjs';
import * as rules from './live_rules.mjs';
import { playThrough } from './stalls.mjs';

const probe_each = 8;  // versions from one look at directives and deltas to the next
const recent_most = 3;

/** One rendition at one server. */
export class LiveLine extends LiveFollower {
  pieces = [];  // of playThrough
  recent = [];  // the newest whole segments: {number, url, duration_s, date_ms, bytes}
  #versions = 0;
  #parts = new Map();  // uri → bytes, of segments that are not complete yet
  #update = null;  // a delta whose moment has no whole playlist yet

  /** `names`: of all renditions; `presentation`: of this server. */
  constructor(watch, server, name, url, { names, is_picture, presentation }) {
    super(watch, server, name, url);
    this.is_picture = is_picture;
    this.siblings = names.filter((one) => one !== name);
    this.presentation = name === names[0] ? presentation : null;  // one of them says when to look
  }

  read(text) { return readLiveMedia(text); }
  awaited({ next }) { return `_HLS_msn=${next.msn}&_HLS_part=${next.part}`; }
  judge(next) { for (const rule of rules.oneRules) rule(next, this.report); }
  growth(before, next) { rules.growth(before, next, this.report); }

  took(before, next) {
    this.#note(before, next);
    const all = this.watch.playlistsAt(this.server);
    if (Object.keys(all).length === this.siblings.length + 1) {
      rules.together({ [this.name]: next, ...all }, this.report);
      rules.reports(next, this.siblings, this.report);
    }
    this.#checkUpdate(next);
    this.#fetchNew(before, next);
    if (++this.#versions % probe_each === 1) this.laterOn(this.#probe(next));
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
      each.parts.filter(({ gap }) => !gap).forEach((part, i) => {
        if (i >= first) add(from_ms, part.duration_s, false);
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

  #fetchNew(before, next) {
    const first = before?.next.msn ?? next.next.msn;
    const known = (uri) => this.#parts.has(uri);
    for (const segment of next.segments.filter(({ number, gap }) => number >= first && !gap)) {
      const wanted = segment.parts.filter(({ uri }) => !known(uri)).map(({ uri }) => this.#fetchPart(uri));
      if (before) this.laterOn(Promise.all(wanted).then(() => this.#fetchWhole(segment)));
    }
    for (const { uri } of next.open.parts) if (!known(uri)) this.laterOn(this.#fetchPart(uri));
    const hint = next.hints.find(({ type }) => type === 'PART')?.uri;
    if (hint && this.#versions % 2 === 0 && !known(hint)) this.laterOn(this.#fetchPart(hint, true));
    for (const uri of this.#parts.keys()) if (Number(uri.split('.')[0]) < next.next.msn - 4) this.#parts.delete(uri);
  }

  /** A listed part is there at once; a hinted one is there in the end if it is ever listed. */
  async #fetchPart(uri, hinted = false) {
    this.#parts.set(uri, null);
    const was_calm = this.watch.calm();
    const answer = await this.askMedia(this.folder + uri);
    if (answer?.status === 200) {
      this.#parts.set(uri, answer.body);
      this.watch.seen(`${this.name}/${uri}`, answer.body, this.server);
      this.watch.counts[hinted ? 'hints' : 'parts'] += 1;
      return;
    }
    this.#parts.delete(uri);
    const is_listed = this.#lists(uri);
    if (is_listed && answer && was_calm()) {
      this.report(hinted ? '4.4.5.3 a hinted part' : '6.2.2 what is listed can be had', `${uri}: ${answer.status}`);
    }
  }

  #lists(uri) {
    return [...this.now.segments, this.now.open].some(({ parts }) => parts.some((part) => part.uri === uri && !part.gap));
  }

  async #fetchWhole({ number, uri, parts, duration_s, date_ms }) {
    const pieces = parts.map((part) => this.#parts.get(part.uri));
    const answer = await this.askListed(this.folder + uri);
    if (!answer) return;
    this.watch.counts.segments += 1;
    this.watch.seen(`${this.name}/${uri}`, answer.body, this.server);
    const others = this.recent.filter((one) => one.number !== number);
    this.recent = [...others, { number, url: this.folder + uri, duration_s, date_ms, bytes: answer.body }]
      .sort((a, b) => a.number - b.number).slice(-recent_most);
    if (this.presentation) this.laterOn(this.presentation.look());
    if (pieces.some((piece) => !piece)) return;
    if (!Buffer.concat(pieces).equals(answer.body)) this.report('a segment is its parts', uri);
  }

  /** Directives that need no waiting, right and wrong, and a delta of this moment. */
  async #probe(whole) {
    const was_calm = this.watch.calm();
    const { msn, part } = whole.next;
    const wrong = { '_HLS_part=0': 400, '_HLS_msn=x': 400, [`_HLS_msn=${msn + 9}`]: 400,
      [`_HLS_msn=${whole.sequence}`]: 200, [`_HLS_msn=${Math.max(0, whole.sequence - 1)}&_HLS_part=0`]: 200 };
    for (const [query, wanted] of Object.entries(wrong)) {
      const answer = await this.ask(`${this.url}?${query}`);
      if (!answer || !was_calm() || this.now.ended) continue;
      const said = `${query} at ${msn}.${part}: ${answer.status}, ${answer.headers['cache-control']}`;
      if (answer.status !== wanted) this.report('6.2.5.2 directives', `${said}, not ${wanted}`);
      if (answer.status === 400 && ageOf(answer) > whole.target_s) this.report('Cache-Control', said);
    }
    const now = this.now;
    const plain = await this.ask(this.url);
    if (plain?.status === 200) this.standsStill(now, readLiveMedia(plain.text));
    const never = await this.ask(`${this.folder}${msn + 1000}.0.m4s`);
    if (never && was_calm() && never.status !== 404) this.report('6.2.6 an unknown part', `${never.status}`);
    await this.#askDelta(this.#versions % (2 * probe_each) === 1 ? 'YES' : 'v2');
  }

  async #askDelta(how) {
    const last = this.now;
    const answer = await this.ask(`${this.url}?_HLS_msn=${last.next.msn}&_HLS_part=${last.next.part}&_HLS_skip=${how}`);
    if (answer?.status !== 200) return;
    const update = readLiveMedia(answer.text);
    if (update.skipped === 0) return;
    for (const rule of [rules.head, rules.segments, rules.hints]) rule(update, this.report);
    this.#update = { before: last, update };
    this.#checkUpdate(this.now);
  }

  #checkUpdate(whole) {
    if (!this.#update || compareEnds(whole, this.#update.update) < 0) return;
    const { before, update } = this.#update;
    this.#update = null;
    rules.delta(whole, before, update, this.report);
    if (applyDelta(before, update)) this.watch.counts.deltas += 1;
  }

  /** Of each part that came since `since_ms`: how long after its end, by its date. */
  delays_ms(since_ms) {
    return this.pieces.filter(({ gap, at_ms }) => !gap && at_ms >= since_ms)
      .map(({ at_ms, to_ms }) => performance.timeOrigin + at_ms - to_ms);
  }

  story(begin_ms) {
    const hold_back_s = Number(this.now?.control['PART-HOLD-BACK'] ?? 0);
    const { stalls, gap_s } = playThrough(this.pieces, hold_back_s, performance.now());
    const stall_s = stalls.filter(({ at_ms, s }) => at_ms + 1000 * s > begin_ms).reduce((sum, { s }) => sum + s, 0);
    return { server: this.server, name: this.name, stall_s, gap_s };
  }
}

