// The rules of the highlight desk: places and moments, marks, the timeline's view, keys, names.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionFor, keyTable } from '../../origin/web/desk_keys.js';
import { dragged, faultOf, lengthOf, noMarks, withIn, withOut } from '../../origin/web/marks.js';
import { MediaClock } from '../../origin/web/media_clock.js';
import { apiTime, lengthText, momentOf, momentText } from '../../origin/web/moment_text.js';
import { plainName } from '../../origin/web/names.js';
import { following, fractionOf, momentAtFraction, panned, revealing, ticks, zoomed } from '../../origin/web/timeline_view.js';

const noon = Date.UTC(2026, 6, 24, 12, 0, 0);
const segments = [0, 4, 8].map((start) => ({ start: 100 + start, duration: 4, programDateTime: noon + start * 1000 }));

test('a place of a channel has a date, and a date a place', () => {
  const clock = new MediaClock(segments, { dated: true, rate: 25 });
  assert.equal(clock.momentAt(105.5), noon + 5500);
  assert.equal(clock.placeOf(noon + 5500), 105.5);
  assert.equal(clock.momentAt(113), noon + 13_000, 'past the last segment that is known');
  assert.equal(clock.placeOf(noon - 1000), 99, 'before the first');
  assert.equal(new MediaClock([], { dated: true, rate: 25 }).momentAt(1), null);
});

test('a jump of the dates between segments is kept', () => {
  const later = [segments[0], { start: 104, duration: 4, programDateTime: noon + 64_000 }];
  const clock = new MediaClock(later, { dated: true, rate: 25 });
  assert.equal(clock.momentAt(105), noon + 65_000);
  assert.equal(clock.placeOf(noon + 65_000), 105);
});

test('a place of a video is a moment since its beginning', () => {
  const clock = new MediaClock([{ start: 0, duration: 6 }], { dated: false, rate: 50 });
  assert.equal(clock.momentAt(2.5), 2500);
  assert.equal(clock.placeOf(2500), 2.5);
});

test('the picture that shows has a beginning and an end, wherever in it the place is', () => {
  const clock = new MediaClock(segments, { dated: true, rate: 25 });
  for (const place of [104.0799, 104.08, 104.1, 104.115]) {
    const { begin_s, end_s } = clock.pictureAt(place);
    assert.ok(Math.abs(begin_s - 104.08) < 1e-6 && Math.abs(end_s - 104.12) < 1e-6, `${place}: ${begin_s}`);
  }
  assert.ok(Math.abs(clock.pictureAt(104.01, -1).begin_s - 103.96) < 1e-6, 'over the edge of a segment');
});

test('stepping by pictures visits each once, at a rate that is no whole number', () => {
  const clock = new MediaClock([{ start: 0, duration: 60 }], { dated: false, rate: 30_000 / 1001 });
  let place = clock.pictureAt(0).middle_s;
  for (let i = 0; i < 300; i += 1) place = clock.pictureAt(place, 1).middle_s;
  assert.ok(Math.abs(clock.pictureAt(place).begin_s - (300 * 1001) / 30_000) < 1e-6);
  for (let i = 0; i < 300; i += 1) place = clock.pictureAt(place, -1).middle_s;
  assert.equal(clock.pictureAt(place).begin_s, 0);
});

test('the newer mark counts', () => {
  const both = withOut(withIn(noMarks, 1000), 3000);
  assert.deepEqual(both, { in_ms: 1000, out_ms: 3000 });
  assert.equal(lengthOf(both), 2000);
  assert.deepEqual(withIn(both, 4000), { in_ms: 4000, out_ms: null });
  assert.deepEqual(withOut(both, 500), { in_ms: null, out_ms: 500 });
  assert.equal(lengthOf(withIn(noMarks, 1)), null);
});

test('a dragged mark stops at the other one and at the ends', () => {
  const range = { from_ms: 0, to_ms: 10_000 };
  const marks = { in_ms: 1000, out_ms: 3000 };
  assert.deepEqual(dragged(marks, 'in_ms', 5000, range), { in_ms: 2900, out_ms: 3000 });
  assert.deepEqual(dragged(marks, 'out_ms', 0, range), { in_ms: 1000, out_ms: 1100 });
  assert.deepEqual(dragged(marks, 'out_ms', 99_999, range), { in_ms: 1000, out_ms: 10_000 });
  assert.deepEqual(dragged(marks, 'in_ms', -5, range), { in_ms: 0, out_ms: 3000 });
});

test('marks that make no clip are told why', () => {
  const range = { from_ms: 10_000, to_ms: 20_000 };
  const fault = (in_ms, out_ms) => faultOf({ in_ms, out_ms }, range);
  assert.match(fault(null, null), /beginning \(I\) and the end/);
  assert.match(fault(null, 12_000), /beginning first/);
  assert.match(fault(12_000, null), /end first/);
  assert.match(fault(12_000, 12_050), /tenth of a second/);
  assert.match(fault(9000, 12_000), /not there any more/);
  assert.match(fault(12_000, 21_000), /later than what there is/);
  assert.equal(fault(10_000, 20_000), null);
});

