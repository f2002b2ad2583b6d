// Keeps what was sent and acknowledged, and judges what each client saw of it.
import assert from 'node:assert/strict';
import { until } from './wait.mjs';

export class Oracle {
  constructor(room) {
    this.room = room;
    this.sent = new Map();
  }

  /** Sends through `client` and notes what became of it; never rejects. */
  async send(client, text, fields) {
    const entry = { text, by: client.user, state: 'unknown' };
    this.sent.set(text, entry);
    const from = client.frames.mark;
    try {
      const message = await client.say(this.room, text, fields);
      // Sent a second time on another socket: a server that died in between may have delivered it before
      // it could keep it, and then gives it another number. Clients know it by its id.
      const resent = client.frames.since(from).some((f) => f.dir === 'open');
      Object.assign(entry, { state: 'acknowledged', id: message.ID, seq: message.sequence, resent });
    } catch (error) {
      Object.assign(entry, { state: 'refused', code: error.code });
    }
    return entry;
  }

  get acknowledged() {
    return [...this.sent.values()].filter((e) => e.state === 'acknowledged');
  }

  /** What `client` must have: everything acknowledged that it did not send itself (the SDK swallows its own). */
  owedTo(client) {
    return this.acknowledged.filter((e) => e.by !== client.user);
  }

  missing(client) {
    const got = new Set(client.chats(this.room).map((m) => m.payload.text));
    return this.owedTo(client).filter((e) => !got.has(e.text));
  }

  /** Waits until every client has everything it is owed. */
  async settled(clients, { timeout } = {}) {
    try {
      await until(() => clients.every((c) => this.missing(c).length === 0), 'all acknowledged messages at all clients', { timeout });
    } catch (error) {
      const lacks = clients.map((c) => `${c.name} lacks ${this.missing(c).map((e) => `${e.text}#${e.seq}`).join(' ')}`);
      throw new Error(`${error.message}\n${lacks.join('\n')}`);
    }
  }

  /** Rising sequence numbers, nothing twice, nothing invented, ids as the sender knows them. */
  check(client) {
    const got = client.chats(this.room).filter((m) => typeof m.payload.text === 'string');
    let last = 0;
    const seen = new Set();
    for (const message of got) {
      const { text } = message.payload;
      assert.ok(message.sequence > last, `${client.name} saw ${text} with sequence ${message.sequence} after ${last}`);
      last = message.sequence;
      assert.ok(!seen.has(message.ID), `${client.name} saw ${text} twice`);
      seen.add(message.ID);
      const entry = this.sent.get(text);
      assert.ok(entry, `${client.name} saw ${text}, which nobody sent`);
      if (entry.state === 'acknowledged') {
        assert.equal(message.ID, entry.id, `id of ${text} at ${client.name}`);
        if (!entry.resent) assert.equal(message.sequence, entry.seq, `sequence of ${text} at ${client.name}`);
      }
    }
  }

  /** All clients agree on the order of what they have in common. */
  checkSameOrder(clients) {
    const orders = clients.map((c) => c.chats(this.room).map((m) => m.payload.text));
    for (let i = 1; i < orders.length; i += 1) {
      const common = new Set(orders[0].filter((text) => orders[i].includes(text)));
      assert.deepEqual(orders[i].filter((x) => common.has(x)), orders[0].filter((x) => common.has(x)), `${clients[i].name} and ${clients[0].name} saw another order`);
    }
  }
}
