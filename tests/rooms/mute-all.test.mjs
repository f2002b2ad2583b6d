// Muting a whole room.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('with all muted only the owner, live admins and REST speak; members see the tip', async (t) => {
  const w = await world(t);
  const [owner, helper, ann] = await w.users('owner', 'helper', 'ann');
  const room = await w.room({ Owner_Account: 'owner' });
  for (const client of [owner, helper, ann]) await client.join(room);
  await w.rest.live('modify_admin', { GroupId: room, CommandType: 1, Admin_Account: ['helper'] });

  await w.rest.group('modify_group_base_info', { GroupId: room, MuteAllMember: 'On' });
  const tip = await ann.waitForMessage(room, (m) => m.type === 'TIMGroupTipElem' && m.payload.operationType === 6 && m.payload.newGroupProfile?.muteAllMembers === true, 'the mute-all tip');
  assert.ok(tip);

  await assert.rejects(ann.say(room, 'member'), { code: 10017 });
  await owner.say(room, 'owner');
  await helper.say(room, 'helper');
  await w.rest.say(room, 'backend');
  for (const text of ['owner', 'helper', 'backend']) await ann.waitForText(room, text);

  await owner.call('updateGroupProfile', { groupID: room, muteAllMembers: false });
  await ann.waitForMessage(room, (m) => m.type === 'TIMGroupTipElem' && m.payload.newGroupProfile?.muteAllMembers === false, 'the unmute tip');
  await ann.say(room, 'again');
  await owner.waitForText(room, 'again');
});

test('the old spelling ShutUpAllMember works, and the profile shows the state', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  await w.rest.group('modify_group_base_info', { GroupId: room, ShutUpAllMember: 'On' });
  await assert.rejects(ann.say(room, 'x'), { code: 10017 });
  const { GroupInfo } = await w.rest.group('get_group_info', { GroupIdList: [room] });
  assert.equal(GroupInfo[0].MuteAllMember, 'On');
  const { group } = await ann.call('getGroupProfile', { groupID: room });
  assert.equal(group.muteAllMembers, true);
});
