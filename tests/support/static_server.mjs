// An HTTP server over a map of paths, for tests that need a server they can bend: each entry is
// {body, headers, status}, and may be changed while it runs.

import http from 'node:http';
import zlib from 'node:zlib';

/** {url, files: Map<path, {body: Buffer, headers?: object, status?: number}>, requests, close()} */
export async function startStaticServer(files = new Map()) {
  const requests = [];
  const server = http.createServer((request, response) => {
    const path = request.url.split('?')[0];
    requests.push({ method: request.method, path, headers: request.headers });
    const file = files.get(path);
    if (!file) return response.writeHead(404).end();
    const { body, headers = {}, status = 200 } = file;
    const pack = headers['content-type'] === 'application/vnd.apple.mpegurl' && !headers.plain &&
      /gzip/.test(request.headers['accept-encoding'] ?? '');
    response.writeHead(status, { ...headers, ...(pack ? { 'content-encoding': 'gzip' } : {}) });
    return response.end(pack ? zlib.gzipSync(body) : body);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    files, requests,
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    }),
  };
}
