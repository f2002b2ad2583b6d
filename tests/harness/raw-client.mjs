// The wire protocol by hand, for what no SDK would send.
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { sign } from './credentials.mjs';
import { random, textElement } from './rest.mjs';
import { frameText } from './tapped-websocket.mjs';
import { Journal } from './wait.mjs';
import { lintIncoming } from './wire-lint.mjs';

const CONSTANT_HEAD = { ver: 'v4', platform: 7, websdkappid: 537048168, websdkversion: '1.7.3', contenttype: 'json', sdkability: 75689843, sdkability_ext: '', cappid: 0 };
const hex32 = () => Array.from({ length: 32 }, () => Math.floor(Math.random() * 16).toString(16)).join('');
const now = () => Math.floor(Date.now() / 1000);

export class RawClient {
  /** Opens a socket; nothing is sent yet. */
  static async open(target, app, options = {}) {
    const client = new RawClient(target, app, options);
    await client.opened;
    return client;
  }

  /** `listener` hears of every frame. */
  constructor(target, app, { path = '/binfo', instance = hex32(), query = {}, session, listener }) {
    Object.assign(this, { target, app, path, instance, listener });
    this.user = session?.user ?? null;
    this.session = session ?? null;
    this.seq = 1 + Math.floor(Math.random() * 1e8);
    this.frames = new Journal('raw frames');
    this.faults = [];
    const all = { sdkappid: app.id, instanceid: instance, random: Math.random(), platform: 7, host: 'unknown', version: -1, sdkversion: '3.6.6', compress: 'gzip', ...query };
    this.socket = new WebSocket(`${target.wsBase}${path}?${new URLSearchParams(all)}`);
    this.socket.on('message', (data, binary) => this.#take(data, binary));
    this.closed = new Promise((resolve) => this.socket.once('close', (code, reason) => {
      this.frames.close(`socket closed: ${code} ${reason}`);
      resolve({ code, reason: String(reason) });
    }));
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    this.opened.catch(() => {});
    this.socket.on('error', () => {});
  }

  #take(data, binary) {
    const text = frameText(data);
    let parsed = null;
    try {
      parsed = JSON.parse(text);
    } catch {
      // The lint says so.
    }
    this.faults.push(...lintIncoming({ path: this.path, binary, text }, parsed));
    const frame = { at: Date.now(), binary, head: parsed?.head ?? {}, body: parsed?.body ?? {} };
    this.frames.push(frame);
    this.listener?.(frame);
  }

  get isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  head(servcmd, fields = {}) {
    const identity = this.session
      ? { a2: this.session.a2, tinyid: this.session.tinyId, status_instid: this.session.instId }
      : { identifier: '', usersig: '', status_instid: 0 };
    return { ...CONSTANT_HEAD, ...identity, sdkappid: this.app.id, reqtime: now(), cs: 0, servcmd, seq: this.seq++, ...fields };
  }

  /** Puts bytes or text on the wire as they are. */
  sendRaw(data, options) {
    this.socket.send(data, options);
  }

  sendFrame(frame) {
    const text = JSON.stringify(frame);
    this.socket.send(this.path === '/info' ? text : Buffer.from(text));
    return frame;
  }

  /** Sends a request and resolves with the answer's body. */
  async request(servcmd, body = {}, headFields = {}, { timeout } = {}) {
    const frame = { head: this.head(servcmd, headFields), body };
    return this.exchange(frame, { timeout });
  }

  /** Sends a whole frame and resolves with the body of the answer to it. */
  async exchange(frame, { timeout } = {}) {
    const from = this.frames.mark;
    this.sendFrame(frame);
    const answer = await this.frames.waitFor(
      (f) => f.head.servcmd === frame.head.servcmd && f.head.seq === frame.head.seq,
      `the answer to ${frame.head.servcmd}`,
      { from, timeout },
    );
    return answer.body;
  }

  async ok(servcmd, body, headFields, options) {
    const answer = await this.request(servcmd, body, headFields, options);
    assert.equal(answer.ErrorCode ?? 0, 0, `${servcmd} ${JSON.stringify(body)?.slice(0, 200)} -> ${JSON.stringify(answer)}`);
    return answer;
  }

  async fails(code, servcmd, body, headFields) {
    const answer = await this.request(servcmd, body, headFields);
    assert.equal(answer.ErrorCode, code, `${servcmd} ${JSON.stringify(body)?.slice(0, 200)} -> ${JSON.stringify(answer)}`);
    return answer;
  }

  loginBody(fields = {}) {
    return { State: 'Online', is_web_uniapp: 0, InstType: 0, CustomInfo: '', ...fields };
  }

  /** A first login with a UserSig. Keeps what later heads need. */
  async login(user, { usersig = sign(this.app, user) } = {}) {
    const answer = await this.request('im_open_status.wslogin', this.loginBody(), { identifier: user, usersig, a2: undefined, tinyid: undefined, status_instid: 0 });
    if ((answer.ErrorCode ?? 0) === 0) {
      this.user = user;
      this.session = { user, a2: answer.A2Key, tinyId: answer.TinyId, instId: answer.InstId };
    }
    return answer;
  }

  /** A login after a reconnect: by the token, no signature. */
  relogin() {
    return this.request('im_open_status.wslogin', this.loginBody());
  }

  join(room, fields = {}) {
    return this.request('group_open_http_svc.apply_join_group', { GroupId: room, WebPushFlag: 1, HugeGroupHistoryMsgFlag: 1, ...fields });
  }

  sendBody(room, text, fields = {}) {
    return {
      From_Account: this.user, GroupId: room, Random: random(), ClientSeq: this.seq, MsgPriority: 'Normal', MsgBody: [textElement(text)],
      CloudCustomData: '', OnlineOnlyFlag: 0, GroupAtInfo: [], MsgClientTime: now(), ...fields,
    };
  }

  say(room, text, fields = {}) {
    return this.request('group_open_http_svc.send_group_msg', this.sendBody(room, text, fields));
  }

  /** Room items pushed so far: `{ event, item }`. */
  items({ from = 0 } = {}) {
    return this.frames.since(from)
      .filter((f) => !f.head.seq)
      .flatMap((f) => f.body.EventArray ?? [])
      .flatMap((entry) => [...(entry.GroupMsgArray ?? []), ...(entry.GroupTips ?? [])].map((item) => ({ event: entry.Event, item })));
  }

  texts(room, options) {
    return this.items(options)
      .filter(({ event, item }) => event === 3 && item.ToGroupId === room)
      .map(({ item }) => item.MsgBody[0]?.MsgContent?.Text);
  }

  waitForText(room, text, options) {
    const has = (f) => !f.head.seq && (f.body.EventArray ?? []).some((e) => (e.GroupMsgArray ?? []).some((m) => m.ToGroupId === room && m.MsgBody[0]?.MsgContent?.Text === text));
    return this.frames.waitFor(has, `text "${text}" at ${this.user ?? 'a raw client'}`, options);
  }

  waitForPush(matches, what, options) {
    return this.frames.waitFor((f) => !f.head.seq && matches(f), what, options);
  }

  close() {
    this.socket.terminate();
  }

  problems() {
    return this.faults.map((fault) => `raw client ${this.user ?? ''}: ${fault}`);
  }
}
