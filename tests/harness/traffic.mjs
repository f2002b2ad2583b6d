// Talk in some groups while something happens to the cluster, and the judgement at the end. Most clients
// are raw ones that hold on as the SDK does, some are the SDK itself.
import assert from 'node:assert/strict';
import { Oracle, storedMessages } from './oracle.mjs';
import { Seeded } from './seeded.mjs';
import { SteadyClient } from './steady-client.mjs';
import { until } from './wait.mjs';

/** Milliseconds between two sends of one client: a steady stream, far below any limit. */
const PACE = [60, 240];
/** Unanswered sends of one client; over it, it waits. */
const IN_FLIGHT = 8;

export class Traffic {
  /**
   * Makes live rooms, brings users of the SDK and raw ones in, and a Public group with that many
   * raw `members` and one of the SDK; lets all of them talk.
   */
  static async start(w, { seed, rooms = 2, sdk = 2, raw = 6, members = 3 }) {
    const traffic = new Traffic(w, seed);
    await traffic.#gather(rooms, sdk, raw);
    if (members > 0) await traffic.#gatherMembers(members);
    traffic.#talk();
    await traffic.speaks(Date.now());
    return traffic;
  }

  constructor(w, seed) {
    this.w = w;
    this.random = new Seeded(seed);
    /** Of each group: its id, its oracle, who is in. */
    this.groups = [];
    this.talking = false;
    this.sent = 0;
  }

  get clients() {
    return this.groups.flatMap((group) => group.clients);
  }

  get oracles() {
    return this.groups.map((group) => group.oracle);
  }

