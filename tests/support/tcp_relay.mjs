// A relay of TCP in front of a port on this machine that can be cut, as a cable is: what stands
// gets nothing any more, and nobody says so; what comes new is not answered.

import net from 'node:net';

/** {port, cut(), heal(), stop()} */
export async function startTcpRelay(target) {
  const pairs = new Set();
  let isCut = false;
  const server = net.createServer((near) => {
    const far = net.connect(target, '127.0.0.1');
    const pair = [near, far];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', (bytes) => { if (!isCut) to.write(bytes); });
      from.on('error', end).on('close', end);
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    port: server.address().port,
    cut: () => { isCut = true; },
    /** Connections from before have a gap by now: they end. */
    heal: () => {
      isCut = false;
      for (const [near] of pairs) near.destroy();
    },
    stop: () => new Promise((done) => {
      server.close(done);
      for (const [near] of pairs) near.destroy();
    }),
  };
}
