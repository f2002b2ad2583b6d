// Trap 02-8.5: TinyId, MsgClientTime and Random pass through unchanged, else ids differ between clients, and
// recall and receipts match nothing.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('sender, receiver, guest and late joiner have the same id for a message', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  const guest = await w.guest();
  for (const client of [ann, ben, guest]) await client.join(room);
  const sent = await ann.say(room, 'identity');
  const late = await w.user('late');
  await late.join(room);
  for (const client of [ben, guest, late]) {
    const got = await client.waitForText(room, 'identity');
    assert.equal(got.ID, sent.ID, client.name);
    assert.equal(got.random, sent.random);
    assert.equal(got.sequence, sent.sequence);
  }
});

test('TinyId in pushes is the string of the login answer; client time and random are the sender\'s', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = [await w.raw('ann'), await w.raw('ben')];
  await ann.join(room);
  await ben.join(room);
  await ann.ok('group_open_http_svc.send_group_msg', ann.sendBody(room, 'x', { Random: 4294967295, MsgClientTime: 1_700_000_000, ClientSeq: 4_294_967_295 }));
  await ben.waitForText(room, 'x');
  const { item } = ben.items().find(({ event }) => event === 3);
  assert.equal(item.TinyId, ann.session.tinyId);
  assert.equal(item.MsgRandom, 4294967295);
  assert.equal(item.MsgClientTime, 1_700_000_000);
  assert.equal(item.ClientSeq, 4_294_967_295);
});

test('a message over REST has a stable TinyId of its sender as well', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  await w.rest.say(room, 'as ann', { From_Account: 'ann' });
  await ann.waitForText(room, 'as ann');
  const { item } = ann.items().find(({ event, item: i }) => event === 3 && i.From_Account === 'ann');
  assert.equal(item.TinyId, ann.session.tinyId);
});
