// Free loopback ports, chosen by the kernel. All are held open until the last one is known, so no
// two of one call are the same.

import net from 'node:net';

export async function freePorts(count) {
  const listeners = await Promise.all(
    Array.from({ length: count }, () => new Promise((resolve, reject) => {
      const listener = net.createServer().once('error', reject);
      listener.listen(0, '127.0.0.1', () => resolve(listener));
    })));
  const ports = listeners.map((listener) => listener.address().port);
  await Promise.all(listeners.map((listener) => new Promise((done) => listener.close(done))));
  return ports;
}
