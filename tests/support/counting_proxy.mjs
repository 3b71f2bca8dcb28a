// A proxy in front of the origin that counts what edges fetch from it, whatever the origin itself
// says. Bytes and headers pass unchanged.

import { createHash } from 'node:crypto';
import http from 'node:http';

/** {url, fetches: Map<path, number>; of bodies: bytes: Map<path, number>, hashes: Map<path, SHA-256 of the last>; stop()} */
export async function startCountingProxy(target) {
  const [fetches, bytes, hashes] = [new Map(), new Map(), new Map()];
  const count = (map, path, more) => map.set(path, (map.get(path) ?? 0) + more);
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    count(fetches, request.url, 1);
    const upstream = http.request(target + request.url,
      { method: request.method, headers: request.headers, agent }, (answer) => {
        response.writeHead(answer.statusCode, answer.rawHeaders);
        const hash = createHash('sha256');
        answer.on('data', (piece) => {
          count(bytes, request.url, piece.length);
          hash.update(piece);
        });
        answer.on('end', () => hashes.set(request.url, hash.digest('hex')));
        answer.pipe(response);
        answer.on('aborted', () => response.destroy());
      });
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    fetches, bytes, hashes,
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((done) => {
      agent.destroy();
      server.close(done);
      server.closeAllConnections();
    }),
  };
}
