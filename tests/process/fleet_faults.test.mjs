// Ten edges and 2,000 viewers (500 where each byte goes through a relay; fewer where the machine does
// not carry them: support/campaign/audience) while members are killed,
// stopped, started again and cut off from one another: viewers notice nothing but the connections that
// died with their edge. support/campaign/fetch_rule says which fetches from the origin are excused.
//   FLEET_FAULTS=full      holds each fault for 10 s, three times as many: members are cut off for a minute in all
//   FLEET_NETWORK=relayed  the way of users who may not make network namespaces

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { judgeFetches } from '../support/campaign/fetch_rule.mjs';
import { pathOf } from '../support/campaign/objects.mjs';
import { canRoute, routedCommand } from '../support/campaign/routed_network.mjs';
import { repository } from '../support/program.mjs';
import { temporaryFolder } from '../support/torchrelay.mjs';

const full = process.env.FLEET_FAULTS === 'full';
const network = process.env.FLEET_NETWORK ?? (canRoute() ? 'routed' : 'relayed');
const options = {
  network, edges: 10, viewers: network === 'routed' ? 2000 : 500,
  hold_ms: full ? 10_000 : 2_000, rounds: full ? 3 : 1, seed: Number(process.env.FLEET_SEED ?? 1),
};

const complaints_max = 30;
const said_max = 2000;  // characters of the campaign's own words, the last ones

/** What the campaign prints at its end. */
async function runCampaign() {
  const command = ['node', path.join(repository, 'tests/support/campaign/campaign.mjs'), JSON.stringify(options)];
  const [program, ...args] = network === 'routed' ? routedCommand(command) : command;
  const folder = temporaryFolder('campaign');  // of all edges
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: folder } });
  const stop = () => child.kill();
  process.on('exit', stop);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (piece) => { said = (said + piece).slice(-said_max); });
  let text = '';
  for await (const piece of child.stdout.setEncoding('utf8')) text += piece;
  process.off('exit', stop);
  fs.rmSync(folder, { recursive: true, force: true });
  assert.ok(text !== '', `the campaign broke off: ${said}`);
  return JSON.parse(text);
}

test(`${options.viewers} viewers of ${options.edges} edges under faults (${network} network)`, async (t) => {
  const result = await runCampaign();
  const { viewers, watching, faults, purges, fetched, resumed, stalls, said } = result;
  if (watching < options.viewers) t.diagnostic(`the machine carries ${watching} viewers`);
  t.diagnostic(`viewers: ${JSON.stringify(viewers)}`);
  t.diagnostic(`fetches: ${JSON.stringify({ ...fetched, unexcused: fetched.unexcused.length })}, ${resumed} bodies went on elsewhere`);
  t.diagnostic(`${said} times an edge held another to be down or itself to be alone, for ${faults.length} faults`);
  if (stalls > 0) t.diagnostic(`the machine stood still ${stalls} times`);
  t.diagnostic(`purges: ${JSON.stringify(purges)}`);

  const wrong = complaints(result);
  assert.ok(wrong.length === 0, `${wrong.length} complaints:\n${wrong.slice(0, complaints_max).join('\n')}`);
});

/** What is not as it must be, in a short line each: a log's end shall tell all. */
function complaints({ begun_ms, viewers, errors, faults, purges, stale, fetched, evictions, timed_out }) {
  const { refused, cut, lost, ...counts } = viewers;
  const at = (time_ms) => (time_ms === null ? '…' : `${((time_ms - begun_ms) / 1000).toFixed(1)} s`);
  const when = faults.map(({ kind, edges, from_ms, to_ms }) => `${kind} ${edges} ${at(from_ms)}–${at(to_ms)}`).join(', ');
  const said = [...errors];
  const must = (holds, text) => { if (!holds) said.push(text); };

  for (const what of ['wrong', 'bad', 'late', 'stale']) must(counts[what] === 0, `${counts[what]} ${what} answers`);
  must(counts.answered === counts.asked, `${counts.asked} requests, but ${counts.answered} answers`);
  must(lost <= timed_out, `${lost} connections lost to edges that live, but kernels gave up only ${timed_out}`);
  must(refused + cut > 0, 'no kill met a viewer');

  for (const { kind, edges, noticed, asked_while_down } of faults) {
    must(noticed, `nobody noticed: ${kind} ${edges}`);
    must(asked_while_down === 0, `${edges} asked ${asked_while_down} times while known to be away (${kind})`);
  }

  must(evictions === 0, `${evictions} evictions: what is fetched again may be lost for want of room`);
  for (const { id, version, by, at_ms, before } of fetched.unexcused) {
    const had = before.map((fetch) => `${fetch.by} ${at(fetch.at_ms)}–${at(fetch.ended_ms)}`).join(', ');
    said.push(`fetched again: ${pathOf(id)} version ${version} by ${by} at ${at(at_ms)}; had by ${had}`);
  }
  must(fetched.unexcused.length === 0, `${fetched.unexcused.length} fetches that no fault excuses: ${when}`);
  must(fetched.objects > 400, `only ${fetched.objects} objects`);

  must(purges.acknowledged > 10, `only ${purges.acknowledged} purges acknowledged`);
  purges.refused.forEach((answer) => said.push(`a purge refused: ${answer}`));
  return [...said, ...stale];
}

test('the rule excuses what a fault explains, and nothing else', () => {
  const fetch = (by, at_ms, more = {}) => ({ id: 1, version: 1, by, kind: 'whole', at_ms, ended_ms: at_ms + 10, ...more });
  const unexcused = (fetches, faults, order = ['a', 'b', 'c']) =>
    judgeFetches(fetches, faults, { notice_ms: 50, store_ms: 20 }, () => order).unexcused.length;
  const twice = [fetch('a', 100), fetch('b', 500)];
  const fault = (kind, edges, from_ms, to_ms) => ({ kind, edges, from_ms, to_ms });
  assert.equal(unexcused([fetch('a', 100), fetch('b', 500, { id: 2 })], []), 0);
  assert.equal(unexcused(twice, []), 1);
  assert.equal(unexcused(twice, [fault('kill', ['a'], 400, 600)]), 0);
  assert.equal(unexcused(twice, [fault('kill', ['a'], 300, 470)]), 0, 'just back');
  assert.equal(unexcused(twice, [fault('kill', ['a'], 300, 400)]), 1, 'long back, with what it held');
  assert.equal(unexcused(twice, [fault('kill', ['a'], 115, 200)]), 0, 'before it was stored');
  assert.equal(unexcused(twice, [fault('stop', ['b'], 400, 470)]), 0, 'who was stopped asks for itself');
  assert.equal(unexcused(twice, [fault('stop', ['b'], 300, 400)]), 1, 'but not for long');
  assert.equal(unexcused(twice, [fault('cut', ['c'], 400, 600)]), 1, 'of others');
  const again = [fetch('a', 100), fetch('a', 500)];
  assert.equal(unexcused(again, [fault('cut', ['a'], 90, 200)]), 0, 'it kept nothing');
  assert.equal(unexcused(again, [fault('cut', ['b'], 400, 600)]), 1);
  assert.equal(unexcused([fetch('a', 100), fetch('c', 200), fetch('b', 500)], [fault('kill', ['a'], 150, 600)], ['c', 'a', 'b']),
    1, 'one of two had it');
  assert.equal(unexcused(twice, [fault('stop', ['c'], 90, 200)], ['c', 'a', 'b']), 0, 'the first one stood in');
  assert.equal(unexcused(twice, [fault('stop', ['c'], 90, 200)], ['a', 'b', 'c']), 1, 'it did not');
});
