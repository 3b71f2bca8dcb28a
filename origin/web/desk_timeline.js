// The timeline of the desk: labels, thumbnails, the two marks as handles, the place that plays. Zooms
// by wheel and buttons, seeks by a click. Its rules are in timeline_view.js and marks.js.
//
// Events: "seek" ({moment_ms}), "marks" ({marks}).

import { make } from './make.js';
import { dragged } from './marks.js';
import { localOffset, momentText } from './moment_text.js';
import { following, fractionOf, momentAtFraction, panned, revealing, ticks, zoomed } from './timeline_view.js';

const zoom_step = 2;
const wheel_step = 1.25;
const sides = { in_ms: 'Beginning', out_ms: 'End' };

export class Timeline extends EventTarget {
  #range = null;
  #view = null;
  #marks = { in_ms: null, out_ms: null };
  #moment_ms = null;
  #handles = {};
  #shown = '';  // which labels

  /** @param {(view: object, width_px: number, height_px: number) => HTMLElement[]} paint  the thumbnails */
  constructor(box, { dated }, paint) {
    super();
    Object.assign(this, { box, dated, paint });
    this.thumbs = make('div', { className: 'thumbs' });
    this.labels = make('div', { className: 'ticks' });
    this.selection = make('div', { className: 'selection' });
    this.cursor = make('div', { className: 'cursor' });
    box.replaceChildren(this.thumbs, this.labels, this.selection, this.cursor);
    for (const [side, name] of Object.entries(sides)) this.#handles[side] = this.#handle(side, name);
    box.addEventListener('pointerdown', (event) => this.#scrub(event));
    box.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    new ResizeObserver(() => this.#draw()).observe(box);
  }

  get view() { return this.#view; }

  /** Shows what there is now; `follows`: keeps the moment in sight. */
  show({ range, moment_ms, marks, follows }) {
    if (!range) return;
    this.#view = following(this.#view, this.#range, range);
    if (follows && moment_ms !== null) this.#view = revealing(this.#view, range, moment_ms);
    this.#range = range;
    this.#moment_ms = moment_ms;
    this.#marks = marks;
    this.#draw();
  }

  zoom(direction) {
    if (!this.#view) return;
    const middle = (this.#view.from_ms + this.#view.to_ms) / 2;
    const at = this.#isSeen(this.#moment_ms) ? this.#moment_ms : middle;
    this.#setView(zoomed(this.#view, this.#range, at, zoom_step ** direction));
  }

  zoomAll() { if (this.#range) this.#setView(this.#range); }

  /** What lies under the labels is to be painted anew. */
  repaint() {
    this.#shown = '';
    this.#draw();
  }

  #setView(view) {
    this.#view = view;
    this.#draw();
  }

  #isSeen(moment_ms) {
    return moment_ms !== null && moment_ms >= this.#view.from_ms && moment_ms <= this.#view.to_ms;
  }

  #percent(moment_ms) { return `${100 * fractionOf(this.#view, moment_ms)}%`; }

  #draw() {
    if (!this.#view) return;
    const { in_ms, out_ms } = this.#marks;
    this.#drawLabels();
    this.#place(this.cursor, this.#moment_ms);
    for (const [side, handle] of Object.entries(this.#handles)) this.#drawHandle(side, handle);
    this.selection.hidden = in_ms === null || out_ms === null;
    if (!this.selection.hidden) {
      const [from, to] = [in_ms, out_ms].map((at) => Math.min(1, Math.max(0, fractionOf(this.#view, at))));
      this.selection.style.left = `${100 * from}%`;
      this.selection.style.width = `${100 * (to - from)}%`;
    }
  }

  #drawLabels() {
    const { from_ms, to_ms } = this.#view;
    const shown = `${from_ms} ${to_ms} ${this.box.clientWidth}`;
    if (this.#shown === shown) return;
    this.#shown = shown;
    const moments = ticks(this.#view, this.box.clientWidth, localOffset(from_ms, this.dated));
    this.labels.replaceChildren(...moments.map((moment_ms) => {
      const label = make('span', {}, momentText(moment_ms, { dated: this.dated, decimals: 0 }));
      label.style.left = this.#percent(moment_ms);
      return label;
    }));
    this.thumbs.replaceChildren(...this.paint(this.#view, this.thumbs.clientWidth, this.thumbs.clientHeight));
  }

  #place(element, moment_ms) {
    element.hidden = !this.#isSeen(moment_ms);
    if (!element.hidden) element.style.left = this.#percent(moment_ms);
  }

  #drawHandle(side, handle) {
    const moment_ms = this.#marks[side];
    this.#place(handle, moment_ms);
    if (moment_ms === null) return;
    handle.setAttribute('aria-valuemin', Math.round(this.#range.from_ms));
    handle.setAttribute('aria-valuemax', Math.round(this.#range.to_ms));
    handle.setAttribute('aria-valuenow', Math.round(moment_ms));
    handle.setAttribute('aria-valuetext', momentText(moment_ms, { dated: this.dated }));
  }

  #handle(side, name) {
    const handle = make('div', { className: `handle ${side === 'in_ms' ? 'in' : 'out'}`, tabIndex: 0, hidden: true });
    handle.setAttribute('role', 'slider');
    handle.setAttribute('aria-label', name);
    handle.addEventListener('keydown', (event) => this.#nudge(event, side));
    handle.addEventListener('pointerdown', (event) => {
      event.stopPropagation();
      this.#grab(event, side);
    });
    this.box.append(handle);
    return handle;
  }

  /** Arrows on a handle move it: by a hundredth of a second, with Shift by a second. */
  #nudge(event, side) {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.#drag(side, this.#marks[side] + direction * (event.shiftKey ? 1000 : 10));
  }

  /** Wherever on it a handle is held: its mark moves by as much as the pointer does. */
  #grab(event, side) {
    const mark_ms = this.#marks[side];
    this.#seek(mark_ms);
    const { left, width } = this.box.getBoundingClientRect();
    const off_px = event.clientX - left - width * fractionOf(this.#view, mark_ms);
    this.#follow(event, this.#handles[side], ({ clientX }) => this.#drag(side, this.#momentAt(clientX - off_px)));
  }

  #drag(side, moment_ms) {
    const marks = dragged(this.#marks, side, moment_ms, this.#range);
    this.dispatchEvent(new CustomEvent('marks', { detail: { marks } }));
    this.#seek(marks[side]);
  }

  #scrub(event) {
    if (event.button !== 0 || !this.#view) return;
    const seek = ({ clientX }) => this.#seek(this.#momentAt(clientX));
    seek(event);
    this.#follow(event, this.box, seek);
  }

  #seek(moment_ms) {
    this.dispatchEvent(new CustomEvent('seek', { detail: { moment_ms } }));
  }

  /** Tells how a pointer moves that is held down. */
  #follow({ pointerId }, element, tell) {
    element.setPointerCapture(pointerId);
    element.addEventListener('pointermove', tell);
    const end = () => element.removeEventListener('pointermove', tell);
    element.addEventListener('lostpointercapture', end, { once: true });
  }

  #momentAt(clientX) {
    const { left, width } = this.box.getBoundingClientRect();
    return momentAtFraction(this.#view, Math.min(1, Math.max(0, (clientX - left) / width)));
  }

  #onWheel(event) {
    if (!this.#view) return;
    event.preventDefault();
    const along = event.shiftKey ? event.deltaY : event.deltaX;
    const span = this.#view.to_ms - this.#view.from_ms;
    this.#setView(along
      ? panned(this.#view, this.#range, (Math.sign(along) * span) / 10)
      : zoomed(this.#view, this.#range, this.#momentAt(event.clientX), wheel_step ** -Math.sign(event.deltaY)));
  }
}
