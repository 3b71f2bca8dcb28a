// An I-frame or image playlist of a live channel followed at one server, for live_watch.mjs: judged by its
// rules, and every picture and sheet that it lists is fetched and looked into.

import { readInit } from './fmp4.mjs';
import { LiveFollower } from './live_follower.mjs';
import * as rules from './live_trick_rules.mjs';
import { judgeSheet, pictureIn, readTrickPlaylist } from './trick_play.mjs';

export class TrickLine extends LiveFollower {
  #init = null;  // a promise of the I-frames' init

  /** @param {string} contents 'I-FRAMES' or 'IMAGES' */
  constructor(watch, server, name, url, contents) {
    super(watch, server, name, url);
    this.contents = contents;
    this.where = `${server} ${name} ${contents}`;
  }

  read(text) {
    const playlist = readTrickPlaylist(text, this.url);
    return { ...playlist, skipped: 0, next: { msn: playlist.sequence + playlist.entries.length, part: 0 } };
  }

  awaited({ next }) { return `_HLS_msn=${next.msn}`; }
  judge(next) { rules.alone(next, this.contents, this.report); }
  growth(before, next) { rules.growth(before, next, this.report); }

  took(before, next) {
    const media = this.#media();
    if (media?.now) rules.beside(next, media.now, new URL(media.now.map, media.url).href, this.report);
    const listed = before ? next.entries.slice(Math.max(0, before.next.msn - next.sequence)) : next.entries.slice(-1);
    const [first, ...others] = listed.filter(({ gap }) => !gap);
    if (first) this.laterOn(this.#fetch(first, true));
    for (const entry of others) this.laterOn(this.#fetch(entry));
  }

  /** Whose segments it goes along with. */
  #media() {
    const lines = this.watch.lines.filter(({ server, is_picture }) => server === this.server && is_picture);
    return this.contents === 'IMAGES' ? lines[0] : lines.find(({ name }) => name === this.name);
  }

  #fetch(entry, with_whole = false) {
    return this.contents === 'IMAGES' ? this.#fetchSheet(entry) : this.#fetchPicture(entry, with_whole);
  }

  async #fetchSheet({ url, tiles }) {
    const answer = await this.askListed(url);
    if (!answer) return;
    this.watch.counts.sheets += 1;
    this.watch.seen(url.replace(this.folder, `${this.name}/`), answer.body, this.server);
    if (answer.headers['content-type'] !== 'image/jpeg') this.report('mime type', answer.headers['content-type']);
    judgeSheet(answer.body, tiles, url, (rule, _, what) => this.report(rule, `${url.replace(this.folder, '')}: ${what}`));
  }

  /** `with_whole`: its bytes are also looked up in the whole segment. */
  async #fetchPicture({ url, range: { offset, length }, date }, with_whole) {
    const name = `${url.replace(this.folder, '')} ${length}@${offset}`;
    const answer = await this.askListed(url, { range: `bytes=${offset}-${offset + length - 1}` });
    if (!answer) return;
    this.watch.counts.pictures += 1;
    this.watch.seen(`${this.name}/${name}`, answer.body, this.server);
    const init = await (this.#init ??= this.#fetchInit());
    if (!init) return;
    try {
      const { sample } = pictureIn(answer.body, { offset: 0, length }, init);
      this.watch.placed(this.where, name, date - 1000 * sample.decodeTime / init.timescale);
    } catch (error) {
      this.report('6.10 I-frame range', `${name}: ${error.message}`);
    }
    const whole = with_whole && await this.askListed(url);
    if (whole && !whole.body.subarray(offset, offset + length).equals(answer.body)) {
      this.report('6.10 I-frame range', `${name} is not that of its segment`);
    }
  }

  async #fetchInit() {
    const answer = await this.askListed(this.now.map);
    if (!answer) this.#init = null;
    return answer && readInit(answer.body);
  }
}
