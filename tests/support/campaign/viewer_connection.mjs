// A viewer's keep-alive connection: one request at a time, each byte compared as it comes, nothing kept.

import net from 'node:net';
import { agrees, lengthOf, pathOf } from './objects.mjs';

const head_bytes_max = 16_384;
const keep_alive_ms = 5_000;  // of silence; then the edge's kernel is asked whether the connection lives

/** Ends a `get`; `kind`: "lost" (the connection), "wrong" (a byte), "bad" (the answer's head). */
const failure = (kind, message) => Object.assign(new Error(message), { kind });

export class ViewerConnection {
  constructor({ host, port }) {
    this.closed = false;
    this.asked = null;
    this.socket = net.connect({ host, port, noDelay: true });
    this.socket.setKeepAlive(true, keep_alive_ms);
    this.socket.on('data', (piece) => this.take(piece));
    this.socket.on('error', (error) => this.lose(error.code ?? error.message));
    this.socket.on('close', () => this.lose('closed'));
  }

  /** {version, cacheStatus} of an answer in which every byte was right. */
  get(id) {
    return new Promise((resolve, reject) => {
      this.asked = { id, resolve, reject, begun_ms: Date.now(), head: '', at: -1, version: 0, last: false };
      if (this.closed) this.lose('closed before the request');
      else this.socket.write(`GET ${pathOf(id)} HTTP/1.1\r\nHost: campaign\r\n\r\n`);
    });
  }

  close() {
    this.closed = true;
    this.socket.destroy();
  }

  settle(error) {
    const asked = this.asked;
    this.asked = null;
    if (!asked) return;
    if (error || asked.last) this.close();
    if (error) asked.reject(error);
    else asked.resolve({ version: asked.version, cacheStatus: asked.cacheStatus });
  }

  lose(why) {
    this.closed = true;
    this.settle(failure('lost', why));
  }

  take(piece) {
    const asked = this.asked;
    if (!asked) return this.close();  // bytes that nobody asked for: the next request fails
    if (asked.at < 0) {
      asked.head += piece.toString('latin1');
      const end = asked.head.indexOf('\r\n\r\n');
      if (end < 0) {
        if (asked.head.length > head_bytes_max) this.settle(failure('bad', 'a head without an end'));
        return;
      }
      piece = Buffer.from(asked.head.slice(end + 4), 'latin1');
      asked.head = asked.head.slice(0, end + 2);
      const bad = this.readHead(asked);
      if (bad) return this.settle(failure('bad', bad));
      asked.at = 0;
    }
    if (!agrees(asked.id, asked.version, asked.at, piece)) {
      return this.settle(failure('wrong', `a byte from ${asked.at} on of version ${asked.version}`));
    }
    asked.at += piece.length;
    if (asked.at === lengthOf(asked.id)) this.settle();
  }

  /** What is not as it must be. */
  readHead(asked) {
    const field = (name) => new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'i').exec(asked.head)?.[1] ?? '';
    asked.cacheStatus = field('cache-status');
    const status = asked.head.slice(9, 12);
    const [, id, version] = /^"(\d+)-(\d+)"$/.exec(field('etag')) ?? [];
    asked.version = Number(version);
    asked.last = /close/i.test(field('connection'));
    const right = status === '200' && Number(id) === asked.id && field('content-length') === String(lengthOf(asked.id));
    return right ? null : `${asked.head.split('\r\n', 1)[0]}, ETag ${field('etag')}, Content-Length `
      + `${field('content-length')}, Cache-Status ${asked.cacheStatus}`;
  }
}
