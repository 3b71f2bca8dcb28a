// A proxy in front of the origin that counts what edges fetch from it, whatever the origin itself
// says. Bytes and headers pass unchanged.

import http from 'node:http';

/** {url, fetches: Map<path, number>, stop()} */
export async function startCountingProxy(target) {
  const fetches = new Map();
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    fetches.set(request.url, (fetches.get(request.url) ?? 0) + 1);
    const upstream = http.request(target + request.url,
      { method: request.method, headers: request.headers, agent }, (answer) => {
        response.writeHead(answer.statusCode, answer.rawHeaders);
        answer.pipe(response);
        answer.on('aborted', () => response.destroy());
      });
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    fetches,
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((done) => {
      agent.destroy();
      server.close(done);
      server.closeAllConnections();
    }),
  };
}
