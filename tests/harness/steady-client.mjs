// A user by the raw protocol that holds on as the SDK does, but costs no thread: when its line breaks it
// dials again, repeats what is unanswered byte for byte, and logs in by its token.
// (Client-protocol 01: 1.5 resending, 3.1 heartbeats, 3.2 reconnect.)
import { RawClient } from './raw-client.mjs';
import { deadline } from './wait.mjs';

const REQUEST_TIMEOUT = 15_000;
const LOGIN_TIMEOUT = 90_000;
const HEARTBEAT_AFTER = 10_000;
const HEARTBEAT_TIMEOUT = 3_000;
/** A line that broke this soon after it was opened is not dialled again at once. */
const YOUNG = 1_000;
/** Messages that the SDK reads at once when it catches up. */
const PAGE = 15;
const REDIAL_PAUSE = [200, 600];

/** A send or another request that got no success. */
export class RequestError extends Error {
  constructor(servcmd, code, info) {
    super(`${servcmd}: ${code} ${info ?? ''}`);
    this.code = code;
  }
}

export class SteadyClient {
  /** Logs the user in and waits for the answer. `random` gives numbers below 1. */
  static async start(target, app, user, { random = Math.random } = {}) {
    const client = new SteadyClient(target, app, user, random);
    await client.#dial();
    const answer = await client.line.login(user);
    if (answer.ErrorCode) throw new RequestError('wslogin', answer.ErrorCode, answer.ErrorInfo);
    client.session = client.line.session;
    client.#keepLine();
    return client;
  }

  constructor(target, app, user, random) {
    Object.assign(this, { target, app, user, name: user, random });
    this.instance = undefined;
    this.session = undefined;
    this.seq = 1 + Math.floor(random() * 1e8);
    this.pending = new Map();
    /** Chat messages as they came: `{ room, text, seq, id, at, line }`. */
    this.arrived = [];
    /** Durable groups, and up to which number they are known whole: the SDK reads what it missed. */
    this.followed = new Map();
    this.whole = true;
    /** Moments in which a line opened or broke. */
    this.lines = [];
    this.faults = [];
    this.ended = false;
    /** It hears again what it has, as the SDK does before it drops that. */
    this.drops = true;
  }

  async #dial() {
    const line = new RawClient(this.target, this.app, { instance: this.instance, session: this.session, listener: (frame) => this.#take(frame) });
    this.instance = line.instance;
    await line.opened;
    this.line = line;
    this.openedAt = Date.now();
    this.heardAt = Date.now();
    this.lines.push({ open: true, at: this.openedAt });
  }

  /** Watches the open line, and replaces it when it breaks. */
  #keepLine() {
    const { line } = this;
    const beat = setInterval(() => this.#heartbeat(line), 1_000);
    line.closed.then(async () => {
      clearInterval(beat);
      this.lines.push({ open: false, at: Date.now() });
      this.#noteBreak();
      if (this.ended) return;
      if (Date.now() - this.openedAt < YOUNG) await this.#pause();
      await this.#redial();
    });
  }

  #pause() {
    const [low, high] = REDIAL_PAUSE;
    return new Promise((resolve) => setTimeout(resolve, low + this.random() * (high - low)));
  }

