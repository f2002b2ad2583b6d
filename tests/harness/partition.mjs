// The network between processes: every process is dialled through a proxy here, which finds out who
// dials, and between two processes nothing passes while they are parted.
//
// As on a network that loses packets, a parted connection is not closed: both ends hear nothing. What
// was sent arrives after the partition, unless an end gave the connection up.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { dial, listen } from './relay.mjs';

export class Network {
  constructor() {
    this.listeners = [];
    this.pids = new Map();
    this.parted = new Set();
    this.links = new Set();
  }

  /** Lets `name` be dialled at the address `through` (`host:port`) in place of `to`. */
  async expose(name, through, to) {
    const [host, port] = through.split(':');
    this.listeners.push(await listen(host, Number(port), (socket) => this.#take(name, to, socket)));
  }

  /** Tells which process a name now is. */
  is(name, pid) {
    this.pids.set(name, pid);
  }

  /** From now on nothing passes between any of `some` and any of `others`. */
  part(some, others) {
    for (const a of some) for (const b of others) if (a !== b) this.parted.add(pair(a, b));
    for (const link of this.links) if (this.parted.has(link.pair)) link.stop();
  }

  /** Everything passes again. */
  heal() {
    this.parted.clear();
    for (const link of this.links) link.go();
  }

  async #take(name, to, client) {
    const dialler = this.#whoDialled(client);
    const link = new NetworkLink(pair(dialler, name), client);
    this.links.add(link);
    client.once('close', () => this.links.delete(link));
    if (this.parted.has(link.pair)) link.stop();
    // A listening socket of ours has answered the handshake; the other process hears of the connection
    // only when the way is free.
    await link.free();
    const server = await dial(to);
    if (client.destroyed) return server?.destroy();
    if (!server) return client.resetAndDestroy();
    link.join(server);
  }

  /** The name of the process that has the other end of a connection, by the kernel's tables. */
  #whoDialled({ remotePort, localPort }) {
    const inode = inodeOf(remotePort, localPort);
    for (const [name, pid] of this.pids) if (inode && holds(pid, inode)) return name;
    return undefined;
  }

  close() {
    for (const listener of this.listeners) listener.close();
    for (const link of this.links) link.end();
  }
}

const pair = (a, b) => [a ?? '?', b].sort().join(' ');

/** One connection, which can be stopped and let go on. */
class NetworkLink {
  constructor(name, client) {
    this.pair = name;
    this.sockets = [client];
    this.stopped = false;
    this.waiting = [];
  }

  join(server) {
    const [client] = this.sockets;
    this.sockets.push(server);
    for (const [from, to] of [[client, server], [server, client]]) {
      from.on('data', (part) => {
        if (!to.write(part)) from.pause();
      });
      to.on('drain', () => {
        if (!this.stopped) from.resume();
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => this.#closeToo(to));
    }
    if (this.stopped) this.stop();
    else this.go();
  }

  #closeToo(other) {
    // Who is parted does not learn that the other end is gone.
    if (this.stopped) this.waiting.push(() => other.destroySoon());
    else other.destroySoon();
  }

  /** Resolves when something may pass. */
  free() {
    return this.stopped ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve();
  }

  stop() {
    this.stopped = true;
    for (const socket of this.sockets) socket.pause();
  }

  go() {
    this.stopped = false;
    for (const go of this.waiting.splice(0)) go();
    if (this.sockets.length > 1) for (const socket of this.sockets) socket.resume();
  }

  end() {
    for (const socket of this.sockets) socket.destroy();
  }
}

/** The inode of the local socket whose connection goes from `localPort` to `remotePort`. */
function inodeOf(localPort, remotePort) {
  const hex = (port) => port.toString(16).toUpperCase().padStart(4, '0');
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, local, remote, , , , , , , inode] = line.trim().split(/\s+/);
    if (local?.endsWith(`:${hex(localPort)}`) && remote?.endsWith(`:${hex(remotePort)}`)) return inode;
  }
  return undefined;
}

function holds(pid, inode) {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
