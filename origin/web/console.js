// The console: a tenant's assets, live, with upload by drag and drop. The key lives in this tab's
// sessionStorage only.

import { Api } from './api.js';
import { AssetList } from './asset_list.js';
import { follow } from './event_stream.js';
import { Uploads } from './uploads.js';

const element = (id) => document.getElementById(id);
const uploads = new Uploads(element('uploads'));
const list = new AssetList({ list: element('assets'), empty: element('empty'), onRemove: remove });
let session = null;  // {api, stop: AbortController}
let cursor = '';

function complain(error) {
  element('problem').textContent = error?.message ?? '';
  element('problem').hidden = !error;
}

async function open(tenant, key) {
  const api = new Api(tenant, key);
  session = { api, stop: new AbortController() };
  try {
    await load();
  } catch (error) {
    leave();
    return complain(error);
  }
  sessionStorage.setItem('tenant', tenant);
  sessionStorage.setItem('key', key);
  showDesk(true);
  complain(null);
  return follow((signal) => api.events(signal), {
    signal: session.stop.signal,
    onEvent,
    onOpen: () => load().catch(complain),
  });
}

function leave() {
  session?.stop.abort();
  session = null;
  sessionStorage.clear();
  list.clear();
  showDesk(false);
}

function showDesk(open) {
  element('sign-in').hidden = open;
  element('desk').hidden = !open;
  element('leave').hidden = !open;
  element('who').hidden = !open;
  element('who').textContent = session?.api.tenant ?? '';
}

/** The first page, or with `more` the next one. */
async function load({ more = false } = {}) {
  const search = element('search').value.trim();
  const page = await session.api.assets({ q: search, cursor: more ? cursor : '' });
  if (search !== element('search').value.trim()) return;  // a newer search is on its way
  element('empty').textContent = search ? `Nothing matches “${search}”.` : 'Nothing here yet.';
  if (!more) list.clear();
  for (const asset of page.assets) list.put(asset);
  cursor = page.cursor ?? '';
  element('more').hidden = !cursor;
}

/** The data is a whole asset, or names one that was deleted; after a reset events were missed. */
function onEvent({ event, data }) {
  if (event === 'reset') return load().catch(complain);
  const asset = JSON.parse(data);
  if (asset.state === 'deleted') list.remove(asset.asset);
  else if (matchesSearch(asset)) list.put(asset, { first: true });
  return undefined;
}

function matchesSearch({ asset, title }) {
  const wanted = element('search').value.trim().toLowerCase();
  return `${asset} ${title ?? ''}`.toLowerCase().includes(wanted);
}

async function remove({ asset, title }) {
  if (!confirm(`Delete “${title || asset}” from the origin and from every edge?`)) return;
  try {
    const { edges = [] } = await session.api.remove(asset);
    list.remove(asset);
    const silent = edges.filter(({ confirmed }) => !confirmed).map(({ edge }) => edge);
    complain(silent.length === 0 ? null
      : new Error(`Deleted here; not confirmed yet by ${silent.join(', ')}.`));
  } catch (error) {
    complain(error);
  }
}

function send(files) {
  complain(null);
  if (session) uploads.add(session.api, files);
}

function acceptDrops(target) {
  const over = (on) => (event) => {
    event.preventDefault();
    element('drop').classList.toggle('over', on);
  };
  target.addEventListener('dragover', over(true));
  target.addEventListener('dragleave', over(false));
  target.addEventListener('drop', (event) => {
    over(false)(event);
    send(event.dataTransfer.files);
  });
}

element('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  open(element('tenant').value.trim(), element('key').value.trim());
});
element('leave').addEventListener('click', leave);
element('choose').addEventListener('click', () => element('files').click());
element('files').addEventListener('change', ({ target }) => {
  send(target.files);
  target.value = '';
});
element('search').addEventListener('input', () => load().catch(complain));
element('more').addEventListener('click', () => load({ more: true }).catch(complain));
acceptDrops(document.body);

if (sessionStorage.getItem('key')) {
  open(sessionStorage.getItem('tenant'), sessionStorage.getItem('key'));
}
