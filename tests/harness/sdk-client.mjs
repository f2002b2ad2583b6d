// A user (or guest) with an official SDK, as a test sees it.
import { Worker } from 'node:worker_threads';
import { sign } from './credentials.mjs';
import { noteMethod } from './sdk-methods.mjs';
import { Journal, deadline } from './wait.mjs';
import { lintIncoming } from './wire-lint.mjs';

const SDKS = {
  chat: { sdk: '@tencentcloud/chat', browser: false },
  'tim-js-sdk': { sdk: 'tim-js-sdk', browser: true },
  // 4.2.1 declares the option proxyServer but does not read it, and dials the vendor's host for the app.
  'lite-chat': { sdk: '@tencentcloud/lite-chat', browser: true, redirect: true },
  'lite-chat/basic': { sdk: '@tencentcloud/lite-chat/basic', browser: true, redirect: true },
  'lite-chat/professional': { sdk: '@tencentcloud/lite-chat/professional', browser: true, redirect: true },
};

/** The SDK's refusal of a call, with its number. */
export class SdkError extends Error {
  constructor({ code, message, data, stack }) {
    super(`SDK error ${code}: ${message}${stack ? `\n${stack}` : ''}`);
    this.code = code;
    this.text = message;
    this.data = data;
  }
}

let callId = 0;

export class SdkClient {
  /** Makes the SDK and, unless `login` is false, logs the user in and waits for SDK_READY. */
  static async start(target, app, user, { sdk = 'chat', login = true, create = {}, createNow = true, browser } = {}) {
    const client = new SdkClient(target, app, user, { sdk, create, createNow, browser });
    await client.up;
    if (login) await client.login();
    return client;
  }

  constructor(target, app, user, { sdk, create, createNow, browser }) {
    this.sdk = sdk;
    this.app = app;
    this.user = user;
    this.name = user ?? 'guest';
    this.events = new Journal(`events of ${this.name}`);
    this.frames = new Journal(`frames of ${this.name}`);
    this.crashes = [];
    this.rejections = [];
    this.sendings = [];
    this.pending = new Map();
    const { sdk: file, browser: needsBrowser, redirect = false } = SDKS[sdk];
    this.worker = new Worker(new URL('./sdk-worker.mjs', import.meta.url), {
      workerData: {
        sdk: file,
        server: target.wsBase,
        redirect,
        browser: browser ?? needsBrowser,
        createNow,
        create: { SDKAppID: app.id, proxyServer: target.wsBase, ...create },
      },
    });
    this.up = new Promise((resolve, reject) => {
      this.worker.once('error', reject);
      this.worker.on('message', (message) => {
        if (message.kind === 'up') return resolve();
        // Before it is up, nobody would look at what went wrong.
        if (message.kind === 'crash') reject(new Error(message.stack));
        return this.#take(message);
      });
    });
    this.worker.on('error', (error) => this.crashes.push({ what: 'worker', stack: String(error?.stack ?? error) }));
    this.worker.on('exit', () => this.#ended());
  }

  #take(message) {
    switch (message.kind) {
      case 'event':
        this.events.push(message);
        break;
      case 'frame':
        this.#takeFrame(message);
        break;
      case 'crash':
        this.crashes.push(message);
        break;
      case 'rejection':
        this.rejections.push(message);
        break;
      case 'used':
        if (this.sdk === 'chat') noteMethod(message.method);
        break;
      case 'sending':
        this.sendings.push(message);
        break;
      case 'answer': {
        const { resolve, reject } = this.pending.get(message.id);
        this.pending.delete(message.id);
        if (message.ok) resolve(message.value);
        else reject(new SdkError(message.error));
        break;
      }
      default:
        throw new Error(`unknown message ${message.kind}`);
    }
  }

