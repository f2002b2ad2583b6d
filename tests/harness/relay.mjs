// Joins TCP connections to others: what the balancer and the proxies of partition tests stand on.
import net from 'node:net';

/** Passes everything on between two sockets, each half-close too, until both are done or one breaks. */
export function join(a, b) {
  for (const [from, to] of [[a, b], [b, a]]) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    // A socket that is gone without an orderly end (a reset, a destroy) takes the other one along.
    from.on('close', () => to.destroySoon());
  }
}

/** A connection to `host:port`, or null if nobody takes it. */
export function dial(address) {
  return new Promise((resolve) => {
    const [host, port] = address.split(':');
    const socket = net.connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}

/** Listens on `host:port` and gives every connection to `take`. */
export function listen(host, port, take) {
  const sockets = new Set();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    take(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, 1024, () => {
      server.removeListener('error', reject);
      resolve({
        address: `${host}:${server.address().port}`,
        close() {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
}
