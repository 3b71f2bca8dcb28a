// Relays in front of the origin's listeners that note when each picture of a publisher has arrived.
// Loopback: what they add is some tens of microseconds.

import dgram from 'node:dgram';
import net from 'node:net';

export const nowMs = () => performance.timeOrigin + performance.now();

const handshake_bytes = 1 + 1536 + 1536;  // of an RTMP client
const header_bytes = [11, 7, 3, 0];       // of a chunk, by its format
const video = 9, set_chunk_size = 1;

/** Reads what an RTMP client sends; `onPicture` for each whole coded picture (AVC, FLV's classic form). */
export class RtmpReader {
  #bytes = Buffer.alloc(0);
  #skip = handshake_bytes;
  #chunk_bytes = 128;
  #streams = new Map();

  constructor(onPicture) { this.onPicture = onPicture; }

  push(piece) {
    this.#bytes = Buffer.concat([this.#bytes, piece]);
    if (this.#skip > 0) {
      const gone = Math.min(this.#skip, this.#bytes.length);
      this.#bytes = this.#bytes.subarray(gone);
      this.#skip -= gone;
    }
    while (this.#skip === 0 && this.#takeChunk());
  }

  #takeChunk() {
    const bytes = this.#bytes;
    if (bytes.length < 3) return false;
    const format = bytes[0] >> 6;
    let id = bytes[0] & 63, at = 1;
    if (id < 2) [id, at] = id === 0 ? [64 + bytes[1], 2] : [64 + bytes.readUInt16LE(1), 3];
    if (bytes.length < at + header_bytes[format] + 4) return false;
    const stream = this.#streams.get(id) ?? { length: 0, type: 0, long: false, got: [], left: 0 };
    this.#streams.set(id, stream);
    if (format < 3) stream.long = bytes.readUIntBE(at, 3) === 0xffffff;
    if (format < 2) Object.assign(stream, { length: bytes.readUIntBE(at + 3, 3), type: bytes[at + 6] });
    at += header_bytes[format] + (stream.long ? 4 : 0);
    const left = stream.left || stream.length;
    const size = Math.min(left, this.#chunk_bytes);
    if (bytes.length < at + size) return false;
    stream.got.push(bytes.subarray(at, at + size));
    stream.left = left - size;
    this.#bytes = bytes.subarray(at + size);
    if (stream.left === 0) this.#takeMessage(stream.type, Buffer.concat(stream.got.splice(0)));
    return true;
  }

  #takeMessage(type, body) {
    if (type === set_chunk_size) this.#chunk_bytes = body.readUInt32BE(0) & 0x7fffffff;
    if (type === video && body[1] === 1) this.onPicture();
  }
}

/** {port, arrived: [ms of each picture], stop()} in front of an RTMP port. */
export async function tapRtmp(target) {
  const arrived = [];
  const sockets = new Set();
  const server = net.createServer((near) => {
    const far = net.connect({ port: target, host: '127.0.0.1', noDelay: true });
    near.setNoDelay(true);
    const reader = new RtmpReader(() => arrived.push(nowMs()));
    const end = () => { near.destroy(); far.destroy(); };
    near.on('data', (piece) => { far.write(piece); reader.push(piece); });
    far.on('data', (piece) => near.write(piece));
    for (const socket of [near, far]) sockets.add(socket.on('error', end).on('close', end));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { port: server.address().port, arrived,
    stop: () => { server.close(); for (const socket of sockets) socket.destroy(); } };
}

const ts_bytes = 188, srt_header_bytes = 16;

/** Calls `onPicture(pts)` for each picture that begins in a TS packet (stream 0xE0 of MPEG-TS). */
export function readTs(packet, onPicture) {
  const begins = (packet[1] & 0x40) !== 0;
  const has_payload = (packet[3] & 0x10) !== 0;
  if (packet[0] !== 0x47 || !begins || !has_payload) return;
  const at = 4 + ((packet[3] & 0x20) !== 0 ? 1 + packet[4] : 0);
  if (at + 14 > ts_bytes || packet.readUIntBE(at, 4) !== 0x1e0) return;
  const high = (packet[at + 9] >> 1) & 7;
  onPicture(high * 2 ** 30 + ((packet.readUInt16BE(at + 10) >> 1) << 15 | packet.readUInt16BE(at + 12) >> 1));
}

/** The same in front of an SRT port; the publisher must not encrypt. A picture has arrived with its first packet. */
export async function tapSrt(target) {
  const arrived = [];
  const seen = new Set();  // what is sent again counts once
  const near = dgram.createSocket('udp4');
  const far = dgram.createSocket('udp4');
  let publisher = null;
  near.on('message', (packet, from) => {
    publisher = from;
    far.send(packet, target, '127.0.0.1');
    if ((packet[0] & 0x80) !== 0) return;
    for (let at = srt_header_bytes; at + ts_bytes <= packet.length; at += ts_bytes) {
      readTs(packet.subarray(at, at + ts_bytes), (pts) => {
        if (!seen.has(pts)) arrived.push(nowMs());
        seen.add(pts);
      });
    }
  });
  far.on('message', (packet) => { if (publisher) near.send(packet, publisher.port, publisher.address); });
  for (const socket of [near, far]) {
    socket.on('error', () => {});
    await new Promise((ready) => socket.bind(0, '127.0.0.1', ready));
  }
  return { port: near.address().port, arrived, stop: () => { near.close(); far.close(); } };
}
