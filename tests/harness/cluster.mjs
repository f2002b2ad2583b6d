// A whole cluster under test: processes of the one binary on a loopback address of their own, a balancer
// in front of the gateways. NATS and Cassandra are shared; what worlds write there is told apart by
// their apps.
import { rmSync } from 'node:fs';
import { Balancer } from './balancer.mjs';
import { sharedBacking } from './backing.mjs';
import { requireBinary } from './binary.mjs';
import { sum } from './metrics.mjs';
import { Network } from './partition.mjs';
import { Placement } from './placement.mjs';
import { listen } from './relay.mjs';
import { scratchFolder } from './scratch.mjs';
import { ServerProcess } from './server-process.mjs';
import { deadline, until } from './wait.mjs';

/** How many of each role; options change it. */
const SIZES = { 'group-router': 3, gateway: 2, history: 1, presence: 1, callback: 1, directory: 1 };
/** Names as operators know them: the node of a role in this cluster. */
const nodeName = (role, index) => `${role}-${index}`;
// In this order processes are told to end, so that each still has whom it needs.
const END_ORDER = ['gateway', 'presence', 'group-router', 'callback', 'history', 'directory'];
/** Ports on the cluster's address: a process's number is added. */
const PORTS = { guard: 7000, listen: 7080, rpc: 7100, admin: 7200, advertised: 7300 };
const SECRET = '5e'.repeat(32);

export class Cluster {
  /**
   * `config` is the content of the config file, less addresses, names and data folders. `cluster`:
   * other numbers of processes by role, `network: true` for a cluster that can be parted, `backing`
   * for a NATS and a Cassandra of its own.
   */
  static async start(config, { args = [], env = {}, cluster: { network = false, backing, ...sizes } = {} } = {}) {
    requireBinary();
    const cluster = new Cluster(config, { ...SIZES, ...sizes }, backing?.config ?? sharedBacking());
    try {
      await cluster.#prepare(args, env, network);
      await cluster.restart();
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
    return cluster;
  }

  constructor(config, sizes, backing) {
    Object.assign(this, { config, sizes, backing });
    this.dir = scratchFolder('test');
    this.processes = [];
  }

  get base() { return `http://${this.balancer.address}`; }
  get wsBase() { return `ws://${this.balancer.address}`; }

  async #prepare(args, env, network) {
    await this.#takeHost();
    const names = Object.entries(this.sizes).flatMap(([role, count]) => Array.from({ length: count }, (_, index) => [role, index]));
    this.network = network ? new Network() : null;
    for (const [number, [role, index]] of names.entries()) {
      const name = nodeName(role, index);
      const at = (kind) => `${this.host}:${PORTS[kind] + number}`;
      const member = new ServerProcess({
        name,
        role,
        dir: this.dir,
        args,
        env,
        settings: () => this.#settings(member),
        spawned: (pid) => this.network?.is(name, pid),
      });
      Object.assign(member, { listen: at('listen'), rpc: at('rpc'), admin: at('admin'), advertised: at(network ? 'advertised' : 'rpc') });
      if (network) await this.network.expose(name, member.advertised, member.rpc);
      this.processes.push(member);
    }
    this.balancer = await Balancer.start(this.role('gateway').map((one) => one.listen));
    this.placement = new Placement(() => this.role('group-router').filter((one) => one.running).map((one) => one.rpc));
  }

