// The REST interface as an app's backend uses it: POST /v4/SERVICE/COMMAND with an admin's signature.
import assert from 'node:assert/strict';
import { ADMIN, sign } from './credentials.mjs';

const random = () => Math.floor(Math.random() * 2 ** 32);

export class Rest {
  /** `base()` gives the server's HTTP address at the time of the call. */
  constructor(base, app) {
    this.base = base;
    this.app = app;
    this.sigs = new Map();
  }

  sig(user) {
    if (!this.sigs.has(user)) this.sigs.set(user, sign(this.app, user));
    return this.sigs.get(user);
  }

  url(path, query = {}) {
    const all = {
      sdkappid: this.app.id,
      identifier: ADMIN,
      usersig: query.usersig ?? this.sig(query.identifier ?? ADMIN),
      random: random(),
      contenttype: 'json',
      ...query,
    };
    const pairs = Object.entries(all).filter(([, v]) => v !== undefined && v !== null);
    return `${this.base()}/v4/${path}?${new URLSearchParams(pairs)}`;
  }

  /** Sends `body` (an object, or text or bytes as they are) and returns the answer's body. */
  async post(path, body = {}, query = {}, { timeout = 10_000 } = {}) {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(this.url(path, query), {
      method: 'POST',
      body: raw ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(timeout),
    });
    const text = await response.text();
    assert.equal(response.status, 200, `HTTP status of ${path}: ${text.slice(0, 300)}`);
    const answer = JSON.parse(text);
    assert.equal(typeof answer.ErrorCode, 'number', `${path} answers without ErrorCode: ${text.slice(0, 300)}`);
    return answer;
  }

  /** As `post`, and the answer must be a success. */
  async ok(path, body = {}, query = {}) {
    const answer = await this.post(path, body, query);
    assert.equal(answer.ErrorCode, 0, `${path} ${JSON.stringify(body).slice(0, 200)} -> ${JSON.stringify(answer)}`);
    assert.equal(answer.ActionStatus, 'OK');
    return answer;
  }

  /** As `post`, and the answer must be the error `code`. */
  async fails(code, path, body = {}, query = {}) {
    const answer = await this.post(path, body, query);
    assert.equal(answer.ErrorCode, code, `${path} ${JSON.stringify(body).slice(0, 200)} -> ${JSON.stringify(answer)}`);
    assert.equal(answer.ActionStatus, 'FAIL');
    return answer;
  }

  group(command, body, query) {
    return this.ok(`group_open_http_svc/${command}`, body, query);
  }

  live(command, body, query) {
    return this.ok(`group_open_avchatroom_http_svc/${command}`, body, query);
  }

  async createRoom(id, fields = {}) {
    const { GroupId } = await this.group('create_group', { Type: 'AVChatRoom', Name: 'Room', ...(id ? { GroupId: id } : {}), ...fields });
    return GroupId;
  }

  /** Sends one text into a room; returns the answer (`MsgSeq`, `MsgTime`). */
  say(room, text, fields = {}) {
    return this.group('send_group_msg', { GroupId: room, Random: random(), MsgBody: [textElement(text)], ...fields });
  }
}

export const textElement = (text) => ({ MsgType: 'TIMTextElem', MsgContent: { Text: text } });
export { random };
