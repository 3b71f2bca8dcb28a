// How a live viewer is kept near the edge: the rate, the skip, and what a seek means.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delayText } from '../../origin/web/live_badge.js';
import { LivePace, followsAfterSeek } from '../../origin/web/live_pace.js';

const holdBack_s = 1.5;
const at = (delay_s, more = {}) => ({ now_s: 0, delay_s, holdBack_s, ahead_s: 5, ...more });

test('who is on time plays at the rate of one', () => {
  for (const delay_s of [1.3, 1.5, 1.75]) {
    assert.deepEqual(new LivePace().step(at(delay_s)), { rate: 1, skips: false });
  }
});

test('the later, the faster, up to a quarter', () => {
  const rates = [2, 2.5, 3, 4, 8].map((delay_s) => new LivePace().step(at(delay_s)).rate);
  assert.deepEqual(rates, [1.05, 1.1, 1.15, 1.25, 1.25]);
});

test('who hurries goes on until he is on time, and does not begin again at once', () => {
  const pace = new LivePace();
  assert.ok(pace.step(at(1.9)).rate > 1);
  assert.ok(pace.step(at(1.6)).rate > 1);
  assert.equal(pace.step(at(1.54)).rate, 1);
  assert.equal(pace.step(at(1.7)).rate, 1);
});

test('with little loaded ahead nobody hurries into a stall', () => {
  const pace = new LivePace();
  assert.equal(pace.step(at(5, { ahead_s: 0.5 })).rate, 1);
  assert.ok(pace.step(at(5, { ahead_s: 1 })).rate > 1);
});

test('who is too near the edge plays slower: nobody is sent back', () => {
  assert.deepEqual(new LivePace().step(at(1)), { rate: 0.95, skips: false });
});

test('who is very late is taken to the edge', () => {
  assert.equal(new LivePace().step(at(13)).skips, false);
  assert.equal(new LivePace().step(at(14)).skips, true);
});

test('stalls widen the distance within a limit, and calm narrows it again', () => {
  const pace = new LivePace();
  pace.stalled(10);
  assert.equal(pace.target(holdBack_s), 1.75);
  for (let i = 0; i < 9; i += 1) pace.stalled(20);
  assert.equal(pace.target(holdBack_s), 2.5);
  for (const now_s of [79, 80, 81, 139]) pace.step(at(2.5, { now_s }));
  assert.equal(pace.target(holdBack_s), 2.25);
  for (const now_s of [140, 200, 260, 320]) pace.step(at(2, { now_s }));
  assert.equal(pace.target(holdBack_s), 1.5);
});

test('a seek tells whether the viewer wants to be live', () => {
  const seek = { from_s: 100, to_s: 95, delay_s: 6.5, target_s: 1.5, follows: true };
  assert.equal(followsAfterSeek(seek), false);
  assert.equal(followsAfterSeek({ ...seek, from_s: null }), true, 'the player\'s own first seek');
  assert.equal(followsAfterSeek({ ...seek, to_s: 99.8 }), true, 'a nudge of the player');
  assert.equal(followsAfterSeek({ ...seek, to_s: 105, follows: false }), false, 'forward, not to the edge');
  assert.equal(followsAfterSeek({ ...seek, to_s: 110, delay_s: 2, follows: false }), true, 'to the edge');
});

test('the delay in words', () => {
  assert.deepEqual([2.13, 59.9, 59.96, 83, 3723].map(delayText), ['2.1 s', '59.9 s', '1:00', '1:23', '1:02:03']);
});