  /**
   * An address of 127.0.0.0/8 for this cluster alone: outgoing connections come from 127.0.0.1, so a
   * process that is down for a while finds its ports free. A listening port marks it as taken.
   */
  async #takeHost() {
    const byte = (from) => from + Math.floor(Math.random() * (255 - from));
    await until(async () => {
      const host = `127.${byte(1)}.${byte(0)}.${byte(1)}`;
      this.guard = await listen(host, PORTS.guard, (socket) => socket.destroy());
      this.host = host;
      return true;
    }, 'a free loopback address');
  }

  #settings(member) {
    const addresses = (role) => this.role(role).map((other) => other.advertised);
    const { group_router: groupRouter = {}, cluster = {}, ...config } = this.config;
    return {
      listen: member.listen,
      admin_listen: member.admin,
      ...config,
      cluster: {
        node: member.name,
        rpc_listen: member.rpc,
        rpc_advertise: member.advertised,
        secret: SECRET,
        group_routers: addresses('group-router'),
        history: addresses('history'),
        directory: addresses('directory'),
        callback: addresses('callback'),
        ...cluster,
      },
      group_router: {
        ...groupRouter,
        placement: { voters: this.role('group-router').map((other) => `${other.name}=${other.advertised}`), ...groupRouter.placement },
      },
      nats: { servers: this.backing.nats, ...config.nats },
      cql: { nodes: this.backing.cql, keyspace: this.backing.keyspace, replication: 1, ...config.cql },
    };
  }

  /** Those that run, paused or not. */
  get alive() {
    return this.processes.filter((one) => one.running);
  }

  /** All processes of a role. */
  role(role) {
    return this.processes.filter((one) => one.role === role);
  }

  /** One process, by role and number. */
  process(role, index = 0) {
    const found = this.role(role)[index];
    if (!found) throw new Error(`no ${role} ${index} in this cluster`);
    return found;
  }

  /** The process called `name`. */
  named(name) {
    const found = this.processes.find((one) => one.name === name);
    if (!found) throw new Error(`no ${name} in this cluster`);
    return found;
  }

  /** The group router that owns a group of the first app now; waits while there is none. */
  async ownerOf(group, app = this.config.app[0].id) {
    return this.named(await until(() => this.placement.ownerOf(app, group), `an owner of ${group}`));
  }

  /** The group router that leads the Raft group; waits while there is none. */
  async leader() {
    return this.named(await until(() => this.placement.leader(), 'a leader'));
  }

  /** Starts all processes that don't run, and waits until all serve. */
  async restart() {
    const began = Date.now();
    await Promise.all(this.processes.filter((one) => !one.running).map((one) => one.launch()));
    await this.untilReady();
    this.upAfter = Date.now() - began;
  }

  /** The end of everything at any moment. */
  async kill() {
    await Promise.all(this.alive.map((one) => one.kill()));
  }

  async killAndRestart() {
    await this.kill();
    await this.restart();
  }

  /** Tells all to end, those in front first; resolves with the first exit that was none in order, or the last. */
  async terminate(signal = 'SIGTERM', timeout = 15_000) {
    const exits = [];
    for (const role of END_ORDER) {
      exits.push(...await Promise.all(this.role(role).filter((one) => one.running).map((one) => one.terminate(signal, timeout))));
    }
    return exits.find(({ code }) => code !== 0) ?? exits.at(-1);
  }

  async dispose({ keep = false } = {}) {
    await this.kill();
    this.balancer?.close();
    this.network?.close();
    this.guard?.close();
    if (!keep) rmSync(this.dir, { recursive: true, force: true });
  }

  async untilReady() {
    const end = Date.now() + deadline(30_000);
    for (const one of this.processes) await one.untilReady(Math.max(1, end - Date.now()));
  }

  /** Asks every process: the worst status, and all texts. */
  async adminGet(where) {
    const answers = await Promise.all(this.alive.map((one) => one.adminGet(where)));
    return { status: Math.max(...answers.map((answer) => answer.status)), text: answers.map((answer) => answer.text).join('\n') };
  }

  /** The samples of all processes that run. */
  async metrics() {
    const all = await Promise.all(this.alive.map((one) => one.metrics()));
    return all.flat();
  }

  async metric(name, labels = {}) {
    return sum(await this.metrics(), name, labels);
  }

  /** Resident memory of all processes in bytes. */
  rss() {
    return this.alive.reduce((total, one) => total + one.rss(), 0);
  }

  get stderr() {
    return this.processes.map((one) => `== ${one.name}\n${one.stderr}`).join('\n');
  }

  logTail(lines = 40) {
    return this.processes.map((one) => `== ${one.name}\n${one.logTail(lines)}`).join('\n');
  }

  problems() {
    return this.processes.flatMap((one) => one.problems());
  }
}
