// Trap 01-7.1: requests that were pending when a socket died come again on the next one, byte for byte,
// before the re-login. So every request is authenticated by the a2 in its own head, and sends are idempotent.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('a request is good on a new socket before any login there, and is not done twice', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = [await w.raw('ann'), await w.raw('ben')];
  await ann.join(room);
  await ben.join(room);
  const frame = { head: ann.head('group_open_http_svc.send_group_msg'), body: ann.sendBody(room, 'once') };
  const first = await ann.exchange(frame);
  assert.equal(first.ErrorCode, 0, JSON.stringify(first));
  ann.close();

  const again = await w.raw(null, { instance: ann.instance, session: ann.session });
  const second = await again.exchange(frame);
  assert.equal(second.ErrorCode, 0, JSON.stringify(second));
  assert.equal(second.MsgSeq, first.MsgSeq);
  assert.equal((await again.relogin()).ErrorCode ?? 0, 0);
  await again.say(room, 'fence');
  await ben.waitForText(room, 'fence');
  assert.deepEqual(ben.texts(room), ['once', 'fence']);
});

test('the SDK: the answer is lost with the socket, the message is acknowledged and shown once', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await Promise.all([ann.join(room), ben.join(room)]);
  await ann.settledSocket();
  await ann.loseAnswers('group_open_http_svc.send_group_msg', 1);
  const from = ann.frames.mark;
  const sending = ann.say(room, 'once');
  await ann.waitForFrame((f) => f.dir === 'lost', 'the lost answer', { from });
  await ann.cut();
  await sending;
  const sends = ann.requests('send_group_msg', { from });
  assert.equal(sends.length, 2, 'the SDK sent it again');
  assert.deepEqual(sends[0].head, sends[1].head);
  const order = ann.frames.since(from).filter((f) => f.dir === 'out').map((f) => f.head.servcmd);
  assert.ok(order.lastIndexOf('group_open_http_svc.send_group_msg') < order.indexOf('im_open_status.wslogin'), 'before the re-login');
  await ann.say(room, 'fence');
  await ben.waitForText(room, 'fence');
  assert.deepEqual(ben.chats(room).map((m) => m.payload.text), ['once', 'fence']);
});
