// Taking a message back.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

const revokedHas = (id) => (list) => list.some((m) => m.ID === id);

test('the sender recalls through the SDK: every member and guest sees it revoked', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  const guest = await w.guest();
  for (const client of [ann, ben, guest]) await client.join(room);
  const sent = await ann.say(room, 'oops');
  await Promise.all([ben.waitForText(room, 'oops'), guest.waitForText(room, 'oops')]);
  await ann.onMessage('revokeMessage', sent.ID);
  for (const client of [ben, guest]) await client.waitForEvent('onMessageRevoked', revokedHas(sent.ID), `the recall at ${client.name}`);
});

test('REST recalls by sequence and reports each result', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await Promise.all([ann.join(room), ben.join(room)]);
  const sent = await ann.say(room, 'remove me');
  await ben.waitForText(room, 'remove me');
  const { RecallRetList } = await w.rest.group('group_msg_recall', { GroupId: room, MsgSeqList: [{ MsgSeq: sent.sequence }, { MsgSeq: 99_999 }], Reason: 'rules' });
  assert.deepEqual(RecallRetList.map((r) => [r.MsgSeq, r.RetCode]), [[sent.sequence, 0], [99_999, 10030]]);
  await ben.waitForEvent('onMessageRevoked', revokedHas(sent.ID), 'the recall');
});

test('an ordinary member may not recall the message of another, the owner may', async (t) => {
  const w = await world(t);
  const owner = await w.user('owner');
  const room = await w.room({ Owner_Account: 'owner' });
  const [ann, ben] = await w.users('ann', 'ben');
  for (const client of [owner, ann, ben]) await client.join(room);
  const sent = await ann.say(room, 'mine');
  await Promise.all([owner, ben].map((c) => c.waitForText(room, 'mine')));
  const other = await w.raw('cat');
  await other.join(room);
  const answer = await other.request('group_open_http_svc.group_msg_recall', { GroupId: room, MsgSeqList: [{ MsgSeq: sent.sequence }], TopicId: '' });
  assert.ok(answer.ErrorCode !== 0 || answer.RecallRetList?.[0]?.RetCode !== 0, JSON.stringify(answer));
  await owner.onMessage('revokeMessage', sent.ID);
  await ben.waitForEvent('onMessageRevoked', revokedHas(sent.ID), 'the recall by the owner');
});

test('a client is too late after the time limit: 10031', async (t) => {
  const w = await world(t, { app: { rooms: { recall_seconds: 1 } } });
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  const { MsgSeq, MsgTime } = await ann.say(room, 'old');
  const clock = await w.raw('clock');
  await clock.join(room);
  // Wait by the server's own clock until the limit is over.
  let late;
  do late = (await clock.say(room, 'tick')).MsgTime;
  while (late < MsgTime + 3);
  const answer = await ann.request('group_open_http_svc.group_msg_recall', { GroupId: room, MsgSeqList: [{ MsgSeq }], TopicId: '' });
  const code = answer.ErrorCode || answer.RecallRetList?.[0]?.RetCode;
  assert.equal(code, 10031, JSON.stringify(answer));
});

test('who joins later does not get the recalled text', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  const sent = await ann.say(room, 'secret');
  await ann.say(room, 'kept');
  await ann.onMessage('revokeMessage', sent.ID);
  const late = await w.user('late');
  await late.join(room);
  await late.waitForText(room, 'kept');
  assert.equal(late.chats(room).filter((m) => m.payload?.text === 'secret').length, 0);
});
