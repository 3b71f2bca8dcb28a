// A relay of TCP in front of a port on this machine that can be cut, as a cable is: what stands
// gets nothing any more, and nobody says so; what comes new is not answered. And it can be narrow.

import net from 'node:net';

/**
 * {port, cut(), heal(), narrow(), stop()}. What the connecting side sends passes a token bucket from
 * narrow({rate, bucket}) on, in bytes a second and bytes; narrow(null) widens it again.
 */
export async function startTcpRelay(target) {
  const pairs = new Set();
  let isCut = false;
  let pipe = null;
  let tokens = 0;
  let counted = 0;
  const refill = () => {
    const now = performance.now();
    tokens = Math.min(pipe.bucket, tokens + pipe.rate * (now - counted) / 1000);
    counted = now;
  };
  // Taken whole, and paid for later: what is in debt waits.
  const pay = (bytes, source) => {
    if (!pipe) return;
    refill();
    tokens -= bytes;
    if (tokens >= 0 || source.isPaused()) return;
    source.pause();
    const look = () => {
      if (pipe) refill();
      if (!pipe || tokens >= 0) source.resume();
      else if (!source.destroyed) setTimeout(look, 20);
    };
    setTimeout(look, 20);
  };
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
      from.on('data', (bytes) => {
        if (!isCut) to.write(bytes);
        if (from === near) pay(bytes.length, near);
      });
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
    narrow: (wanted) => {
      pipe = wanted;
      tokens = wanted?.bucket ?? 0;
      counted = performance.now();
    },
    stop: () => new Promise((done) => {
      server.close(done);
      for (const [near] of pairs) near.destroy();
    }),
  };
}
