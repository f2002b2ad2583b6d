// A `throng standalone` process under test, in a folder of its own.
import { rmSync } from 'node:fs';
import { requireBinary } from './binary.mjs';
import { scratchFolder } from './scratch.mjs';
import { ServerProcess } from './server-process.mjs';

export class Standalone extends ServerProcess {
  /** `config` is the content of the config file, less addresses and data folder. */
  static async start(config, { args = [], env = {} } = {}) {
    requireBinary();
    const server = new Standalone(config, args, env);
    await server.launch();
    return server;
  }

  constructor(config, args, env) {
    super({
      name: 'standalone',
      role: 'standalone',
      dir: scratchFolder('test'),
      // Port 0 the first time; a restarted server must come back where its clients look for it.
      settings: () => ({ listen: this.addresses.listen ?? '127.0.0.1:0', admin_listen: this.addresses.admin ?? '127.0.0.1:0', ...this.config }),
      args,
      env,
    });
    this.config = config;
  }

  get base() { return `http${this.#tls}://${this.addresses.listen}`; }
  get wsBase() { return `ws${this.#tls}://${this.addresses.listen}`; }
  get #tls() { return this.config.gateway?.tls ? 's' : ''; }

  /** Ends the server for good and removes its data, unless they are to be looked at. */
  async dispose({ keep = false } = {}) {
    if (this.running) await this.kill();
    if (!keep) rmSync(this.dir, { recursive: true, force: true });
  }
}
