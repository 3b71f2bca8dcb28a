// The relays of a relayed network, on a thread of their own: {name, target} each, and messages that
// name those to hold or to let go on.

import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

class Relay {
  constructor(target) {
    this.target = target;
    this.held = false;
    this.pairs = new Set();
    this.server = net.createServer((near) => this.take(near.on('error', () => {})));
  }

  take(near) {
    const pair = { near, far: null };
    this.pairs.add(pair);
    near.on('close', () => this.end(pair));
    if (!this.held) this.join(pair);
  }

  join(pair) {
    pair.far = net.connect(this.target).on('error', () => {}).on('close', () => this.end(pair));
    this.flow(pair);
  }

  flow({ near, far }) {
    near.pipe(far).pipe(near);
  }

  end(pair) {
    this.pairs.delete(pair);
    pair.near.destroy();
    pair.far?.destroy();
  }

  hold(held) {
    this.held = held;
    for (const pair of this.pairs) {
      if (!held) {
        if (pair.far) this.flow(pair);
        else this.join(pair);
      } else {
        pair.near.unpipe(pair.far).pause();
        pair.far?.unpipe(pair.near).pause();
      }
    }
  }
}

const relays = new Map(workerData.pairs.map(({ name, target }) => [name, new Relay(target)]));
const ports = {};
for (const [name, { server }] of relays) {
  await new Promise((ready, bad) => server.once('error', bad).listen(0, workerData.host, 1024, ready));
  ports[name] = server.address().port;
}
parentPort.on('message', ({ held, names }) => names.forEach((name) => relays.get(name).hold(held)));
parentPort.postMessage(ports);
