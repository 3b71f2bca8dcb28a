// The multivariant playlist of a live channel looked at again and again at one server, for live_watch.mjs: it
// names what is followed there, and what it says of that is true of the newest segments.

import { until } from '../support/poll.mjs';
import { readInit, readSegment } from './fmp4.mjs';
import { readMultivariant } from './hls_playlist.mjs';
import { ageOf, LiveFollower } from './live_follower.mjs';
import { alignment, continuity, independentSegments, multivariantAttributes, peakRate, truthfulAttributes } from './rules.mjs';

const peak_most = 1.25;  // 1.29: of BANDWIDTH

export class LivePresentation extends LiveFollower {
  #inits = new Map();  // address → {bytes, …}

  constructor(watch, server, url) {
    super(watch, server, 'index.m3u8', url);
  }

  /** It is told when to look. */
  follow() {}

  async look() {
    const answer = await this.ask(this.url, { 'accept-encoding': 'gzip' });
    if (answer?.status !== 200) return;
    this.watch.counts.multivariants += 1;
    const multivariant = readMultivariant(this.unpacked(answer), this.url);
    const lines = this.watch.lines.filter(({ server }) => server === this.server);
    this.#names(multivariant, lines);
    await this.#lasts(answer, lines);
    const renditions = await this.#newest(lines);
    if (renditions) this.#judge({ url: this.url, multivariant, renditions });
  }

  /** A recording's may be kept for long: it has come when all that it names has ended, too. */
  async #lasts(answer, lines) {
    if (ageOf(answer) <= lines[0].now.target_s) return;
    const hasEnded = () => this.watch.stopped || lines.every(({ now }) => now.ended);
    await until('the end', hasEnded, { deadline_ms: 5_000 })
      .catch(() => this.report('Cache-Control', answer.headers['cache-control']));
  }

  #names({ variants, media }, lines) {
    const [named, followed] = [[...variants, ...media], lines]
      .map((list) => [...new Set(list.map(({ url }) => url).filter(Boolean))].sort().join(' '));
    if (named !== followed) this.report('renditions never change', `${named}, before ${followed}`);
  }

  /** What the rules of finished presentations take, of the newest segments that all renditions have; or null. */
  async #newest(lines) {
    const numbers = lines.map(({ recent }) => recent.map(({ number }) => number));
    const shared = numbers[0].filter((number) => numbers.every((list) => list.includes(number)));
    const first = shared.findLastIndex((number, i) => i > 0 && number !== shared[i - 1] + 1);
    const run = shared.slice(Math.max(0, first));
    if (run.length === 0) return null;
    const renditions = lines.map((line) => ({ line, segments: line.recent.filter(({ number }) => run.includes(number)) }));
    return Promise.all(renditions.map(({ line, segments }) => this.#read(line, segments)));
  }

  async #read({ url, name, now }, listed) {
    const map = new URL(now.map, url).href;
    if (!this.#inits.has(map)) {
      const { body } = await this.askListed(map) ?? {};
      if (body) this.#inits.set(map, readInit(body));
    }
    const init = this.#inits.get(map);
    const segments = init ? listed.map((one) => this.#segment(one, map, init)).filter(Boolean) : [];
    return { url, name, init, segments, media: { ...now, map, segments: listed } };
  }

  #segment(listed, map, init) {
    try {
      const segment = { ...listed, map, init, ...readSegment(listed.bytes, init) };
      const [{ decodeTime }] = segment.samples;
      // Sound begins with a frame of its own.
      if (init.kind === 'vide') this.watch.placed(this.where, listed.url, listed.date_ms - 1000 * decodeTime / init.timescale);
      return segment;
    } catch (error) {
      this.report('fMP4', `${listed.url}: ${error.message}`);
      return null;
    }
  }

  #judge(presentation) {
    const report = (rule, where, what) => this.report(rule, `${new URL(where).pathname}: ${what}`);
    for (const rule of [multivariantAttributes, continuity, independentSegments, truthfulAttributes]) rule(presentation, report);
    const pictures = presentation.renditions.filter(({ init }) => init?.kind === 'vide');
    alignment({ renditions: pictures }, report);
    this.#peaks(presentation);
  }

  /** 9.x of trick play, and 1.29. */
  #peaks({ multivariant, renditions }) {
    const { variants, media, iFrames, images } = multivariant;
    for (const { attributes: stated, url } of [...iFrames, ...images]) {
      for (const name of ['BANDWIDTH', 'CODECS', 'RESOLUTION', 'URI']) {
        if (!stated[name]) this.report(`9.x ${name}`, `${url}: is missing`);
      }
    }
    const pictures = renditions.filter(({ init }) => init?.kind === 'vide');
    if (pictures.length > 0 && iFrames.length === 0) this.report('6.1 I-frame playlists', 'there is none');
    for (const { attributes: stated, url } of variants) {
      const of = [url, ...media.filter(({ attributes }) => attributes['GROUP-ID'] === stated.AUDIO).map((one) => one.url)];
      const together = renditions.filter((one) => of.includes(one.url) && one.segments.length > 0);
      const measured = together.reduce((sum, one) => sum + peakRate(one), 0);
      if (measured >= peak_most * Number(stated.BANDWIDTH)) {
        this.report('1.29 BANDWIDTH', `${url} declares ${stated.BANDWIDTH} bit/s, measured ${Math.round(measured)}`);
      }
    }
  }
}
