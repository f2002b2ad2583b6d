// Keeps what was sent into one group and acknowledged, and judges what each client and the history have
// of it. Clients are those of the SDK and steady ones; both tell by `heard(room)` what they saw.
import assert from 'node:assert/strict';
import { until } from './wait.mjs';

export class Oracle {
  /**
   * `durable`: the group keeps its messages for good, each before anybody gets it, and numbers them
   * without a gap; what a client missed it reads itself, so it may come to it later than the rest.
   */
  constructor(room, { durable = false } = {}) {
    Object.assign(this, { room, durable });
    this.sent = new Map();
  }

  /** Sends through `client` and notes what became of it; never rejects. */
  async send(client, text, fields) {
    const entry = { text, by: client.user, sentAt: Date.now(), state: 'unknown' };
    this.sent.set(text, entry);
    try {
      Object.assign(entry, { state: 'acknowledged' }, await acknowledgement(client, this.room, text, fields));
    } catch (error) {
      Object.assign(entry, { state: 'refused', code: error.code, why: error.message });
    }
    entry.settledAt = Date.now();
    return entry;
  }

  get acknowledged() {
    return [...this.sent.values()].filter((e) => e.state === 'acknowledged');
  }

  /** Sends that got an error, or no answer in time. */
  get refused() {
    return [...this.sent.values()].filter((e) => e.state === 'refused');
  }

  /** What `client` must have: everything acknowledged that it did not send itself (the SDK swallows its own). */
  owedTo(client) {
    return this.acknowledged.filter((e) => e.by !== client.user);
  }

  missing(client) {
    const got = new Set(client.heard(this.room).map((m) => m.text));
    return this.owedTo(client).filter((e) => !got.has(e.text));
  }

  /** Waits until every client has everything it is owed. */
  async settled(clients, { timeout } = {}) {
    try {
      await until(() => clients.every((c) => this.missing(c).length === 0), 'all acknowledged messages at all clients', { timeout, every: 100 });
    } catch (error) {
      throw new Error(`${error.message}\n${clients.map((c) => this.#lacks(c)).join('\n')}`);
    }
  }

