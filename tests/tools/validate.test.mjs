// The validator is right about a good presentation, and finds each fault that is planted in one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeHlsSample } from '../support/hls_sample.mjs';
import { startStaticServer } from '../support/static_server.mjs';
import { boxes } from './fmp4.mjs';
import { attributes } from './hls_playlist.mjs';
import { asLine, validate } from './validate.mjs';

const root = '/demo/sample';
let good;
let server;

before(async () => {
  good = makeHlsSample();
  server = await startStaticServer();
});
after(() => server.close());

/** Findings after `change` had its way with a copy of the good presentation. */
async function findingsAfter(change, options = { probe: false }) {
  server.files.clear();
  for (const [path, file] of good) {
    server.files.set(path, { body: Buffer.from(file.body), headers: { ...file.headers } });
  }
  change(server.files);
  return validate(`${server.url}${root}/index.m3u8`, options);
}

function editText(path, from, to) {
  return (files) => {
    const file = files.get(`${root}/${path}`);
    const text = file.body.toString();
    assert.ok(from instanceof RegExp ? from.test(text) : text.includes(from), `nothing to change in ${path}`);
    file.body = Buffer.from(text.replace(from, to));
  };
}

function editBytes(path, edit) {
  return (files) => edit(files.get(`${root}/${path}`).body);
}

/** Offset of the body of the first box at a path of types such as moof/traf/tfdt. */
function bodyOf(bytes, path) {
  let range = { body: 0, end: bytes.length };
  for (const type of path.split('/')) {
    range = boxes(bytes, range.body, range.end).find((box) => box.type === type);
  }
  return range.body;
}

function shiftTfdt(ticks) {
  return (bytes) => {
    const at = bodyOf(bytes, 'moof/traf/tfdt') + 4;
    bytes.writeBigUInt64BE(bytes.readBigUInt64BE(at) + BigInt(ticks), at);
  };
}

/** Makes the first NAL unit that is an IDR slice an ordinary one. */
function spoilIdr(bytes) {
  const mdat = boxes(bytes).find(({ type }) => type === 'mdat');
  for (let at = mdat.body; at < mdat.end; at += 4 + bytes.readUInt32BE(at)) {
    if ((bytes[at + 4] & 0x1f) === 5) bytes[at + 4] = (bytes[at + 4] & 0xe0) | 1;
  }
}

test('a good presentation has no findings, by the boxes and by ffprobe', async () => {
  const findings = await findingsAfter(() => {}, { probe: true });
  assert.deepEqual(findings.map(asLine), []);
});

