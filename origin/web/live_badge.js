// Tells the viewer of a live channel how far behind it he is, and takes him back when he was away.

import { clockTime } from './clock_time.js';

export class LiveBadge {
  /** @param {{box: Element, badge: Element, delay: Element, button: Element, keys: Element}} parts
   *   box: all of it; keys: what tells the key for it */
  constructor(parts, edge) {
    Object.assign(this, parts, { edge });
    this.button.addEventListener('click', () => edge.goLive());
    edge.addEventListener('change', () => this.#show());
  }

  #show() {
    const { live, follows, delay_s } = this.edge;
    this.box.hidden = !live;
    this.keys.hidden = !live;
    this.badge.classList.toggle('away', !follows);
    this.button.hidden = follows;
    const text = delayText(delay_s);
    if (this.delay.textContent !== text) this.delay.textContent = text;
  }
}

/** 2.13 → "2.1 s", 83 → "1:23" */
export function delayText(delay_s) {
  return delay_s < 59.95 ? `${delay_s.toFixed(1)} s` : clockTime(delay_s);
}