test('moments in words, and for the API', () => {
  assert.equal(momentText(noon + 7320, { dated: true, offset_ms: 0 }), '12:00:07.320');
  assert.equal(momentText(noon, { dated: true, decimals: 0, offset_ms: 9 * 3_600_000 }), '21:00:00');
  assert.equal(momentText(83_420, { dated: false }), '1:23.420');
  assert.equal(momentText(3_723_000, { dated: false, decimals: 1 }), '1:02:03.0');
  assert.equal(momentText(59_999.9, { dated: false }), '1:00.000');
  assert.deepEqual([4200, 65_000].map(lengthText), ['4.2 s', '1:05.0']);
  assert.equal(apiTime(noon + 40.4, true), '2026-07-24T12:00:00.040Z');
  assert.equal(apiTime(2500.2, false), 2.5);
  for (const [moment, dated] of [[noon + 40, true], [2500, false]]) assert.equal(momentOf(apiTime(moment, dated)), moment);
});

const range = { from_ms: 0, to_ms: 600_000 };

test('zooming keeps the moment in its place and stays within what there is', () => {
  const near = zoomed(range, range, 150_000, 10);
  assert.equal(near.to_ms - near.from_ms, 60_000);
  assert.equal(fractionOf(near, 150_000), 0.25);
  assert.deepEqual(zoomed(near, range, 150_000, 0.001), range);
  assert.equal(zoomed(near, range, 150_000, 1e9).to_ms - zoomed(near, range, 150_000, 1e9).from_ms, 2000);
  assert.equal(momentAtFraction(near, fractionOf(near, 151_234)), 151_234);
});

test('panning stops at the ends, and revealing moves only when it must', () => {
  const view = { from_ms: 100_000, to_ms: 200_000 };
  assert.deepEqual(panned(view, range, -1e9), { from_ms: 0, to_ms: 100_000 });
  assert.deepEqual(panned(view, range, 1e9), { from_ms: 500_000, to_ms: 600_000 });
  assert.equal(revealing(view, range, 150_000), view);
  const moved = revealing(view, range, 250_000);
  assert.ok(moved.from_ms < 250_000 && moved.to_ms > 250_000 && moved.to_ms - moved.from_ms === 100_000);
});

test('a channel that moves on is followed by who sees its end, and by nobody else', () => {
  const next = { from_ms: 4000, to_ms: 604_000 };
  assert.deepEqual(following(range, range, next), next);
  assert.deepEqual(following({ from_ms: 500_000, to_ms: 600_000 }, range, next), { from_ms: 504_000, to_ms: 604_000 });
  const middle = { from_ms: 100_000, to_ms: 200_000 };
  assert.deepEqual(following(middle, range, next), middle);
  assert.deepEqual(following({ from_ms: 0, to_ms: 100_000 }, range, next), { from_ms: 4000, to_ms: 104_000 });
});

test('labels stand at round local times, apart from each other', () => {
  const view = { from_ms: noon + 500, to_ms: noon + 60_500 };
  assert.deepEqual(ticks(view, 960, 0).slice(0, 2), [noon + 10_000, noon + 20_000]);
  assert.ok(ticks(view, 300, 0).length <= 4);
  const half = ticks({ from_ms: noon, to_ms: noon + 36_000_000 }, 960, 5.5 * 3_600_000);
  assert.equal(momentText(half[0], { dated: true, decimals: 0, offset_ms: 5.5 * 3_600_000 }).slice(2), ':00:00');
});

const press = (key, more = {}) => actionFor({ key, target: { closest: () => null }, ...more });

test('every key of the table acts, once', () => {
  const keys = keyTable.flatMap(([,,, names]) => names);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(press('I'), 'markIn');
  assert.equal(press('ArrowLeft'), 'pictureBack');
  assert.equal(press('ArrowLeft', { shiftKey: true }), 'secondBack');
  assert.equal(press('?', { shiftKey: true }), 'help');
  assert.equal(press('q'), null);
});

test('keys write in a field, and Enter presses a button', () => {
  const inside = (tag) => ({ target: { closest: (list) => (list.includes(tag) ? {} : null) } });
  assert.equal(press('i', inside('input')), null);
  assert.equal(press('Enter', inside('button')), null);
  assert.equal(press('i', inside('button')), 'markIn');
  assert.equal(press('i', { ctrlKey: true }), null);
});

test('a title becomes a name that the origin allows', () => {
  assert.equal(plainName('Goal: 2.0, Müller!'), 'Goal-2.0-Muller');
  assert.equal(plainName('...'), '');
  assert.equal(plainName('x'.repeat(80)).length, 64);
});
