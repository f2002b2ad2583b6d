// What stands in front of the gateways: takes them in turn and passes over those that refuse, so that
// a client that dials again comes to another one.
import { dial, join, listen } from './relay.mjs';

export class Balancer {
  /** `backends` are addresses; all of them are asked before a connection is given up. */
  static async start(backends) {
    const balancer = new Balancer(backends);
    balancer.listener = await listen('127.0.0.1', 0, (client) => balancer.#take(client));
    return balancer;
  }

  constructor(backends) {
    this.backends = backends;
    this.next = 0;
  }

  get address() { return this.listener.address; }

  async #take(client) {
    const first = this.next++;
    for (let i = 0; i < this.backends.length; i += 1) {
      const backend = await dial(this.backends[(first + i) % this.backends.length]);
      if (client.destroyed) return backend?.destroy();
      if (backend) return join(client, backend);
    }
    client.resetAndDestroy();
  }

  close() {
    this.listener.close();
  }
}
