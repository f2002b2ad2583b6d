// From one room to another, and several at a time.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('joining a second room leaves the first: only the new room is heard', async (t) => {
  const w = await world(t);
  const [first, second] = [await w.room(), await w.room()];
  const [ann, ben] = await w.users('ann', 'ben');
  await ann.join(first);
  await ben.join(first);
  await ann.join(second);
  await ben.waitForTip(first, 2);
  await ben.say(first, 'old room');
  await w.rest.say(second, 'new room');
  await ann.waitForText(second, 'new room');
  assert.equal(ann.chats(first).length, 0);
  await until(async () => (await w.rest.group('get_online_member_num', { GroupId: first })).OnlineMemberNum === 1, 'one left in the first room');
});

test('there and back again, four times, and still in exactly one room', async (t) => {
  const w = await world(t);
  const [first, second] = [await w.room(), await w.room()];
  const ann = await w.user('ann');
  // The SDK itself refuses more than eight profile calls in a second, and each join makes two.
  for (let i = 0; i < 4; i += 1) await ann.join(i % 2 ? second : first);
  await w.rest.say(first, 'to the first');
  await w.rest.say(second, 'to the second');
  await ann.waitForText(second, 'to the second');
  assert.equal(ann.chats(first).filter((m) => m.payload.text === 'to the first').length, 0);
});

test('with unlimitedAVChatRoom a client is in many rooms at once', async (t) => {
  const w = await world(t);
  const rooms = [await w.room(), await w.room(), await w.room()];
  const ann = await w.user('ann', { create: { unlimitedAVChatRoom: true } });
  for (const room of rooms) await ann.join(room);
  for (const room of rooms) {
    await w.rest.say(room, `in ${room}`);
    await ann.waitForText(room, `in ${room}`);
  }
  await ann.call('quitGroup', rooms[1]);
  await w.rest.say(rooms[1], 'after quitting');
  await w.rest.say(rooms[2], 'fence');
  await ann.waitForText(rooms[2], 'fence');
  assert.equal(ann.chats(rooms[1]).filter((m) => m.payload.text === 'after quitting').length, 0);
});
