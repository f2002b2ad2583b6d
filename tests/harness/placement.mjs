// Who leads and who owns what in a cluster, as its group routers tell it (throng.v1.Placement.Describe).
import http2 from 'node:http2';
import { createXXHash3 } from 'hash-wasm';
import { fields } from './protobuf.mjs';

const DESCRIBE = '/throng.v1.Placement/Describe';
const TIMEOUT = 1_000;
const hasher = await createXXHash3();

/** The shard of a group (`throng_protocol::ids::shard_of`). */
export function shardOf(app, group, shards) {
  const number = Buffer.alloc(4);
  number.writeUInt32LE(app);
  const [owner] = group.split('@TOPIC#_');
  return Number(BigInt(`0x${hasher.init().update(number).update(owner).digest()}`) % BigInt(shards));
}

export class Placement {
  /** `routers()` gives the addresses of group routers that may be asked. */
  constructor(routers) {
    this.routers = routers;
  }

  /** What those who answer know; one that is cut off may know the past. */
  async #known() {
    const answers = await Promise.all(this.routers().map((address) => describe(address).catch(() => null)));
    return answers.filter(Boolean);
  }

  /** The name of the leader, as those in the newest term know it; empty while there is none. */
  async leader() {
    return newest(await this.#known(), 'term')?.leader;
  }

  /** The name of a group's owner; empty while there is none. */
  async ownerOf(app, group) {
    const known = newest(await this.#known(), 'version');
    return known?.shards[shardOf(app, group, known.shards.length)].owner;
  }

  /** Whether every shard has an owner, and all routers are of one mind. */
  async isSettled() {
    const known = await this.#known();
    return known.length > 0 && known.every((one) => one.version === known[0].version && one.shards.every((shard) => shard.owner));
  }
}

const newest = (known, by) => known.filter((one) => by !== 'term' || one.leader).sort((a, b) => b[by] - a[by])[0];

async function describe(address) {
  const reply = fields(await call(address, DESCRIBE, Buffer.alloc(0)));
  const shards = [];
  for (const shard of reply.messages(7)) shards[shard.number(1)] = { owner: shard.text(2), epoch: shard.number(3) };
  return { leader: reply.text(1), term: reply.number(2), version: reply.number(3), shards, by: reply.text(8) };
}

/** One gRPC call without credentials; resolves with the reply's bytes. */
function call(address, path, message) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://${address}`);
    const end = (act, value) => {
      clearTimeout(timer);
      session.destroy();
      act(value);
    };
    const timer = setTimeout(() => end(reject, new Error(`${address} does not answer`)), TIMEOUT);
    session.on('error', (error) => end(reject, error));
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
    const parts = [];
    let status;
    const note = (headers) => { status = headers['grpc-status'] ?? status; };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (part) => parts.push(part));
    stream.on('error', (error) => end(reject, error));
    stream.on('end', () => {
      if (status !== '0') return end(reject, new Error(`${path} at ${address}: gRPC status ${status}`));
      return end(resolve, Buffer.concat(parts).subarray(5));
    });
    stream.end(Buffer.concat([Buffer.from([0]), lengthOf(message), message]));
  });
}

function lengthOf(message) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return length;
}
