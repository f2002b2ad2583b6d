// NATS and Cassandra, through the scripts of deploy/local: one of each serves a whole run, and tests
// that stop them have their own.
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { BINARY, REPOSITORY, requireBinary } from './binary.mjs';
import { run } from './children.mjs';
import { scratchFolder } from './scratch.mjs';
import { inherited } from './server-process.mjs';
import { toml } from './toml.mjs';

const script = (part) => path.join(REPOSITORY, 'deploy/local', part);
const KEYSPACE = 'throng_tests';

/** One NATS server or Cassandra node in a folder of its own. */
export class Part {
  constructor(name, dir, port) {
    Object.assign(this, { name, dir: path.join(dir, name), port });
  }

  get address() { return `127.0.0.1:${this.port}`; }

  async #verb(verb, ...args) {
    const { code, stdout, stderr } = await run(script(this.name), [verb, '--dir', this.dir, ...args], { timeout: 300_000 });
    if (code !== 0) throw new Error(`${this.name} ${verb}: exit ${code}\n${stdout}${stderr}`);
  }

  start() { return this.#verb('start', '--port', String(this.port)); }
  stop() { return this.#verb('stop'); }
  kill() { return this.#verb('kill'); }
  pause() { return this.#verb('pause'); }
  resume() { return this.#verb('resume'); }
}

/** NATS, Cassandra with a keyspace that has all tables, or one of them. */
export class Backing {
  /**
   * Starts them; whatever becomes of this process, they end with it. What is not started here is that
   * of the whole run.
   */
  static async start({ nats = true, cassandra = true } = {}) {
    requireBinary();
    const backing = new Backing(scratchFolder('backing'));
    backing.#guard();
    try {
      const ports = await freePorts(2);
      if (nats) backing.nats = new Part('nats', backing.dir, ports[0]);
      if (cassandra) backing.cassandra = new Part('cassandra', backing.dir, ports[1]);
      await Promise.all([backing.nats?.start(), backing.cassandra?.start()]);
      if (cassandra) await backing.#applySchema();
    } catch (error) {
      await backing.end();
      throw error;
    }
    return backing;
  }

  constructor(dir) {
    this.dir = dir;
  }

  /** What the config of a cluster says about them. */
  get config() {
    const shared = this.nats && this.cassandra ? {} : sharedBacking();
    return {
      keyspace: this.cassandra ? KEYSPACE : shared.keyspace,
      nats: this.nats ? [this.nats.address] : shared.nats,
      cql: this.cassandra ? [this.cassandra.address] : shared.cql,
    };
  }

  // A process that waits for the end of this one, in whatever way it ends, and then ends the two.
  #guard() {
    const kill = ['nats', 'cassandra'].map((part) => `${script(part)} kill --dir ${path.join(this.dir, part)}`).join('; ');
    this.guard = spawn('/bin/sh', ['-c', `trap '' INT TERM HUP; read -r _; ${kill}; rm -rf ${this.dir}`], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.guard.stdin.on('error', () => {});
    this.guard.unref();
    this.guard.stdin.unref?.();
  }

  async #applySchema() {
    const config = path.join(this.dir, 'schema.toml');
    writeFileSync(config, toml({ cql: { nodes: this.config.cql, keyspace: KEYSPACE, replication: 1 } }));
    const { code, stdout, stderr } = await run(BINARY, ['schema', 'apply', '--config', config], { env: inherited, timeout: 120_000 });
    if (code !== 0) throw new Error(`schema apply: exit ${code}\n${stdout}${stderr}`);
  }

  async end() {
    await Promise.all([this.nats?.kill(), this.cassandra?.kill()]);
    rmSync(this.dir, { recursive: true, force: true });
    this.guard.kill('SIGKILL');
  }
}

/** `count` ports of 127.0.0.1 that are free, below those that the system gives to who asks for any. */
async function freePorts(count) {
  const found = new Set();
  while (found.size < count) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** What serves this run, as `run.mjs` started it. */
export function sharedBacking() {
  const told = process.env.THRONG_TEST_BACKING;
  if (!told) throw new Error('no NATS and Cassandra for this run: start tests by "THRONG_TEST_TARGET=cluster node run.mjs PART…"');
  return JSON.parse(told);
}