  #takeFrame(frame) {
    if (frame.text === undefined) return this.frames.push(frame);
    let parsed = null;
    try {
      parsed = JSON.parse(frame.text);
    } catch {
      // The lint says so.
    }
    const entry = { dir: frame.dir, socket: frame.socket, at: frame.at, binary: frame.binary, packed: frame.packed, head: parsed?.head ?? {}, body: parsed?.body ?? {} };
    if (frame.dir === 'in') {
      for (const fault of lintIncoming(frame, parsed)) this.crashes.push({ what: 'bad frame', stack: fault });
    }
    this.frames.push(entry);
  }

  #ended() {
    for (const { reject } of this.pending.values()) reject(new Error(`${this.name} is closed`));
    this.pending.clear();
    this.events.close('client closed');
    this.frames.close('client closed');
  }

  #ask(command, args = {}, timeout = 40_000) {
    const id = ++callId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name}: no answer from the SDK to ${command} ${args.method ?? ''}`)), deadline(timeout));
      timer.unref();
      const settle = (act) => (value) => { clearTimeout(timer); act(value); };
      this.pending.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.worker.postMessage({ id, command, ...args });
    });
  }

  /** Calls a method of the SDK; resolves with its `data`. */
  call(method, ...args) {
    return this.#ask('call', { method, args });
  }

  /** Calls a method that takes a message (revokeMessage, resendMessage, …) by the message's id. */
  onMessage(method, id, ...args) {
    return this.#ask('onMessage', { method, messageId: id, args });
  }

  /** Runs a function of the test beside the SDK object: `inside(({ chat, TC }, arg) => …, arg)`. */
  inside(fn, arg) {
    return this.#ask('inside', { source: fn.toString(), arg });
  }

  async login(userSig = sign(this.app, this.user)) {
    const mark = this.events.mark;
    const data = await this.call('login', { userID: this.user, userSig });
    await this.waitForEvent('sdkStateReady', () => true, 'SDK_READY', { from: mark });
    return data;
  }

  join(room) {
    return this.call('joinGroup', { groupID: room, type: 'AVChatRoom' });
  }

  #send(type, room, payload, { options, ...fields } = {}) {
    return this.#ask('send', { type, fields: { to: room, conversationType: 'GROUP', payload, ...fields }, options });
  }

  /** Sends a text; resolves with the SDK's message once the server has acknowledged it. */
  say(room, text, fields) {
    return this.#send('text', room, { text }, fields);
  }

  /** Sends a text that mentions users; `'__kImSDK_MesssageAtALL__'` is everybody (TYPES.MSG_AT_ALL). */
  mention(room, text, atUserList, fields) {
    return this.#send('at', room, { text, atUserList }, fields);
  }

  sendCustom(room, payload, fields) {
    return this.#send('custom', room, { data: '', description: '', extension: '', ...payload }, fields);
  }

  sendFace(room, payload, fields) {
    return this.#send('face', room, payload, fields);
  }

  sendLocation(room, payload, fields) {
    return this.#send('location', room, payload, fields);
  }

  waitForEvent(name, matches, what, options) {
    return this.events.waitFor((e) => e.name === name && matches(e.data), `${what} (${name})`, options);
  }

  /** Every message event so far of one room, flattened in the order in which the app saw it. */
  received(room, { from = 0, event = 'onMessageReceived' } = {}) {
    return this.events.since(from)
      .filter((e) => e.name === event)
      .flatMap((e) => e.data.map((m) => ({ ...m, at: e.at })))
      .filter((m) => room === undefined || m.to === room || m.conversationID === `GROUP${room}`);
  }

  /** Chat messages of a room, without tips and notices. */
  chats(room, options) {
    return this.received(room, options).filter((m) => m.type !== 'TIMGroupTipElem' && m.type !== 'TIMGroupSystemNoticeElem');
  }

  /** Texts of a room as the oracle wants them. */
  heard(room) {
    return this.chats(room)
      .filter((m) => typeof m.payload.text === 'string')
      .map((m) => ({ text: m.payload.text, seq: m.sequence, id: m.ID, at: m.at }));
  }

  tips(room, options) {
    return this.received(room, options).filter((m) => m.type === 'TIMGroupTipElem');
  }

  /** Waits for the first message of the room that matches. */
  async waitForMessage(room, matches, what, { from = 0, timeout, event = 'onMessageReceived' } = {}) {
    const hits = (e) => e.data.find((m) => (room === undefined || m.to === room || m.conversationID === `GROUP${room}`) && matches(m));
    const found = await this.events.waitFor((e) => e.name === event && hits(e), what, { from, timeout });
    return { ...hits(found), at: found.at };
  }

  waitForText(room, text, options) {
    return this.waitForMessage(room, (m) => m.payload?.text === text, `text "${text}" at ${this.name}`, options);
  }

  waitForTip(room, operationType, options) {
    return this.waitForMessage(room, (m) => m.type === 'TIMGroupTipElem' && m.payload.operationType === operationType, `tip ${operationType} at ${this.name}`, options);
  }

  /** Waits for a system notice (ReportType) about any group. */
  waitForNotice(type, options) {
    return this.waitForMessage(undefined, (m) => m.type === 'TIMGroupSystemNoticeElem' && m.payload.operationType === type, `notice ${type} at ${this.name}`, options);
  }

  /** Requests that the SDK put on the wire, by command without its service. */
  requests(command, { from = 0 } = {}) {
    return this.frames.since(from).filter((f) => f.dir === 'out' && f.head.servcmd?.endsWith(`.${command}`));
  }

  answers(command, { from = 0 } = {}) {
    return this.frames.since(from).filter((f) => f.dir === 'in' && f.head.seq && f.head.servcmd?.endsWith(`.${command}`));
  }

  pushes({ from = 0 } = {}) {
    return this.frames.since(from).filter((f) => f.dir === 'in' && !f.head.seq);
  }

  waitForFrame(matches, what, options) {
    return this.frames.waitFor(matches, what, options);
  }

  /** Resolves once the socket is older than a second: the SDK does not redial a younger one. */
  async settledSocket() {
    const opened = await this.frames.waitFor((f) => f.dir === 'open', 'an open socket');
    const newest = this.frames.entries.findLast((f) => f.dir === 'open') ?? opened;
    const age = Date.now() - newest.at;
    if (age < 1200) await new Promise((resolve) => setTimeout(resolve, 1200 - age));
  }

  /** The network cuts the line; the SDK may dial again at once. */
  cut() {
    return this.#ask('cut');
  }

  /** While offline every dial fails. */
  setOffline(offline) {
    return this.#ask('setOffline', { offline });
  }

  /** The next `count` answers to a command are lost on their way. */
  loseAnswers(servcmd, count = 1) {
    return this.#ask('swallow', { servcmd, count });
  }

  log() {
    return this.#ask('log');
  }

  async close() {
    await this.worker.terminate();
  }

  /** Crashes of the SDK and frames that could have made one. */
  problems() {
    return this.crashes.map((c) => `${this.name}: ${c.what}: ${c.stack}`);
  }
}
