// What an app's backend says to rooms: system notices and broadcasts.
import assert from 'node:assert/strict';
import test from 'node:test';
import { random, textElement } from '../harness/rest.mjs';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('a system notification reaches members and guests as notice 255 with its text', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  const guest = await w.guest();
  await ann.join(room);
  await guest.join(room);
  const content = '{"type":"SALE","msg":"now ☕"}';
  await w.rest.group('send_group_system_notification', { GroupId: room, Content: content });
  for (const client of [ann, guest]) {
    const notice = await client.waitForNotice(255);
    assert.equal(notice.payload.userDefinedField, content);
  }
});

test('two notices in a row both arrive', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  for (const text of ['one', 'two']) await w.rest.group('send_group_system_notification', { GroupId: room, Content: text });
  for (const text of ['one', 'two']) {
    await ann.waitForMessage(undefined, (m) => m.payload?.userDefinedField === text, `notice ${text}`);
  }
});

test('a broadcast reaches every live room, members and guests, once', async (t) => {
  const w = await world(t);
  const [first, second] = [await w.room(), await w.room()];
  const [ann, ben] = await w.users('ann', 'ben');
  const guest = await w.guest();
  await ann.join(first);
  await ben.join(second);
  await guest.join(first);
  await w.rest.group('send_broadcast_msg', { From_Account: 'ann', Random: random(), MsgBody: [textElement('to all rooms')] });
  for (const client of [ann, ben, guest].filter((c) => c !== ann)) {
    const message = await client.waitForMessage(undefined, (m) => m.payload?.text === 'to all rooms', `the broadcast at ${client.name}`);
    assert.equal(message.type, 'TIMTextElem');
  }
  await w.rest.say(first, 'fence');
  await guest.waitForText(first, 'fence');
  assert.equal(guest.received().filter((m) => m.payload?.text === 'to all rooms').length, 1);
});

test('broadcasts are limited to one a second: 60007', async (t) => {
  const w = await world(t);
  await w.room();
  const send = () => w.rest.post('group_open_http_svc/send_broadcast_msg', { Random: random(), MsgBody: [textElement('x')] });
  const codes = (await Promise.all([send(), send(), send(), send()])).map((a) => a.ErrorCode);
  assert.ok(codes.includes(60007), codes.join(' '));
  assert.ok(codes.includes(0), codes.join(' '));
  await until(async () => (await send()).ErrorCode === 0, 'a second later another passes', { every: 200 });
});
