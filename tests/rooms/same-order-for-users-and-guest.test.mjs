// The sentence that everything hangs on: two users and a guest in a live room see the same messages in
// the same order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Oracle } from '../harness/oracle.mjs';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('two users and one guest see the same messages in the same order', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 1000 } } });
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  const guest = await w.guest();
  for (const client of [ann, ben, guest]) {
    assert.equal((await client.join(room)).status, 'JoinedSuccess');
  }

  const oracle = new Oracle(room);
  const speak = async (client) => {
    for (let i = 0; i < 30; i += 1) await oracle.send(client, `${client.user} ${i}`);
  };
  await Promise.all([speak(ann), speak(ben)]);
  assert.equal(oracle.acknowledged.length, 60);

  await oracle.settled([ann, ben, guest]);
  for (const client of [ann, ben, guest]) oracle.check(client);
  oracle.checkSameOrder([guest, ann, ben]);
  assert.equal(guest.chats(room).length, 60, 'the guest has all');
});

test('the sender does not see its own message twice, its other device sees it once', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [desk, phone] = [await w.user('ann'), await w.user('ann')];
  await Promise.all([desk.join(room), phone.join(room)]);
  await desk.say(room, 'once');
  await phone.waitForText(room, 'once');
  await phone.say(room, 'fence');
  await desk.waitForText(room, 'fence');
  assert.equal(desk.chats(room).filter((m) => m.payload.text === 'once').length, 0);
  assert.equal(phone.chats(room).filter((m) => m.payload.text === 'once').length, 1);
});

test('joining and leaving shows as tips with nickname, and the online number follows', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await ben.call('updateMyProfile', { nick: 'Benjamin' });
  await ann.join(room);
  await ben.join(room);
  const joined = await ann.waitForMessage(room, (m) => m.type === 'TIMGroupTipElem' && m.payload.operationType === 1 && m.payload.userIDList?.includes('ben'), 'the join tip of ben');
  assert.equal(joined.nick, 'Benjamin');
  await until(async () => (await w.rest.group('get_online_member_num', { GroupId: room })).OnlineMemberNum === 2, 'two online');
  await ben.call('quitGroup', room);
  const left = await ann.waitForTip(room, 2);
  assert.equal(left.payload.operatorID, 'ben');
  await until(async () => (await w.rest.group('get_online_member_num', { GroupId: room })).OnlineMemberNum === 1, 'one online');
});
