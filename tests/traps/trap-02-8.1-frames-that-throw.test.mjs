// Trap 02-8.1: GroupInfo missing in a push, MemberList [] in a profile, MsgMemberInfo missing beside a reason,
// or a polled event 21 make the SDK throw, and the whole frame is gone. The lint holds the rules on every
// frame of every test; here the answers and pushes that tempt a server to break them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('the profile of a room for a stranger has no empty MemberList', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const raw = await w.raw('ann');
  const { GroupInfo } = await raw.ok('group_open_http_svc.get_group_self_member_info', { GroupIdList: [room, 'no-such-room'] });
  const [known, unknown] = [GroupInfo.find((g) => g.GroupId === room), GroupInfo.find((g) => g.GroupId === 'no-such-room')];
  assert.equal(known.ErrorCode, 0);
  assert.equal(known.Type, 'AVChatRoom');
  assert.ok(known.MemberList === undefined || known.MemberList.length > 0);
  assert.equal(unknown.ErrorCode, 10010);
});

test('a member gets SelfInfo with its role and join time in the profile', async (t) => {
  const w = await world(t);
  const owner = await w.raw('owner');
  const room = await w.room({ Owner_Account: 'owner' });
  await owner.join(room);
  const { GroupInfo: [info] } = await owner.ok('group_open_http_svc.get_group_self_member_info', { GroupIdList: [room] });
  assert.equal(info.SelfInfo.Role, 'Owner');
  assert.ok(info.SelfInfo.JoinTime > 0);
  for (const key of ['Owner_Account', 'Name', 'ApplyJoinOption', 'NextMsgSeq', 'MemberNum']) assert.ok(key in info, key);
});

test('a polling client sees notices, tips, attributes and recalls without a skipped or thrown item', async (t) => {
  const w = await world(t, { app: { rooms: { mode: 'poll' } } });
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await ann.join(room);
  await ben.join(room);
  const sent = await ann.say(room, 'hello');
  await ben.waitForText(room, 'hello');
  await ann.onMessage('revokeMessage', sent.ID);
  await ben.waitForEvent('onMessageRevoked', (list) => list.some((m) => m.ID === sent.ID), 'the polled recall');
  await w.rest.group('modify_group_attr', { GroupId: room, GroupAttr: [{ key: 'k', value: 'v' }] });
  await w.rest.group('send_group_system_notification', { GroupId: room, Content: 'n' });
  await ben.waitForNotice(255);
  await w.rest.group('destroy_group', { GroupId: room });
  await ben.waitForNotice(5);
});