  async #redial() {
    for (;;) {
      if (this.ended) return;
      try {
        await this.#dial();
        break;
      } catch {
        await this.#pause();
      }
    }
    if (this.ended) return this.line.close();
    for (const { frame } of this.pending.values()) this.line.sendFrame(frame);
    this.#relogin();
    this.#keepLine();
  }

  #relogin() {
    const { line } = this;
    const mark = Date.now();
    this.request('im_open_status.wslogin', line.loginBody(), LOGIN_TIMEOUT).then(() => this.#catchUp(), (error) => {
      // A login whose line broke too is repeated on the next one; a refused one leaves the SDK outside for ever.
      if (!this.ended && error instanceof RequestError) this.faults.push(`${error.message} (re-login, ${Date.now() - mark} ms after it was sent)`);
    });
  }

  /** What came up to a break is whole; what comes after it may not be, until that is read. */
  #noteBreak() {
    if (!this.whole) return;
    this.whole = false;
    for (const room of this.followed.keys()) this.followed.set(room, Math.max(0, ...this.heard(room).map((message) => message.seq)));
  }

  /** Reads of every followed group what came since. */
  async #catchUp() {
    const { line } = this;
    try {
      // The SDK asks for its conversations first; the server holds pushes back until then.
      await this.request('recentcontact.page_get', { From_Account: this.user, TimeStamp: 0, StartIndex: 0, TopTimeStamp: 0, TopStartIndex: 0, OrderType: 1, AssistFlags: 15, MaxCount: 100 });
      for (const [room, from] of this.followed) await this.#readOn(room, from);
      await this.request('openim.getmsg', { From_Account: this.user, Cookie: '', SyncFlag: 0 });
      this.whole = this.line === line;
    } catch (error) {
      // On the next line it is tried again.
      if (!this.ended && !(error instanceof RequestError && error.code === 2801)) this.faults.push(`${error.message} (catching up)`);
    }
  }

  async #readOn(room, from) {
    for (let last = from; ;) {
      const page = await this.request('group_open_http_svc.group_msg_get', { GroupId: room, ReqMsgSeq: last + PAGE, ReqMsgNumber: PAGE, WithRecalledMsg: 1 });
      const items = page.RspMsgList.filter((item) => item.MsgSeq > last).sort((a, b) => a.MsgSeq - b.MsgSeq);
      if (items.length === 0) return;
      for (const item of items) this.#arrive(item, Date.now(), true);
      last = items.at(-1).MsgSeq;
    }
  }

  #heartbeat(line) {
    if (this.line !== line || this.beating || Date.now() - this.heardAt < HEARTBEAT_AFTER) return;
    this.beating = true;
    line.request('heartbeat.alive', {}, {}, { timeout: HEARTBEAT_TIMEOUT })
      .catch(() => line.close())
      .finally(() => { this.beating = false; });
  }

  #take({ at, head, body }) {
    this.heardAt = at;
    if (head.seq) return this.#settle(head, body);
    for (const entry of body.EventArray ?? []) {
      for (const item of entry.GroupMsgArray ?? []) this.#arrive(item, at);
    }
  }

  /** `read`: it was asked for, not pushed. */
  #arrive(item, at, read = false) {
    const text = item.MsgBody?.[0]?.MsgContent?.Text;
    if (text === undefined) return;
    const message = { room: item.ToGroupId, text, seq: item.MsgSeq, id: `${item.TinyId}-${item.MsgClientTime}-${item.MsgRandom}`, at, line: this.lines.length, read };
    this.arrived.push(message);
  }

  #settle(head, body) {
    const waiting = this.pending.get(head.seq);
    if (!waiting || waiting.frame.head.servcmd !== head.servcmd) return;
    this.pending.delete(head.seq);
    clearTimeout(waiting.timer);
    if (body.ErrorCode) waiting.reject(new RequestError(head.servcmd, body.ErrorCode, body.ErrorInfo));
    else waiting.resolve(body);
  }

  /** Sends a request on whatever line there is, again on the next ones; rejects as the SDK does, with 2801 when time is up. */
  request(servcmd, body = {}, timeout = REQUEST_TIMEOUT) {
    const seq = this.seq++;
    const frame = { head: this.line.head(servcmd, { seq }), body };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.pending.delete(seq);
        reject(new RequestError(servcmd, 2801, 'no answer in time'));
      }, deadline(timeout));
      this.pending.set(seq, { frame, resolve, reject, timer });
      if (this.line.isOpen) this.line.sendFrame(frame);
    });
  }

  /** Reads what it missed of a durable group that it is a member of, after each break. */
  follow(room) {
    this.followed.set(room, 0);
  }

  async join(room) {
    await this.request('group_open_http_svc.apply_join_group', { GroupId: room, WebPushFlag: 1, HugeGroupHistoryMsgFlag: 1 });
  }

  /** Sends a text; resolves with `{ id, seq, resent }` of the acknowledged message. */
  async say(room, text) {
    const body = this.line.sendBody(room, text);
    const lines = this.lines.length;
    const answer = await this.request('group_open_http_svc.send_group_msg', body);
    return { id: `${this.session.tinyId}-${body.MsgClientTime}-${body.Random}`, seq: answer.MsgSeq, resent: this.lines.length !== lines, dropped: Boolean(answer.MsgDropReason) };
  }

  /** What came of a room, in the order in which it came. */
  heard(room) {
    return this.arrived.filter((message) => message.room === room);
  }

  close() {
    this.ended = true;
    for (const { timer, reject } of this.pending.values()) {
      clearTimeout(timer);
      reject(new Error(`${this.user} is closed`));
    }
    this.pending.clear();
    this.line?.close();
  }

  problems() {
    return this.faults.map((fault) => `${this.user}: ${fault}`);
  }
}
