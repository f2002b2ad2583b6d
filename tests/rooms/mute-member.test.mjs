// Muting single members, by REST and by the room's owner.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

const FOR_EVER = 4294967295;

test('a muted member gets 10017, others go on, and unmuting lets them speak again', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await Promise.all([ann.join(room), ben.join(room)]);
  await w.rest.group('forbid_send_msg', { GroupId: room, Members_Account: ['ann'], MuteTime: 600 });
  await assert.rejects(ann.say(room, 'muted'), { code: 10017 });
  await ben.say(room, 'not muted');
  await ann.waitForText(room, 'not muted');

  const { MutedAccountList } = await w.rest.group('get_group_muted_account', { GroupId: room });
  assert.equal(MutedAccountList.length, 1);
  assert.equal(MutedAccountList[0].Member_Account, 'ann');
  assert.ok(MutedAccountList[0].MutedUntil > Date.now() / 1000 + 500);

  await w.rest.group('forbid_send_msg', { GroupId: room, Members_Account: ['ann'], MuteTime: 0 });
  await ann.say(room, 'free');
  const got = await ben.waitForText(room, 'free');
  assert.ok(got);
  assert.equal(ben.chats(room).filter((m) => m.payload.text === 'muted').length, 0);
});

test('the old field and command names work as the new ones', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  await w.rest.group('forbid_send_msg', { GroupId: room, Members_Account: ['ann'], ShutUpTime: FOR_EVER });
  assert.equal((await ann.say(room, 'x')).ErrorCode, 10017);
  const { ShuttedUinList } = await w.rest.group('get_group_shutted_uin', { GroupId: room });
  assert.deepEqual(ShuttedUinList.map((m) => m.Member_Account), ['ann']);
});

test('the owner mutes through the SDK, an ordinary member may not', async (t) => {
  const w = await world(t);
  const owner = await w.user('owner');
  const room = await w.room({ Owner_Account: 'owner' });
  const [ann, ben] = await w.users('ann', 'ben');
  for (const client of [owner, ann, ben]) await client.join(room);
  await owner.call('setGroupMemberMuteTime', { groupID: room, userID: 'ann', muteTime: 600 });
  await ben.waitForTip(room, 7);
  await assert.rejects(ann.say(room, 'muted'), { code: 10017 });
  await assert.rejects(ben.call('setGroupMemberMuteTime', { groupID: room, userID: 'owner', muteTime: 600 }), { code: 10007 });
});

test('a mute survives leaving and joining again, and ends by itself', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  await w.rest.group('forbid_send_msg', { GroupId: room, Members_Account: ['ann'], MuteTime: 3 });
  await ann.call('quitGroup', room);
  await ann.join(room);
  await assert.rejects(ann.say(room, 'too early'), { code: 10017 });
  await until(async () => (await ann.say(room, 'at last')) !== null, 'the end of the mute', { every: 200 });
});
