// What the campaign's origin serves and its viewers expect: every byte follows from an object's number
// and its version, so each side makes it by itself. Pure.

/** Objects below this number are old titles; from it on they are live segments, the newest last. */
export const titles = 20_000;
export const segments_max = 1_000;
export const objects = titles + segments_max;

const stamp_bytes = 64;
const noise = makeNoise(1 << 20);

export const pathOf = (id) => (id < titles ? `/title/${id}` : `/live/${id - titles}`);

export function idOf(path) {
  const found = /^\/(title|live)\/(\d+)$/.exec(path);
  return found ? Number(found[2]) + (found[1] === 'live' ? titles : 0) : -1;
}

export const isSegment = (id) => id >= titles;
/** Those take the origin a while, so that a fault can meet them half-way. */
export const isSlow = (id) => isSegment(id) || id % 10 === 0;
export const lengthOf = (id) => (isSegment(id) ? 150_000 : 1_000 + (id * 7919) % 24_000);
export const etagOf = (id, version) => `"${id}-${version}"`;

/** Bytes `from` to `to` (exclusive) of a version; views of one memory where it can be. */
export function bytesOf(id, version, from = 0, to = lengthOf(id)) {
  const stamp = stampOf(id, version);
  const at = (Math.imul(id + 1, 40_503) + version * 9_973) % (noise.length - 200_000);
  const begin = (at + noise.length) % (noise.length - 200_000);
  if (from >= stamp_bytes) return noise.subarray(begin + from, begin + to);
  return Buffer.concat([stamp.subarray(from, to), noise.subarray(begin + stamp_bytes, begin + to)]);
}

/** Whether `piece` is what stands at `from` of that version. */
export function agrees(id, version, from, piece) {
  return from + piece.length <= lengthOf(id) && piece.equals(bytesOf(id, version, from, from + piece.length));
}

function stampOf(id, version) {
  return Buffer.from(`object ${id} version ${version} `.padEnd(stamp_bytes - 1, '.') + '\n');
}

function makeNoise(length) {
  const bytes = Buffer.alloc(length);
  let state = 7;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
