// The highlight desk of one channel, video or clip: mark, name, publish. This file joins its pieces; the key
// lives in this tab's sessionStorage only, as in the console.

import { Api } from './api.js';
import { ClipForm } from './desk_form.js';
import { ClipList } from './desk_clips.js';
import { actionFor, keyTable } from './desk_keys.js';
import { Preview } from './desk_preview.js';
import { ThumbnailStrip } from './desk_thumbnails.js';
import { Timeline } from './desk_timeline.js';
import { follow } from './event_stream.js';
import { delayText } from './live_badge.js';
import { make } from './make.js';
import { lengthOf, noMarks, withIn, withOut } from './marks.js';
import { lengthText, momentText } from './moment_text.js';
import { playlistAddress } from './probe.js';

const draw_every_ms = 100;

const element = (id) => document.getElementById(id);
const [tenant, asset] = location.pathname.split('/').slice(2).map(decodeURIComponent);
const desk = { api: null, source: null, preview: null, timeline: null, thumbnails: null, marks: noMarks,
  form: null, clips: null };
window.torchrelay = desk;  // tests and support look here

function complain(error) {
  element('problem').textContent = error?.message ?? '';
  element('problem').hidden = !error;
}

// --- signing in ------------------------------------------------------------------------------------

async function open(key) {
  const api = new Api(tenant, key);
  let source;
  try {
    source = await api.asset(asset);
  } catch (error) {
    if (error.status === 401 || error.status === 403) leave();
    return complain(error);
  }
  const reason = whyNot(source);
  if (reason) return complain(new Error(reason));
  if (desk.api) return undefined;  // opened meanwhile: it was asked for twice
  sessionStorage.setItem('tenant', tenant);
  sessionStorage.setItem('key', key);
  complain(null);
  desk.api = api;
  return begin({ ...source, dated: source.kind === 'channel' || typeof source.clip?.start === 'string' });
}

/** A clip that is still being cut would count its seconds anew under the marks. */
function whyNot({ kind, clip }) {
  if (!['channel', 'video', 'clip'].includes(kind)) return 'Clips are made of channels, videos and clips, and this is none.';
  return clip?.exact === 'pending' ? 'This clip is still being cut. Open it again in a moment.' : '';
}

function leave() {
  sessionStorage.clear();
  element('sign-in').hidden = false;
}

// --- the desk --------------------------------------------------------------------------------------

function begin(source) {
  desk.source = source;
  element('title').textContent = source.title || asset;
  document.title = `${source.title || asset} – highlight desk`;
  for (const id of ['desk', 'leave']) element(id).hidden = false;
  element('sign-in').hidden = true;
  element('zone').textContent = source.dated ? 'Times are local.' : '';
  desk.preview = new Preview(element('video'), playlistAddress({ tenant, asset }), source);
  desk.thumbnails = new ThumbnailStrip(source, () => desk.timeline.repaint());
  desk.timeline = new Timeline(element('timeline'), source, (...space) => desk.thumbnails.paint(...space));
  desk.thumbnails.follow(source.thumbnails);
  desk.form = new ClipForm({ form: element('form'), title: element('clip-title'), name: element('clip-name'),
    exact: element('clip-exact'), says: element('says'), choices: element('choices') },
  { api: () => desk.api, source, marks: () => desk.marks, range: () => desk.preview.range,
    onPublished: (clip) => desk.clips.put(clip) });
  desk.clips = new ClipList({ list: element('clips'), empty: element('empty') },
    { source, onRemove: remove, onShow: show });
  listen();
  desk.preview.play();
  setInterval(draw, draw_every_ms);
  return follow((signal) => desk.api.events(signal), { signal: new AbortController().signal, onEvent,
    onOpen: () => desk.clips.load(desk.api).catch(complain) });
}

function listen() {
  const { preview, timeline } = desk;
  timeline.addEventListener('seek', ({ detail }) => preview.seek(detail.moment_ms));
  timeline.addEventListener('marks', ({ detail }) => mark(detail.marks));
  preview.addEventListener('change', draw);
  preview.addEventListener('trouble', ({ detail: { status } }) => notice(status === 404
    ? 'Nothing can be played here yet.' : 'The origin does not answer. Trying again.'));
  preview.player.addEventListener('working', () => notice(''));
  preview.addEventListener('undecodable', () => notice('This browser cannot decode the picture.'));
  document.addEventListener('keydown', (event) => {
    const action = actionFor(event);
    if (!action) return;
    event.preventDefault();
    actions[action]();
  });
  for (const button of document.querySelectorAll('[data-action]')) {
    button.addEventListener('click', (event) => {
      actions[button.dataset.action]();
      if (event.detail > 0) button.blur();  // by a pointer: the next key is the desk's again
    });
  }
}

