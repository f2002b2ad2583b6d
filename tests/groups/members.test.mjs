// Members of a Public group by the app's server: who is in, who comes and goes, who may do what.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';
import { joinGroup, publicGroup } from './support.mjs';

const accounts = (w, ...users) => w.rest.ok('im_open_login_svc/multiaccount_import', { AccountList: users.map((UserID) => ({ UserID })) });

test('a group is made with members, who are told; roles and lists say who is in', async (t) => {
  const w = await world(t);
  const [ana, ben] = await w.users('ana', 'ben');
  await accounts(w, 'cleo', 'dan');
  await publicGroup(w, 'made', { Owner_Account: 'ana', MemberList: [{ Member_Account: 'ben', Role: 'Admin' }, { Member_Account: 'cleo' }] });
  await ana.waitForNotice(6);
  await ben.waitForNotice(7);
  const { UserIdList } = await w.rest.group('get_role_in_group', { GroupId: 'made', User_Account: ['ana', 'ben', 'cleo', 'dan'] });
  assert.deepEqual(UserIdList.map((u) => [u.Member_Account, u.Role]), [['ana', 'Owner'], ['ben', 'Admin'], ['cleo', 'Member'], ['dan', 'NotMember']]);
  await until(async () => (await ben.call('getGroupList')).groupList.some((g) => g.groupID === 'made'), 'the group in the list of who was added');
  await ben.say('made', 'hello');
  await ana.waitForText('made', 'hello');
  await w.rest.fails(10019, 'group_open_http_svc/create_group', { Type: 'Public', Name: 'n', Owner_Account: 'ana', MemberList: [{ Member_Account: 'nobody-knows' }] });
});

test('members are added and removed over REST; those who are in are told, and who is removed is out', async (t) => {
  const w = await world(t);
  const [ana, ben, cleo] = await w.users('ana', 'ben', 'cleo');
  await publicGroup(w, 'staff', { Owner_Account: 'ana' });
  const add = (...users) => w.rest.group('add_group_member', { GroupId: 'staff', MemberList: users.map((Member_Account) => ({ Member_Account })) });
  assert.deepEqual((await add('ben', 'cleo', 'ana')).MemberList.map((m) => [m.Member_Account, m.Result]), [['ben', 1], ['cleo', 1], ['ana', 2]]);
  await ben.waitForNotice(7);
  // The SDK asks for the group upon the notice; an answer that came after the removal would bring it back.
  await until(async () => (await ben.call('getGroupList')).groupList.some((g) => g.groupID === 'staff'), 'the group in the list');
  const tip = await ana.waitForTip('staff', 1);
  assert.deepEqual([tip.payload.userIDList.toSorted(), tip.payload.memberCount], [['ben', 'cleo'], 3]);

  await w.rest.group('delete_group_member', { GroupId: 'staff', MemberToDel_Account: ['ben', 'dan'], Reason: 'moved on' });
  await ben.waitForNotice(4);
  const removed = await cleo.waitForTip('staff', 3);
  assert.deepEqual([removed.payload.userIDList, removed.payload.memberCount], [['ben'], 2]);
  await until(async () => (await ben.call('getGroupList')).groupList.length === 0, 'the group is gone from the list');
  const raw = await w.raw('ben');
  await raw.fails(10007, 'group_open_http_svc.send_group_msg', raw.sendBody('staff', 'from outside'));
  await assert.rejects(cleo.call('deleteGroupMember', { groupID: 'staff', userIDList: ['ana'] }));
  await ana.call('deleteGroupMember', { groupID: 'staff', userIDList: ['cleo'], reason: '' });
  await cleo.waitForNotice(4);
});

test('the member list comes in pages, in the order of arrival, and survives a kill', async (t) => {
  const w = await world(t);
  const users = Array.from({ length: 45 }, (_, i) => `user-${String(i).padStart(2, '0')}`);
  await accounts(w, 'ana', ...users);
  await publicGroup(w, 'paged', { Owner_Account: 'ana', MemberList: users.slice(0, 40).map((Member_Account) => ({ Member_Account })) });
  await w.rest.group('add_group_member', { GroupId: 'paged', MemberList: users.slice(40).map((Member_Account) => ({ Member_Account })), Silence: 1 });
  await w.target.killAndRestart();
  const seen = [];
  for (let Offset = 0; ; Offset += 10) {
    const { MemberNum, MemberList } = await w.rest.group('get_group_member_info', { GroupId: 'paged', Limit: 10, Offset });
    assert.equal(MemberNum, 46);
    if (MemberList.length === 0) break;
    seen.push(...MemberList.map((m) => m.Member_Account));
  }
  assert.deepEqual(seen.toSorted(), ['ana', ...users].toSorted());
  const admins = await w.rest.group('get_group_member_info', { GroupId: 'paged', MemberRoleFilter: ['Owner'] });
  assert.deepEqual(admins.MemberList.map((m) => m.Member_Account), ['ana']);
});

test('a full group takes nobody in, and a closed one neither', async (t) => {
  const w = await world(t);
  const [ana, ben, cleo] = await w.users('ana', 'ben', 'cleo');
  await publicGroup(w, 'small', { Owner_Account: 'ana', MaxMemberCount: 2 });
  await joinGroup(ben, 'small');
  await assert.rejects(joinGroup(cleo, 'small'), (error) => error.code === 10014);
  await w.rest.group('modify_group_base_info', { GroupId: 'small', MaxMemberNum: 3, ApplyJoinOption: 'DisableApply' });
  await ana.waitForTip('small', 6);
  await assert.rejects(joinGroup(cleo, 'small'), (error) => error.code === 10007);
  await w.rest.group('modify_group_base_info', { GroupId: 'small', ApplyJoinOption: 'FreeAccess' });
  assert.equal((await joinGroup(cleo, 'small')).status, 'JoinedSuccess');
});
