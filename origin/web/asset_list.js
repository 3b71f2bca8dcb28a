// The list of assets, a row each. Text only ever becomes textContent.

import { clockTime } from './clock_time.js';
import { make } from './make.js';

const working = new Set(['receiving', 'queued', 'processing']);

export class AssetList {
  #rows = new Map();  // name → element

  /** @param {{list: Element, empty: Element, onRemove: (asset: object) => void}} parts */
  constructor({ list, empty, onRemove }) {
    Object.assign(this, { list, empty, onRemove });
  }

  clear() {
    this.#rows.clear();
    this.list.replaceChildren();
    this.#showEmpty();
  }

  /** Adds a row or brings it up to date; new ones from events come first. */
  put(asset, { first = false } = {}) {
    const row = this.#row(asset);
    const old = this.#rows.get(asset.asset);
    if (old) old.replaceWith(row);
    else if (first) this.list.prepend(row);
    else this.list.append(row);
    this.#rows.set(asset.asset, row);
    this.#showEmpty();
  }

  remove(name) {
    this.#rows.get(name)?.remove();
    this.#rows.delete(name);
    this.#showEmpty();
  }

  #showEmpty() {
    this.empty.hidden = this.#rows.size > 0;
  }

  #row(asset) {
    const remove = make('button', { type: 'button' }, 'Delete');
    remove.setAttribute('aria-label', `Delete ${asset.asset}`);
    remove.addEventListener('click', () => this.onRemove(asset));
    const row = make('li', { className: 'item' },
      thumbnail(asset),
      make('div', {},
        make('div', { className: 'name' }, asset.title || asset.asset),
        make('div', { className: 'quiet' }, facts(asset)),
        make('div', { className: `quiet state-${asset.state}` }, stateText(asset)),
        ...(asset.warnings ?? []).map((text) => make('div', { className: 'quiet warning' }, text)),
        ...(working.has(asset.state) ? [make('progress', { max: 1, value: asset.progress ?? 0 })] : [])),
      make('div', { className: 'acts' }, ...watchLink(asset), ...deskLink(asset), remove));
    row.dataset.asset = asset.asset;
    row.dataset.state = asset.state;
    return row;
  }
}

function thumbnail(asset) {
  const renditions = asset.kind === 'photo' ? asset.renditions ?? [] : [];
  if (renditions.length === 0) {
    return make('div', { className: 'thumb' }, asset.kind === 'photo' ? 'photo' : 'video');
  }
  const smallest = renditions.reduce((a, b) => (a.width < b.width ? a : b));
  return make('img', { className: 'thumb', alt: '', loading: 'lazy',
    src: `${smallest.url}?v=${encodeURIComponent(asset.version)}` });
}

function watchLink(asset) {
  if (!asset.playback) return [];
  return [make('a', { href: pagePath('watch', asset), target: '_blank', rel: 'noopener' },
    asset.kind === 'photo' ? 'View' : 'Watch')];
}

/** Clips are made of what has a time of its own. The same tab: the key does not leave it. */
function deskLink(asset) {
  if (!asset.playback || !['video', 'channel', 'clip'].includes(asset.kind)) return [];
  return [make('a', { href: pagePath('desk', asset) }, 'Clip')];
}

function pagePath(page, { tenant, asset }) {
  return `/${page}/${encodeURIComponent(tenant)}/${encodeURIComponent(asset)}`;
}

function facts(asset) {
  const rungs = (asset.renditions ?? []).filter(({ height }) => height > 0).length;
  return [asset.asset, asset.width ? `${asset.width} × ${asset.height}` : '',
    asset.duration ? clockTime(asset.duration) : '', rungs ? `${rungs} qualities` : '']
    .filter(Boolean).join(' · ');
}

/** Of a replacement: viewers get what was there before. */
function stateText(asset) {
  if (!asset.replacement) return ownStateText(asset);
  return `the version before is shown; the new file: ${ownStateText(asset.replacement)}`;
}

function ownStateText(asset) {
  const percent = `${Math.floor((asset.progress ?? 0) * 100)} %`;
  switch (asset.state) {
    case 'processing': return [asset.stage || 'processing', percent].join(' ');
    case 'failed': return `failed: ${asset.error ?? 'no reason given'}`;
    default: return [asset.state, asset.stage].filter(Boolean).join(', ');
  }
}
