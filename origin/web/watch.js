// The watch page: finds out what is at the address, plays or shows it, and says in words what is
// wrong when something is. `window.torchrelay` tells tests and support the same.

import { backOff, messages } from './messages.js';
import { photoAddress, playlistAddress, probe } from './probe.js';
import { Growth } from './growth.js';
import { LiveBadge } from './live_badge.js';
import { Player } from './player.js';
import { Preview } from './preview.js';
import { QualityMenu } from './quality_menu.js';
import { Stall } from './stall.js';
import { useKeys } from './keys.js';

const missing_retry_s = 10;
const processing_retry_s = 2;

const element = (id) => document.getElementById(id);
const video = element('video');
const page = { hls: null, state: 'loading', player: null };
window.torchrelay = page;

const [tenant, asset] = location.pathname.split('/').slice(2);
const address = { tenant, asset };

function tell(state, notice) {
  page.state = state;
  const box = element('notice');
  box.hidden = !notice;
  box.classList.toggle('over-picture', video.readyState >= 2 && !video.hidden);
  element('notice-title').textContent = notice?.title ?? '';
  element('notice-text').textContent = notice?.text ?? '';
  element('retry').hidden = !['lost', 'trouble', 'missing'].includes(state);
}

/** Waits, counting down in the notice; ends early by the button or when the network is back. */
function wait(state, seconds, notice) {
  return new Promise((resolve) => {
    let left = seconds;
    const end = () => {
      clearInterval(ticking);
      element('retry').removeEventListener('click', end);
      removeEventListener('online', end);
      resolve();
    };
    const tick = () => {
      if (left <= 0) return end();
      tell(state, notice(left));
      left -= 1;
    };
    const ticking = setInterval(tick, 1000);
    element('retry').addEventListener('click', end);
    addEventListener('online', end);
    tick();
  });
}

async function start() {
  for (let attempt = 0; ; attempt += 1) {
    const found = await probe(address);
    entitle(found.title);
    if (found.kind === 'video') return play();
    if (found.kind === 'photo') return showPhoto(found.widths);
    if (['removed', 'denied'].includes(found.kind)) return tell(found.kind, messages[found.kind]());
    if (found.kind === 'failed') return tell('failed', messages.failed(found.reason));
    await waitAfter(found, attempt);
  }
}

function entitle(title) {
  element('title').textContent = title || asset;
  element('photo').alt = title || asset;
  document.title = `${title || asset} – Torchrelay`;
}

function waitAfter(found, attempt) {
  switch (found.kind) {
    case 'processing': return wait('processing', processing_retry_s, messages.processing);
    case 'missing': return wait('missing', missing_retry_s, messages.missing);
    case 'lost': return wait('lost', backOff(attempt), lost);
    default:
      return wait('trouble', found.retry_s ?? backOff(attempt),
        (left) => messages.serverTrouble(found.status, left));
  }
}

function lost(seconds) {
  return navigator.onLine ? messages.unreachable(seconds) : messages.offline();
}

function play() {
  tell('loading', messages.loading());
  watchPlayback();
  if (Player.supported) return playWithHls();
  useKeys(video, element('stage'));
  if (video.canPlayType('application/vnd.apple.mpegurl')) {
    video.src = playlistAddress(address);
    video.addEventListener('error', () => tell('undecodable', messages.undecodable()));
    return begin();
  }
  return tell('unsupported', messages.unsupported());
}

function playWithHls() {
  const player = new Player(video, playlistAddress(address));
  page.player = player;
  Object.defineProperty(page, 'hls', { get: () => player.hls });
  useKeys(video, element('stage'), player.live);
  new LiveBadge({ box: element('live'), badge: element('live-badge'), delay: element('live-delay'),
    button: element('go-live'), keys: element('live-keys') }, player.live);
  new QualityMenu(element('quality-label'), element('quality'), player);
  new Growth(player, playlistAddress(address)).start();
  new Preview({ video, stage: element('stage'), box: element('preview'), time: element('preview-time'), player });
  retryNetwork(player);
  player.addEventListener('undecodable', () => tell('undecodable', messages.undecodable()));
  begin();
}

function retryNetwork(player) {
  let attempt = 0;
  player.addEventListener('working', () => {
    attempt = 0;
    if (['lost', 'trouble'].includes(page.state)) tell('playing', null);
  });
  player.addEventListener('network', async ({ detail: { status } }) => {
    const seconds = backOff(attempt);
    attempt += 1;
    if (status === 404 || status === 410) return restart();
    await (status >= 400
      ? wait('trouble', seconds, (left) => messages.serverTrouble(status, left))
      : wait('lost', seconds, lost));
    player.retry();
  });
}

/** What played is gone from its address: it was taken down, or replaced by a new version. */
async function restart() {
  const found = await probe(address);
  if (found.kind !== 'video') return tell('removed', messages.removed());
  return location.reload();
}

/** Browsers may refuse sound before the viewer touched the page: the controls are there then. */
function begin() {
  video.play().catch(() => { if (page.state === 'loading') tell('paused', null); });
}

function watchPlayback() {
  new Stall(video).start(({ starved, lasting }) => {
    const { state } = page;
    if (video.ended || !['loading', 'stalled', 'paused', 'playing', 'offline', 'ended'].includes(state)) return;
    if (!starved) return video.readyState >= video.HAVE_CURRENT_DATA ? tell('playing', null) : undefined;
    if (lasting && isTinyAndLoaded()) return end();
    if (!navigator.onLine) return tell('offline', messages.offline());
    if (state === 'loading') return;
    if (page.player?.interrupted) return tell('stalled', messages.interrupted());
    if (page.player?.growing) return tell('stalled', messages.preparingNext());
    if (lasting || state === 'offline') tell('stalled', messages.buffering());
  });
  video.addEventListener('ended', () => tell('ended', null));
}

/** Decoders do not always tell the end of a clip of a few frames. */
function isTinyAndLoaded() {
  const { buffered, duration } = video;
  return duration < 1 && buffered.length > 0 && buffered.end(buffered.length - 1) > duration - 0.1;
}

/** The controls offer to play it again. */
function end() {
  video.pause();
  tell('ended', null);
}

function showPhoto(widths) {
  const photo = element('photo');
  photo.srcset = widths.map((width) => `${photoAddress(address, width)} ${width}w`).join(', ');
  photo.sizes = '(max-width: 1280px) 100vw, 1280px';
  photo.src = photoAddress(address, widths[0]);
  photo.hidden = false;
  video.hidden = true;
  element('keys').hidden = true;
  tell('photo', null);
}

entitle('');
element('tenant').textContent = tenant;
start();
