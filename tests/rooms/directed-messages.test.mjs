// A message for some members only (To_Account).
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('only the named members get a directed message; guests do not', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben, cat] = await w.users('ann', 'ben', 'cat');
  const guest = await w.guest();
  for (const client of [ann, ben, cat, guest]) await client.join(room);
  await ann.say(room, 'for ben', { receiverList: ['ben'] });
  await ben.waitForText(room, 'for ben');
  await ann.say(room, 'fence');
  for (const client of [ben, cat, guest]) await client.waitForText(room, 'fence');
  for (const client of [cat, guest]) {
    assert.deepEqual(client.chats(room).map((m) => m.payload.text), ['fence'], client.name);
  }
  assert.deepEqual(ben.chats(room).map((m) => m.payload.text), ['for ben', 'fence']);
});

test('a directed message is not in the history of who joins later', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await Promise.all([ann.join(room), ben.join(room)]);
  await ann.say(room, 'private', { receiverList: ['ben'] });
  await ann.say(room, 'public');
  const late = await w.user('late');
  await late.join(room);
  await late.waitForText(room, 'public');
  assert.deepEqual(late.chats(room).map((m) => m.payload.text), ['public']);
});