  async #gather(rooms, sdk, raw) {
    for (let i = 0; i < rooms; i += 1) {
      const id = await this.w.room();
      this.groups.push({ id, oracle: new Oracle(id), clients: [] });
    }
    const group = (i) => this.groups[i % rooms];
    const join = async (client, i) => {
      await client.join(group(i).id);
      group(i).clients.push(client);
    };
    const random = () => this.random.next();
    await Promise.all([
      ...Array.from({ length: sdk }, async (_, i) => join(await this.w.user(`sdk-${i}`), i)),
      ...Array.from({ length: raw }, async (_, i) => join(await this.w.steady(`raw-${i}`, { random }), i)),
    ]);
  }

  async #gatherMembers(count) {
    const random = () => this.random.next();
    const names = Array.from({ length: count }, (_, i) => `member-${i}`);
    const raw = await Promise.all(names.map((name) => this.w.steady(name, { random })));
    const id = await this.w.rest.createRoom('members', { Type: 'Public', ApplyJoinOption: 'FreeAccess', MemberList: names.map((name) => ({ Member_Account: name })) });
    for (const client of raw) client.follow(id);
    // By its own will: a second after an invitation the SDK forgets what it knows of the group, and would show
    // again what an owner repeats.
    const sdk = await this.w.user('sdk-member');
    await sdk.join(id);
    this.groups.push({ id, oracle: new Oracle(id, { durable: true }), clients: [...raw, sdk] });
  }

  #talk() {
    this.talking = true;
    this.talkers = this.groups.flatMap((group) => group.clients.map((client) => this.#talker(group, client)));
  }

  async #talker({ oracle }, client) {
    const open = new Set();
    for (let i = 0; this.talking; i += 1) {
      const sending = oracle.send(client, `${client.user} ${i}`);
      this.sent += 1;
      open.add(sending);
      sending.then(() => open.delete(sending));
      await new Promise((resolve) => setTimeout(resolve, this.random.between(...PACE)));
      if (open.size >= IN_FLIGHT) await Promise.race(open);
    }
    await Promise.all(open);
  }

  /** Resolves when `count` more messages were acknowledged in every group: the flow is steady. */
  async flows(count = 20) {
    const goals = this.oracles.map((oracle) => oracle.acknowledged.length + count);
    await until(() => this.oracles.every((oracle, i) => oracle.acknowledged.length >= goals[i]), `${count} more acknowledgements in each group`, { timeout: 30_000, every: 50 });
  }

  /** Milliseconds from `since` until the last group had delivered a message sent after it. */
  async speaks(since, { timeout = 30_000, groups = this.groups } = {}) {
    const first = ({ oracle, clients }) => least(clients.map((client) => oracle.heardSince(client, since)));
    await until(() => groups.every((group) => first(group) !== undefined), 'a delivered message in each group', { timeout, every: 50 });
    return Math.max(...groups.map(first)) - since;
  }

  /** Milliseconds from `since` until the last client had heard a message sent after it. */
  async everybodyHears(since, { timeout = 30_000 } = {}) {
    const first = this.groups.map(({ oracle, clients }) => () => clients.map((client) => oracle.heardSince(client, since)));
    await until(() => first.every((of) => of().every((at) => at !== undefined)), 'a delivered message at each client', { timeout, every: 50 });
    return Math.max(...first.flatMap((of) => of())) - since;
  }

  /** The longest time since `since`, in milliseconds, in which nobody in some group heard anything. */
  silence(since) {
    const gaps = this.groups.map(({ oracle, clients }) => {
      const moments = clients.flatMap((client) => client.heard(oracle.room).map((m) => m.at)).filter((at) => at >= since);
      return longestGap([since, ...moments.sort((a, b) => a - b), Date.now()]);
    });
    return Math.max(...gaps);
  }

  /** Ends the talk; every send has its answer, or none in time. */
  async stop() {
    this.talking = false;
    await Promise.all(this.talkers);
  }

  get refused() {
    return this.oracles.flatMap((oracle) => oracle.refused);
  }

  /** Ends the talk and holds everything that was promised against what everybody saw. */
  async judge({ refusals = 0 } = {}) {
    await this.stop();
    try {
      await this.#hold();
    } catch (error) {
      throw new Error(`${error.message}\n${await this.#streams()}`, { cause: error });
    }
    const { refused } = this;
    const codes = refused.slice(0, 20).map((entry) => `${entry.text}: ${entry.why}, after ${entry.settledAt - entry.sentAt} ms`);
    assert.ok(refused.length <= refusals, `${refused.length} sends failed at their senders:\n${codes.join('\n')}`);
    return { sent: this.sent, acknowledged: this.oracles.reduce((n, oracle) => n + oracle.acknowledged.length, 0), refused: refused.length };
  }

  async #hold() {
    for (const { oracle, clients } of this.groups) {
      await oracle.settled(clients, { timeout: 20_000 });
      const stored = await storedMessages(this.w.rest, oracle.room);
      oracle.checkStored(stored);
      for (const client of clients) {
        oracle.check(client);
        oracle.checkHeardAllStored(client, stored);
      }
      oracle.checkSameOrder(clients);
    }
    await this.#checkMetrics();
    for (const { oracle } of this.groups) oracle.checkSendersOrder();
  }

  /** What gateways and owners count of losses on the way, for who looks for the cause of one. */
  async #streams() {
    const counts = await Promise.all((this.w.target.alive ?? [this.w.target]).map(async (one) => {
      const samples = (await one.metrics()).filter((s) => /_gateway_room_(holes|events_recovered|holes_unfilled|takeovers)_total|_bus_.*(gaps|dropped)|_messages_lost_total|_inbox_gaps_total/.test(s.name) && s.value > 0);
      return samples.map((s) => `${one.name} ${s.name} ${s.value}`);
    }));
    return counts.flat().join('\n');
  }

  async #checkMetrics() {
    const samples = await this.w.target.metrics();
    const broken = samples.filter((s) => s.name === 'throng_invariant_violations_total' && s.value > 0);
    assert.deepEqual(broken, [], 'an invariant was broken');
  }
}

function least(moments) {
  const known = moments.filter((at) => at !== undefined);
  return known.length ? Math.min(...known) : undefined;
}

function longestGap(moments) {
  return moments.slice(1).reduce((longest, at, i) => Math.max(longest, at - moments[i]), 0);
}