const faults = [
  ['9.x CODECS', editText('index.m3u8', /CODECS="[^"]*",/, '')],
  ['9.x RESOLUTION', editText('index.m3u8', 'RESOLUTION=256x144,', '')],
  ['9.x FRAME-RATE', editText('index.m3u8', 'FRAME-RATE=25.000,', '')],
  ['9.x AVERAGE-BANDWIDTH', editText('index.m3u8', /AVERAGE-BANDWIDTH=\d+,/, '')],
  ['9.11 INDEPENDENT-SEGMENTS', (files) => {
    for (const path of ['index.m3u8', '1/low/index.m3u8']) {
      editText(path, '#EXT-X-INDEPENDENT-SEGMENTS\n', '')(files);
    }
  }],
  ['AUDIO group', editText('index.m3u8', 'GROUP-ID="audio"', 'GROUP-ID="other"')],
  ['8.10 LANGUAGE', editText('index.m3u8', 'LANGUAGE="und",', '')],
  ['CODECS is true', editText('index.m3u8', 'avc1.4d400c', 'avc1.4d400d')],
  ['RESOLUTION is true', editText('index.m3u8', '256x144', '258x144')],
  ['FRAME-RATE is true', editText('index.m3u8', 'FRAME-RATE=25.000', 'FRAME-RATE=30.000')],
  ['1.26 AVERAGE-BANDWIDTH', editText('index.m3u8', /AVERAGE-BANDWIDTH=(\d+)/, 'AVERAGE-BANDWIDTH=1$1')],
  ['1.27 BANDWIDTH', editText('index.m3u8', /INF:BANDWIDTH=(\d+)/, 'INF:BANDWIDTH=1$1')],
  ['8.6 PLAYLIST-TYPE', editText('1/low/index.m3u8', '#EXT-X-PLAYLIST-TYPE:VOD\n', '')],
  ['8.x ENDLIST', editText('1/low/index.m3u8', '#EXT-X-ENDLIST', '')],
  ['8.2 same target duration', editText('1/low/index.m3u8', 'DURATION:2', 'DURATION:3')],
  ['7.7 EXTINF within target', editText('1/low/index.m3u8', '#EXTINF:2.0', '#EXTINF:2.6')],
  ['EXTINF is true', editText('1/low/index.m3u8', '#EXTINF:2.0', '#EXTINF:2.1')],
  ['8.22 same boundaries', editText('1/high/index.m3u8', /#EXTINF:.*\n3.m4s\n/, '')],
  ['8.13 same discontinuities',
    editText('1/low/index.m3u8', /(#EXTINF:.*\n2.m4s)/, '#EXT-X-DISCONTINUITY\n$1')],
  ['EXT-X-MAP changes with a discontinuity', (files) => {
    files.set(`${root}/1/low/other.mp4`, files.get(`${root}/1/low/init.mp4`));
    editText('1/low/index.m3u8', /(#EXTINF:.*\n2.m4s)/, '#EXT-X-MAP:URI="other.mp4"\n$1')(files);
  }],
  ['EXT-X-MAP', editText('1/low/index.m3u8', /#EXT-X-MAP.*\n/, '')],
  ['7.3 tfdt continues', editBytes('1/low/1.m4s', shiftTfdt(512))],
  ['rungs aligned', (files) => {
    for (const n of [0, 1, 2, 3]) editBytes(`1/low/${n}.m4s`, shiftTfdt(512))(files);
  }],
  ['audio with video', (files) => {
    for (const n of [0, 1, 2, 3]) editBytes(`1/audio/${n}.m4s`, shiftTfdt(96))(files);
  }],
  ['7.4 IDR first', editBytes('1/high/2.m4s', spoilIdr)],
  ['fMP4', editBytes('1/high/2.m4s', (bytes) => bytes.writeUInt32BE(9, 0))],
  ['listed media is reachable', (files) => files.delete(`${root}/1/low/2.m4s`)],
  ['reachable', (files) => files.delete(`${root}/1/low/index.m3u8`)],
  ['mime type', (files) => { files.get(`${root}/1/low/0.m4s`).headers['content-type'] = 'text/html'; }],
  ['immutable media', (files) => { delete files.get(`${root}/1/low/0.m4s`).headers['cache-control']; }],
  ['6.1 I-frame playlists', editText('index.m3u8', /#EXT-X-I-FRAME.*\n/g, '')],
  ['6.10 I-frame range', editText('1/low/iframes.m3u8', /BYTERANGE:(\d+)@/, 'BYTERANGE:1@')],
  ['6.10 I-frame range', editText('1/low/iframes.m3u8', /BYTERANGE:(\d+)@/, 'BYTERANGE:$1000@')],
  ['6.10 I-frame range', editText('1/low/iframes.m3u8', /BYTERANGE:(\d+)@\d+/, 'BYTERANGE:$1@0')],
  ['EXT-X-I-FRAMES-ONLY', editText('1/high/iframes.m3u8', '#EXT-X-I-FRAMES-ONLY\n', '')],
  ['EXTINF to the next I-frame', editText('1/high/iframes.m3u8', '#EXTINF:2.0', '#EXTINF:1.9')],
  ['6.11 target duration', editText('1/high/iframes.m3u8', 'DURATION:2', 'DURATION:3')],
  ['9.21 slow paths', editText('index.m3u8', /#EXT-X-STREAM-INF.*\n1\/audio.*\n/, '')],
  ['I-frame BANDWIDTH', editText('index.m3u8', /I-FRAME-STREAM-INF:BANDWIDTH=/, '$&9')],
  ['I-frame in a listed segment', editText('1/high/iframes.m3u8', '\n2.m4s', '\n9.m4s')],
  ['I-frames of a rendition', editText('1/high/iframes.m3u8', 'init.mp4', 'other.mp4')],
  ['10.1 gzip', (files) => { files.get(`${root}/1/low/index.m3u8`).headers.plain = '1'; }],
];

for (const [i, [rule, plant]] of faults.entries()) {
  test(`a planted fault is found: ${rule} (${i})`, async () => {
    const rules = (await findingsAfter(plant)).map((finding) => finding.rule);
    assert.ok(rules.includes(rule), `found only: ${rules.join('; ') || 'nothing'}`);
  });
}

test('ffprobe finds a gap between segments', async () => {
  const findings = await findingsAfter((files) => {
    for (const n of [2, 3]) editBytes(`1/low/${n}.m4s`, shiftTfdt(5120))(files);
  }, { probe: true });
  assert.ok(findings.some(({ rule, what }) => rule === 'ffprobe' && what.includes('gap')),
    findings.map(asLine).join('\n'));
});

test('quoted attribute values keep their commas', () => {
  assert.deepEqual(attributes('A=1,CODECS="avc1.64001f,mp4a.40.2",B="x=y"'),
    { A: '1', CODECS: 'avc1.64001f,mp4a.40.2', B: 'x=y' });
});
