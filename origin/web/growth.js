// While a presentation is being encoded, its multivariant playlist gains renditions. This looks now
// and then, and has the player adopt what is new once two looks agree.

const look_every_ms = 5000;

export class Growth {
  #before = '';
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
    if (settled && hasNew(names, known)) this.player.adopt();
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

export function variantPaths(text, base) {
  const lines = text.split(/\r?\n/);
  const uris = lines.filter((line, i) => i > 0 && lines[i - 1].startsWith('#EXT-X-STREAM-INF:'));
  return [...new Set(uris.map((uri) => new URL(uri, base).pathname))].sort();
}

function hasNew(names, known) {
  const have = new Set(known.split('\n'));
  return names.split('\n').some((name) => name && !have.has(name));
}
