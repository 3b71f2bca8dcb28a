// A publisher of HEVC by enhanced RTMP (Veovera, "Enhancing RTMP, FLV", 2023), which no encoder of Debian 12
// speaks: the packets of a file made by ffmpeg, in their own time, over and over.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { until } from './poll.mjs';
import { temporaryFolder } from './torchrelay.mjs';

const chunk_bytes = 65_536;
const tick_ms = 20;
const messages = { chunkSize: 1, audio: 8, video: 9, command: 20 };
const contents = { head: 0, picture: 1, atOnce: 3 };
const aac_lc_48k_stereo = Buffer.from([0x11, 0x90]);

/** Two seconds of HEVC with reordered pictures and AAC: {head, packets: [{video, key, pts, dts, body}]}, times in ms. */
function hevcPackets() {
  const folder = temporaryFolder('hevc');
  const file = path.join(folder, 'clip.mp4');
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=2',
    '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=2', '-c:v', 'libx265', '-tag:v', 'hvc1',
    '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=25:bframes=2', '-pix_fmt', 'yuv420p',
    '-c:a', 'aac', '-ac', '2', file]);
  const bytes = fs.readFileSync(file);
  const told = JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-show_packets', '-of', 'json', file])).packets;
  fs.rmSync(folder, { recursive: true });
  const at = bytes.indexOf('hvcC');
  const head = bytes.subarray(at + 4, at - 4 + bytes.readUInt32BE(at - 4));
  const packets = told.map((packet) => ({
    video: packet.codec_type === 'video', key: packet.flags.startsWith('K'),
    pts: Math.round(1000 * packet.pts_time), dts: Math.round(1000 * packet.dts_time),
    body: bytes.subarray(Number(packet.pos), Number(packet.pos) + Number(packet.size)),
  }));
  const begin = Math.min(...packets.map(({ dts }) => dts));
  for (const packet of packets) { packet.pts -= begin; packet.dts -= begin; }
  return { head, packets: packets.sort((a, b) => a.dts - b.dts) };
}

function number(value) {
  const bytes = Buffer.alloc(9);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}
const text = (value) => Buffer.concat([Buffer.from([2, value.length >> 8, value.length & 255]), Buffer.from(value)]);
const object = (key, value) =>
  Buffer.concat([Buffer.from([3, 0, key.length]), Buffer.from(key), text(value), Buffer.from([0, 0, 9])]);
const nothing = Buffer.from([5]);

/** One message in one chunk. */
function message(type, stream, time_ms, body) {
  const head = Buffer.alloc(12);
  head[0] = 4;
  head.writeUIntBE(time_ms, 1, 3);
  head.writeUIntBE(body.length, 4, 3);
  head[7] = type;
  head.writeUInt32LE(stream, 8);
  return Buffer.concat([head, body]);
}

const video = (coding, key, content, rest) =>
  Buffer.concat([Buffer.from([0x80 | (key ? 1 : 2) << 4 | content]), Buffer.from(coding), ...rest]);

function picture(coding, { key, pts, dts, body }) {
  if (pts === dts) return video(coding, key, contents.atOnce, [body]);
  const offset = Buffer.alloc(3);
  offset.writeIntBE(pts - dts, 0, 3);
  return video(coding, key, contents.picture, [offset, body]);
}

/**
 * Publishes at rtmp://HOST:PORT/APP/STREAM until stop(). `coding`: the FourCC that is claimed.
 * @returns {Promise<{stop: () => void, spoil: (bytes: Buffer) => void, said: () => string}>} once it is accepted;
 *   `spoil`: sends that instead of what would follow; `said`: what came back
 */
export async function publishEnhanced(to, { coding = 'hvc1' } = {}) {
  const { head, packets } = hevcPackets();
  const { hostname, port, pathname, search } = new URL(to.replace('rtmp:', 'http:'));
  const [, app, stream] = pathname.split('/');
  const socket = net.connect(port, hostname);
  let said = '';
  socket.on('data', (piece) => { said += piece.toString('latin1'); }).on('error', (error) => { said += error.message; });
  const size = Buffer.alloc(4);
  size.writeUInt32BE(chunk_bytes);
  const greeting = Buffer.alloc(1536);
  socket.write(Buffer.concat([Buffer.from([3]), greeting, greeting, message(messages.chunkSize, 0, 0, size),
    message(messages.command, 0, 0, Buffer.concat([text('connect'), number(1), object('app', app)])),
    message(messages.command, 0, 0, Buffer.concat([text('createStream'), number(2), nothing])),
    message(messages.command, 1, 0, Buffer.concat([text('publish'), number(3), nothing, text(stream + search), text('live')]))]));
  await until('the publisher to be accepted', () => said.includes('NetStream.Publish.Start'));
  socket.write(message(messages.video, 1, 0, video(coding, true, contents.head, [head])));
  socket.write(message(messages.audio, 1, 0, Buffer.concat([Buffer.from([0xaf, 0]), aac_lc_48k_stereo])));
  const begun = Date.now();
  const length_ms = 2000;
  let sent = 0;
  const timer = setInterval(() => {
    for (; !socket.destroyed; ++sent) {
      const packet = packets[sent % packets.length];
      const round_ms = Math.floor(sent / packets.length) * length_ms;
      if (round_ms + packet.dts > Date.now() - begun) return;
      const body = packet.video ? picture(coding, packet) : Buffer.concat([Buffer.from([0xaf, 1]), packet.body]);
      socket.write(message(packet.video ? messages.video : messages.audio, 1, round_ms + packet.dts, body));
    }
  }, tick_ms);
  const spoil = (bytes) => { clearInterval(timer); socket.write(bytes); };
  return { stop: () => { clearInterval(timer); socket.destroy(); }, spoil, said: () => said };
}
