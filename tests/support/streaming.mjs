// Answers read at the test's own pace, and connections made of raw bytes.

import http from 'node:http';
import net from 'node:net';

/** Resolves once the head is there: {status, headers, incoming, whole(), leave()}. */
export function openAnswer(url, { method = 'GET', headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(url, { method, headers, agent: false }, (incoming) => {
      incoming.on('error', () => {});
      resolve({
        status: incoming.statusCode,
        headers: incoming.headers,
        incoming,
        whole: () => readAll(incoming),
        /** The client goes away without a word. */
        leave: () => outgoing.destroy(),
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** The rest of the body and whether it ended as promised; never rejects. */
export async function readAll(incoming) {
  const pieces = [];
  try {
    for await (const piece of incoming) pieces.push(piece);
  } catch { /* cut: told by `complete` */ }
  return { body: Buffer.concat(pieces), complete: incoming.complete };
}

/** Exactly `length` bytes of the body, or fewer where it ends; more stay unread. */
export async function readBytes(incoming, length) {
  const pieces = [];
  let missing = length;
  while (missing > 0) {
    const piece = incoming.read(Math.min(missing, incoming.readableLength) || missing);
    if (piece) {
      pieces.push(piece);
      missing -= piece.length;
    } else if (incoming.readableEnded || incoming.destroyed) {
      break;
    } else {
      await new Promise((wake) => {
        for (const event of ['readable', 'end', 'close']) incoming.once(event, wake);
      });
    }
  }
  return Buffer.concat(pieces);
}

/** A TCP client: {socket, text(), closed: Promise<"end"|"reset">, send(text)}. */
export function openRaw(port, first = '') {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect({ port, host: '127.0.0.1' }, () => {
      if (first) socket.write(first, 'latin1');
      resolve({ socket, closed, text: () => text, send: (more) => socket.write(more, 'latin1') });
    });
    const closed = new Promise((done) => {
      socket.on('end', () => done('end'));
      socket.on('error', (error) => { reject(error); done('reset'); });
      socket.on('close', () => done('end'));
    });
    socket.on('data', (piece) => { text += piece.toString('latin1'); });
  });
}
