// The strip of thumbnails under the timeline: follows the source's track, as long as it grows.

import { make } from './make.js';
import { Thumbnails } from './thumbnails.js';
import { momentAtFraction } from './timeline_view.js';

const reload_s = 4;
const slot_shape = 16 / 9;

export class ThumbnailStrip {
  #thumbnails = null;
  #address = null;

  /** @param {{dated: boolean}} source  @param {() => void} onChange  there is more to paint */
  constructor({ dated }, onChange) {
    Object.assign(this, { dated, onChange });
  }

  /** Nothing happens without an address, or with the one that is followed already. */
  follow(address) {
    if (!address || address === this.#address) return;
    const first = this.#address === null;
    this.#address = address;
    if (first) this.#read();
  }

  /** Pictures of this height side by side, each of the middle of what it covers. */
  paint(view, width_px, height_px) {
    if (!this.#thumbnails) return [];
    const slot_px = height_px * slot_shape;
    const places = Array.from({ length: Math.ceil(width_px / slot_px) }, (_, i) => i * slot_px);
    return places.flatMap((left_px) => {
      const tile = this.#at(momentAtFraction(view, (left_px + slot_px / 2) / width_px));
      return tile ? [picture(tile, { left_px, slot_px, height_px })] : [];
    });
  }

  #at(moment_ms) {
    return this.dated ? this.#thumbnails.atDate(moment_ms) : this.#thumbnails.at(moment_ms / 1000);
  }

  async #read() {
    const thumbnails = await Thumbnails.load(new URL(this.#address, location.href).href);
    if (thumbnails) {
      this.#thumbnails = thumbnails;
      this.onChange();
    }
    if (!thumbnails?.ended) setTimeout(() => this.#read(), 1000 * reload_s);
  }
}

function picture(tile, { left_px, slot_px, height_px }) {
  const scale = height_px / tile.height;
  const made = make('div');
  Object.assign(made.style, {
    left: `${left_px}px`, width: `${Math.min(slot_px, tile.width * scale)}px`, height: `${height_px}px`,
    backgroundImage: `url("${tile.url}")`,
    backgroundSize: `${tile.sheetWidth * scale}px ${tile.sheetHeight * scale}px`,
    backgroundPosition: `${-tile.x * scale}px ${-tile.y * scale}px`,
  });
  return made;
}
