// The clips that were made of this source, newest first, each with its address and its file.

import { make } from './make.js';
import { lengthText, momentOf, momentText } from './moment_text.js';

const pages_max = 20;

export class ClipList {
  #rows = new Map();  // name → element

  /**
   * @param {{list: Element, empty: Element}} parts
   * @param {{source: object, onShow: (marks: object) => void, onRemove: (asset: object) => void}} desk
   */
  constructor(parts, desk) {
    Object.assign(this, parts, { desk });
  }

  async load(api) {
    const found = [];
    let cursor = '';
    for (let page = 0; page < pages_max; page += 1) {
      const { assets, cursor: next } = await api.assets({ kind: 'clip', cursor });
      found.push(...assets);
      cursor = next;
      if (!cursor) break;
    }
    this.#rows.clear();
    this.list.replaceChildren();
    for (const asset of found.sort(byCreation)) this.put(asset);
    this.#showEmpty();
  }

  /** Adds a clip of this source or brings its row up to date. */
  put(asset) {
    if (asset.kind !== 'clip' || asset.clip?.from !== this.desk.source.asset) return;
    const row = this.#row(asset);
    const old = this.#rows.get(asset.asset);
    if (old) old.replaceWith(row);
    else this.list.prepend(row);
    this.#rows.set(asset.asset, row);
    this.#showEmpty();
  }

  remove(name) {
    this.#rows.get(name)?.remove();
    this.#rows.delete(name);
    this.#showEmpty();
  }

  #showEmpty() { this.empty.hidden = this.#rows.size > 0; }

  #row(asset) {
    const marks = { in_ms: momentOf(asset.clip.start), out_ms: momentOf(asset.clip.end) };
    const at = momentText(marks.in_ms, { dated: this.desk.source.dated, decimals: 0 });
    const row = make('li', { className: 'item clip' },
      make('div', { className: 'name' }, asset.title || asset.asset),
      make('div', { className: 'quiet' },
        [asset.asset, at, lengthText(marks.out_ms - marks.in_ms), cutText(asset.clip)].join(' · ')),
      make('div', { className: `quiet state-${asset.state}` }, stateText(asset)),
      make('div', { className: 'acts' },
        button('Show', `Show ${asset.asset} on the timeline`, () => this.desk.onShow(marks)),
        ...addresses(asset),
        button('Delete', `Delete ${asset.asset}`, () => this.desk.onRemove(asset))));
    row.dataset.asset = asset.asset;
    row.dataset.state = asset.state;
    row.dataset.exact = asset.clip.exact;
    return row;
  }
}

function addresses(asset) {
  const watch = new URL(asset.watch, location.href).href;
  const copy = button('Copy address', `Copy the address of ${asset.asset}`, () => copyText(watch, copy));
  return [make('a', { href: watch, target: '_blank', rel: 'noopener' }, 'Watch'), copy,
    ...(asset.download ? [make('a', { href: asset.download, download: `${asset.asset}.mp4` }, 'Download')] : [])];
}

/** Only a secure page may write to the clipboard; elsewhere the address stands there to be copied. */
async function copyText(text, pressed) {
  try {
    await navigator.clipboard.writeText(text);
    pressed.textContent = 'Copied';
    setTimeout(() => { pressed.textContent = 'Copy address'; }, 2000);
  } catch {
    const field = make('input', { value: text, readOnly: true });
    field.setAttribute('aria-label', 'Address');
    pressed.replaceWith(field);
    field.select();
  }
}

function button(words, label, act) {
  const made = make('button', { type: 'button' }, words);
  made.setAttribute('aria-label', label);
  made.addEventListener('click', act);
  return made;
}

function stateText(asset) {
  if (asset.state === 'failed') return `failed: ${asset.error ?? 'no reason given'}`;
  if (asset.state === 'processing' && asset.clip) return 'can be watched, its end is still being made';
  const percent = asset.state === 'processing' ? `${Math.floor((asset.progress ?? 0) * 100)} %` : '';
  return [asset.state, asset.stage, percent].filter(Boolean).join(' ');
}

function cutText({ exact, exact_error: error }) {
  if (error) return `in whole segments, for it could not be cut: ${error}`;
  if (exact === 'pending') return 'is being cut to the picture';
  return exact ? 'cut to the picture' : 'in whole segments';
}

function byCreation(a, b) {
  return a.created < b.created ? -1 : 1;
}
