#!/usr/bin/env node
// Validates a finished HLS presentation: node tests/tools/validate.mjs URL…
// Prints a line a finding; 0 when there is none, 1 otherwise. The rules are in rules.mjs.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { loadPresentation } from './presentation.mjs';
import { allRules } from './rules.mjs';
import { trickRules } from './trick_play.mjs';

/** Findings [{rule, where, what}] of the presentation whose multivariant playlist is at `url`. */
export async function validate(url, { probe = true } = {}) {
  const presentation = await loadPresentation(url);
  const { findings } = presentation;
  const report = (rule, where, what) => findings.push({ rule, where: new URL(where).pathname, what });
  for (const rule of [...allRules, ...trickRules]) rule(presentation, report);
  if (probe) await independentOpinion(presentation, report);
  return findings;
}

export const asLine = ({ rule, where, what }) => `${where}: ${rule}: ${what}`;

/** ffprobe reads each rendition as far as one init goes: its time stamps must rise without a gap. */
async function independentOpinion({ renditions }, report) {
  for (const { url, segments } of renditions) {
    for (const run of runsOfOneInit(segments)) {
      const [{ init }] = run;
      const whole = Buffer.concat([init.bytes, ...run.map(({ bytes }) => bytes)]);
      const { output, errors } = await ffprobe(whole);
      if (errors) report('ffprobe', url, errors.split('\n')[0]);
      const samples = run.flatMap((segment) => segment.samples);
      judgePackets(output, samples, init, (what) => report('ffprobe', url, what));
    }
  }
  for (const rendition of renditions) await decodesAlone(rendition, report);
}

function runsOfOneInit(segments) {
  const runs = [];
  for (const segment of segments) {
    if (runs.at(-1)?.[0].init === segment.init) runs.at(-1).push(segment);
    else runs.push([segment]);
  }
  return runs;
}

/** Its I-frames alone are a stream of key pictures. Ranges that cut a box off make no file. */
async function decodesAlone({ url, iFrames = [] }, report) {
  if (iFrames.length === 0 || !iFrames.every(({ whole }) => whole)) return;
  for (const init of new Set(iFrames.map((each) => each.init))) {
    const pictures = iFrames.filter((each) => each.init === init);
    const file = Buffer.concat([init.bytes, ...pictures.map(({ bytes }) => bytes)]);
    const { output, errors } = await ffprobe(file, 'frame=key_frame');
    if (errors) report('I-frames decode alone', url, errors.split('\n')[0]);
    const frames = output.split('\n').map((line) => line.split(',')[0]).filter(Boolean);
    if (frames.length !== pictures.length || frames.some((key) => key !== '1')) {
      report('I-frames decode alone', url, `${pictures.length} ranges became ${frames.join(' ')}`);
    }
  }
}

function judgePackets(output, samples, { timescale }, report) {
  const stamps = output.trim().split('\n').map((line) => line.split(',').map(Number));
  if (stamps.length !== samples.length) {
    report(`reads ${stamps.length} packets, the boxes hold ${samples.length}`);
    return;
  }
  const longest_s = Math.max(...samples.map(({ duration }) => duration)) / timescale;
  for (let i = 1; i < stamps.length; i++) {
    const step_s = stamps[i][0] - stamps[i - 1][0];
    if (!(step_s > 0)) return report(`packet ${i} does not come after the one before`);
    if (step_s > 1.5 * longest_s) return report(`a gap of ${step_s} s before packet ${i}`);
  }
}

function ffprobe(bytes, entries = 'packet=dts_time') {
  return new Promise((resolve, reject) => {
    const child = spawn('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'csv=p=0', '-']);
    let [output, errors] = ['', ''];
    child.stdout.on('data', (data) => { output += data; });
    child.stderr.on('data', (data) => { errors += data; });
    child.on('error', reject).on('close', () => resolve({ output, errors: errors.trim() }));
    child.stdin.on('error', () => {}).end(bytes);  // ffprobe may stop reading early
  });
}

async function main(urls) {
  if (urls.length === 0) throw new Error('usage: validate.mjs URL of a multivariant playlist…');
  let count = 0;
  for (const url of urls) {
    const findings = await validate(url);
    for (const finding of findings) console.log(asLine(finding));
    if (findings.length === 0) console.log(`${url}: no findings`);
    count += findings.length;
  }
  process.exitCode = count > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
