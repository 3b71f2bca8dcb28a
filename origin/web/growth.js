// While a presentation is being encoded, its multivariant playlist gains renditions. This looks now
// and then, and has the player adopt what is new once two looks agree.

const look_every_ms = 5000;

export class Growth {
  #before = '';
  #adopted = '';  // what hls.js leaves out (no browser plays everything) is not new for ever
  #timer = null;

  constructor(player, address) {
    this.player = player;
    this.address = address;
  }

  start() {
    this.#timer = setTimeout(() => this.#look(), look_every_ms);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  async #look() {
    const wasGrowing = this.player.growing;
    const names = await renditions(this.address);
    const known = this.player.levels.map(({ key }) => key).sort().join('\n');
    const settled = names !== null && names === this.#before;
    if (settled && names !== this.#adopted && hasNew(names, known)) {
      this.#adopted = names;
      this.player.adopt();
    }
    this.#before = names ?? this.#before;
    if (wasGrowing || this.player.growing || !settled) this.start();
  }
}

/** Paths of the variants, sorted, a line each; null when the playlist can't be read now. */
async function renditions(address) {
  try {
    const response = await fetch(address, { cache: 'no-cache' });
    if (!response.ok) return null;
    return variantPaths(await response.text(), response.url).join('\n');
  } catch {
    return null;
  }
}

/** Of what can be chosen: the sound alone, which is a rendition too, hls.js leaves out beside pictures. */
export function variantPaths(text, base) {
  const lines = text.split(/\r?\n/);
  const sounds = lines.map((line) => /^#EXT-X-MEDIA:.*URI="([^"]+)"/.exec(line)?.[1]);
  const uris = lines.filter((line, i) => lines[i - 1]?.startsWith('#EXT-X-STREAM-INF:') && !sounds.includes(line));
  return [...new Set(uris.map((uri) => new URL(uri, base).pathname))].sort();
}

function hasNew(names, known) {
  const have = new Set(known.split('\n'));
  return names.split('\n').some((name) => name && !have.has(name));
}