function onEvent({ event, data }) {
  if (event === 'reset') return desk.clips.load(desk.api).catch(complain);
  const told = JSON.parse(data);
  if (told.state === 'deleted') desk.clips.remove(told.asset);
  else desk.clips.put(told);
  if (told.asset === asset) desk.thumbnails.follow(told.thumbnails);
  return undefined;
}

const actions = {
  markIn: () => mark(withIn(desk.marks, desk.preview.picture.begin_ms)),
  markOut: () => mark(withOut(desk.marks, desk.preview.picture.end_ms)),
  clear: () => mark(noMarks),
  toggle: () => desk.preview.toggle(),
  backwards: () => desk.preview.shuttle(-1),
  forwards: () => desk.preview.shuttle(1),
  pictureBack: () => desk.preview.stepPictures(-1),
  pictureOn: () => desk.preview.stepPictures(1),
  secondBack: () => desk.preview.stepSeconds(-1),
  secondOn: () => desk.preview.stepSeconds(1),
  goIn: () => goTo(desk.marks.in_ms),
  goOut: () => goTo(desk.marks.out_ms),
  loop: () => { desk.preview.loop = desk.preview.loop || lengthOf(desk.marks) === null ? null : desk.marks; },
  goLive: () => { if (desk.preview.live.live) desk.preview.goLive(); },
  mute: () => { element('video').muted = !element('video').muted; },
  zoomIn: () => desk.timeline.zoom(1),
  zoomOut: () => desk.timeline.zoom(-1),
  zoomAll: () => desk.timeline.zoomAll(),
  name: () => element('clip-title').select(),
  publish: () => desk.form.publish(),
  help: () => element('keys').showModal(),
};

function mark(marks) {
  desk.marks = marks;
  if (desk.preview.loop) desk.preview.loop = lengthOf(marks) === null ? null : marks;
  desk.form.suggest();
  draw();
}

function goTo(moment_ms) {
  if (moment_ms !== null) desk.preview.seek(moment_ms);
}

function show(marks) {
  mark(marks);
  desk.preview.pause();
  desk.preview.seek(marks.in_ms);
}

async function remove({ asset: name, title }) {
  if (!confirm(`Delete “${title || name}” from the origin and from every edge?`)) return;
  try {
    await desk.api.remove(name);
    desk.clips.remove(name);
    complain(null);
  } catch (error) {
    complain(error);
  }
}

// --- what is shown ---------------------------------------------------------------------------------

function draw() {
  const { preview, marks, source: { dated } } = desk;
  const { range, moment_ms, live } = preview;
  desk.timeline.show({ range, moment_ms, marks, follows: !element('video').paused });
  const text = (at) => (at === null ? '–' : momentText(at, { dated }));
  write('now', text(moment_ms));
  write('in', text(marks.in_ms));
  write('out', text(marks.out_ms));
  const length = lengthOf(marks);
  write('length', length === null ? '–' : lengthText(length));
  write('speed', preview.speed === 1 ? '' : `${preview.speed}×`);
  element('loop').setAttribute('aria-pressed', String(preview.loop !== null));
  element('live').hidden = !live.live;
  element('live-badge').classList.toggle('away', !live.follows);
  write('live-delay', delayText(live.delay_s));
  write('play', element('video').paused ? 'Play' : 'Pause');
}

function write(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

function notice(text) {
  element('notice').hidden = !text;
  write('notice-text', text);
}

element('key-list').append(...keyTable.filter(([shown]) => shown).flatMap(([shown, does]) => [
  make('dt', {}, ...shown.split(' ').map((key) => make('kbd', {}, key))), make('dd', {}, does)]));
element('who').textContent = tenant;
element('title').textContent = asset;
element('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  open(element('key').value.trim());
});
element('leave').addEventListener('click', () => {
  sessionStorage.clear();
  location.assign('/');
});

if (sessionStorage.getItem('tenant') === tenant && sessionStorage.getItem('key')) {
  open(sessionStorage.getItem('key'));
} else {
  element('sign-in').hidden = false;
}