  #lacks(client) {
    const all = this.missing(client).map(described);
    const missing = [...all.slice(0, 12), ...(all.length > 12 ? [`${all.length - 12} more`] : [])];
    const lines = (client.lines ?? []).map((line) => `${line.open ? 'up' : 'down'} ${clock(line.at)}`);
    const last = client.heard(this.room).at(-1);
    return `${client.name} lacks [${missing.join(', ')}], last heard #${last?.seq} ${last && clock(last.at)}${lines.length ? `, its line: ${lines.join(', ')}` : ''}`;
  }

  /**
   * Rising sequence numbers (but for what a client read late; the SDK does not say what it read), nothing
   * twice, nothing invented, ids as the sender knows them.
   */
  check(client) {
    const readsLate = this.durable && client.frames;
    let last = 0;
    const seen = new Set();
    for (const { text, seq, id, read } of once(client.heard(this.room), client.drops)) {
      assert.ok(seq > last || read || readsLate, `${client.name} saw ${text} with sequence ${seq} after ${last}`);
      last = Math.max(last, seq);
      assert.ok(!seen.has(id), `${client.name} saw ${text} twice`);
      seen.add(id);
      const entry = this.sent.get(text);
      assert.ok(entry, `${client.name} saw ${text}, which nobody sent`);
      if (entry.state === 'acknowledged') {
        assert.equal(id, entry.id, `id of ${text} at ${client.name}`);
        if (!this.#mayHaveGoneOutTwice(entry)) assert.equal(seq, entry.seq, `sequence of ${text} at ${client.name}`);
      }
    }
  }

  /**
   * A message of a live room goes out before it is kept. If its owner dies or loses the group in
   * between, whoever repeats it (the client on another socket, or a gateway at the new owner) makes it
   * go out again under another number, the one that is acknowledged; clients know it by its id (DUP-1).
   * Such a send takes longer than others.
   */
  #mayHaveGoneOutTwice(entry) {
    return !this.durable && (entry.state !== 'acknowledged' || entry.resent || entry.settledAt - entry.sentAt > 500);
  }

  /** All clients agree on the order of what they have in common. */
  checkSameOrder(clients) {
    if (this.durable) return; // Clients sort by the number, which all have alike.
    const twice = (text) => this.#mayHaveGoneOutTwice(this.sent.get(text));
    const orders = clients.map((c) => once(c.heard(this.room), c.drops).map((m) => m.text).filter((text) => !twice(text)));
    for (let i = 1; i < orders.length; i += 1) {
      const mine = new Set(orders[i]);
      const common = new Set(orders[0].filter((text) => mine.has(text)));
      assert.deepEqual(orders[i].filter((x) => common.has(x)), orders[0].filter((x) => common.has(x)), `${clients[i].name} and ${clients[0].name} saw another order`);
    }
  }

  /**
   * What is stored (`storedMessages`) has everything acknowledged exactly once under the number that
   * was acknowledged, nothing twice, nothing invented.
   */
  checkStored(stored) {
    const by = new Map();
    for (const message of stored.filter((m) => m.text !== undefined)) {
      assert.ok(this.sent.has(message.text), `${this.room}: ${message.text} is stored, which nobody sent`);
      const twin = by.get(message.text);
      assert.ok(!twin, `${this.room}: ${message.text} is stored twice, as ${twin?.seq} and ${message.seq}`);
      by.set(message.text, message);
    }
    const lost = this.acknowledged.filter((e) => !by.has(e.text));
    assert.deepEqual(lost, [], `${this.room}: acknowledged and not stored`);
    for (const entry of this.acknowledged) {
      assert.equal(by.get(entry.text).seq, entry.seq, `${this.room}: ${entry.text} is stored under another number than was acknowledged`);
    }
    if (this.durable) this.#checkDense(stored);
  }

  /** Every number from 1 on is there. */
  #checkDense(stored) {
    const numbers = stored.map((m) => m.seq).sort((a, b) => a - b);
    const first = numbers.findIndex((seq, i) => seq !== i + 1);
    assert.equal(first, -1, `${this.room}: number ${first + 1} is missing among the stored ones: ${numbers.slice(Math.max(0, first - 2), first + 3)}`);
  }

  /** What one connection sent one after the other has rising numbers, if nothing had to be repeated. */
  checkSendersOrder() {
    const last = new Map();
    for (const entry of this.acknowledged.filter((e) => !e.resent)) {
      const before = last.get(entry.by);
      if (before) assert.ok(entry.seq > before.seq, `${this.room}: ${described(before)} was sent before ${described(entry)}`);
      last.set(entry.by, entry);
    }
  }

  /** What is stored reached everybody else, acknowledged or not: no client has a silent hole. */
  checkHeardAllStored(client, stored) {
    const got = new Set(client.heard(this.room).map((m) => m.text));
    const holes = stored.filter((m) => m.text !== undefined && this.sent.get(m.text)?.by !== client.user && !got.has(m.text));
    assert.deepEqual(holes, [], `${this.room}: stored, and ${client.name} did not see it`);
  }

  /** The moment in which `client` first heard somebody else's message that was sent after `since`; undefined if none yet. */
  heardSince(client, since) {
    return client.heard(this.room).find((m) => m.at >= since && this.sent.get(m.text)?.sentAt >= since)?.at;
  }
}

const clock = (ms) => new Date(ms).toISOString().slice(11, -1);
const described = (e) => `${e.text}#${e.seq} (sent ${clock(e.sentAt)}, acknowledged ${clock(e.settledAt)})`;

/** Says a text; the sequence number, the id, and whether it was repeated on another line. */
async function acknowledgement(client, room, text, fields) {
  if (!client.frames) return client.say(room, text, fields);
  const from = client.frames.mark;
  const message = await client.say(room, text, fields);
  // Sent a second time on another socket: a server that died in between may have delivered it before
  // it could keep it, and then gives it another number. Clients know it by its id.
  const resent = client.frames.since(from).some((f) => f.dir === 'open');
  return { id: message.ID, seq: message.sequence, resent };
}

/**
 * What is left of a stream when a client that comes back is told again what it has. The SDK does this
 * itself (`drops` is false for it); by the number, or by the id where a repetition got another number.
 */
function once(messages, drops) {
  if (!drops) return messages;
  const numbers = new Set();
  const ids = new Set();
  return messages.filter(({ seq, id }) => {
    const known = numbers.has(seq) || ids.has(id);
    numbers.add(seq);
    ids.add(id);
    return !known;
  });
}

/** Everything that the history of a group holds: `{ seq, text }` (of texts), the newest first. */
export async function storedMessages(rest, room) {
  const stored = new Map();
  for (let ReqMsgSeq; ;) {
    const page = await rest.group('group_msg_get_simple', { GroupId: room, ReqMsgNumber: 20, ...(ReqMsgSeq ? { ReqMsgSeq } : {}) });
    for (const m of page.RspMsgList) stored.set(m.MsgSeq, { seq: m.MsgSeq, text: m.MsgBody?.[0]?.MsgContent?.Text });
    const lowest = Math.min(...page.RspMsgList.map((m) => m.MsgSeq));
    if (page.RspMsgList.length === 0 || lowest <= 1) return [...stored.values()];
    ReqMsgSeq = lowest - 1;
  }
}
