// Preloaded (node --require) into servers that we did not write: listen(port) means 127.0.0.1.

const net = require('node:net');
const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function listenOnLoopback(port, ...rest) {
  if (typeof port === 'object') return listen.call(this, port, ...rest);
  const callbacks = rest.filter((argument) => typeof argument === 'function');
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, ...callbacks);
};
