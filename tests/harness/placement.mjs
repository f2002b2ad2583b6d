// Who leads and who owns what in a cluster, as the command line tells it.
import { BINARY } from './binary.mjs';
import { run } from './children.mjs';

export class Placement {
  /** `routers()` gives the addresses of group routers that may be asked. */
  constructor(routers) {
    this.routers = routers;
  }

  async describe() {
    throw new Error('to come');
  }
}
