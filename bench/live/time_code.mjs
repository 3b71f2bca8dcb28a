// A number in the picture: black and white blocks in a strip at its top, which survive scaling and
// coding. Whoever sees the picture later, in a browser or a file, knows which one it is.

const bits = 20;           // of the number; as many again inverted, so that what is no code is not read
export const blocks = 2 * bits;
export const strip = 0.1;  // of the picture's height
const black = 16, white = 235;

/** Paints `number` into the luma plane of a picture, rows of `width` bytes. */
export function paint(luma, width, height, number) {
  const rows = Math.floor(height * strip);
  for (let block = 0; block < blocks; block++) {
    const from = Math.round(block * width / blocks), to = Math.round((block + 1) * width / blocks);
    const value = bitOf(number, block) ? white : black;
    for (let y = 0; y < rows; y++) luma.fill(value, y * width + from, y * width + to);
  }
}

const bitOf = (number, block) => (block < bits ? (number >> block) & 1 : 1 - ((number >> (block - bits)) & 1));

/**
 * The number of a strip that was scaled to one value (0 to 255) a block; null: there is none. Also runs in
 * a page: it uses nothing from outside but `count`.
 */
export function readBlocks(values, count = blocks) {
  const half = count / 2;
  let number = 0;
  for (let bit = 0; bit < half; bit++) {
    const one = values[bit] > 128;
    if (one === values[bit + half] > 128) return null;
    if (one) number += 2 ** bit;
  }
  return number;
}
