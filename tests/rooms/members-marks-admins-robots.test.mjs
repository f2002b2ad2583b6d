// Who is in a live room, as the SDK and REST show it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

const listed = async (w, room, fields = {}) => (await w.rest.live('get_members', { GroupId: room, Timestamp: 0, ...fields })).MemberList.map((m) => m.Member_Account);

test('the member list holds the latest joiners, 30 by default', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const all = Array.from({ length: 34 }, (_, i) => `u${String(i).padStart(2, '0')}`);
  for (const name of all) await (await w.raw(name)).join(room);
  const latest = await until(async () => {
    const list = await listed(w, room);
    return list.includes('u33') && list;
  }, 'the latest joiner in the list', { timeout: 45_000, every: 300 });
  assert.ok(latest.length <= 30);
  assert.ok(!latest.includes('u00'));
  await until(async () => (await w.rest.group('get_online_member_num', { GroupId: room })).OnlineMemberNum === 34, '34 online');
});

test('the SDK reads the list with nickname and role', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await ben.call('updateMyProfile', { nick: 'Benjamin' });
  const room = await w.room({ Owner_Account: 'ann' });
  await ann.join(room);
  await ben.join(room);
  const read = async () => (await ann.call('getGroupMemberList', { groupID: room, count: 30, offset: 0 })).memberList;
  const members = await until(async () => {
    const list = await read();
    return list.some((m) => m.userID === 'ben') && list;
  }, 'ben in the list', { timeout: 45_000, every: 8000 });
  assert.equal(members.find((m) => m.userID === 'ben').nick, 'Benjamin');
});

test('marks are set and removed by REST and by the owner, and filter the list', async (t) => {
  const w = await world(t);
  const owner = await w.user('owner');
  const room = await w.room({ Owner_Account: 'owner' });
  await owner.join(room);
  const [ann, ben] = [await w.raw('ann'), await w.raw('ben')];
  await ann.join(room);
  await ben.join(room);
  const marked = await w.rest.live('modify_user_info', { GroupId: room, CommandType: 1, MemberList: [{ Member_Account: 'ann', Marks: [1000, 1001] }] });
  assert.deepEqual(marked.MemberList.map((m) => m.Member_Account), ['ann']);
  await until(async () => (await listed(w, room, { Mark: 1001 })).join() === 'ann', 'only ann has mark 1001', { timeout: 45_000, every: 300 });
  await owner.call('markGroupMemberList', { groupID: room, userIDList: ['ben'], markType: 1001, enableMark: true });
  await until(async () => (await listed(w, room, { Mark: 1001 })).length === 2, 'both have mark 1001', { timeout: 45_000, every: 300 });
  await w.rest.live('modify_user_info', { GroupId: room, CommandType: 2, MemberList: [{ Member_Account: 'ann', Marks: [1001] }] });
  await until(async () => (await listed(w, room, { Mark: 1001 })).join() === 'ben', 'only ben has it', { timeout: 45_000, every: 300 });
  await ann.fails(10007, 'group_open_avchatroom_http_svc.modify_user_info', { GroupId: room, CommandType: 1, MemberList: [{ Member_Account: 'ann', Marks: [1002] }] });
});

test('live admins: at most five, they mute and are not muted by mute-all', async (t) => {
  const w = await world(t);
  const names = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'];
  const raws = Object.fromEntries(await Promise.all(names.map(async (n) => [n, await w.raw(n)])));
  const room = await w.room();
  for (const name of names) await raws[name].join(room);
  await w.rest.live('modify_admin', { GroupId: room, CommandType: 1, Admin_Account: names.slice(0, 5) });
  const sixth = await w.rest.post('group_open_avchatroom_http_svc/modify_admin', { GroupId: room, CommandType: 1, Admin_Account: ['a6'] });
  assert.notEqual(sixth.ErrorCode, 0);
  const { Admin_List } = await w.rest.live('get_admin_list', { GroupId: room });
  assert.deepEqual(Admin_List.map((a) => a.Admin_Account).sort(), names.slice(0, 5));

  await raws.a1.ok('group_open_http_svc.modify_group_member_info', { GroupId: room, Member_Account: 'a6', ShutUpTime: 60 });
  assert.equal((await raws.a6.say(room, 'x')).ErrorCode, 10017);
  await w.rest.live('modify_admin', { GroupId: room, CommandType: 2, Admin_Account: ['a1'] });
  await raws.a1.fails(10007, 'group_open_http_svc.modify_group_member_info', { GroupId: room, Member_Account: 'a5', ShutUpTime: 60 });
});

test('robots stand in the list without being there', async (t) => {
  const w = await world(t);
  const room = await w.room();
  await w.rest.ok('im_open_login_svc/account_import', { UserID: 'robot-1' });
  await w.rest.live('add_robots', { GroupId: room, Member_Account: ['robot-1'] });
  await until(async () => (await listed(w, room)).includes('robot-1'), 'the robot in the list', { timeout: 45_000, every: 300 });
  await w.rest.live('del_robots', { GroupId: room, Member_Account: ['robot-1'] });
  await until(async () => !(await listed(w, room)).includes('robot-1'), 'the robot gone', { timeout: 45_000, every: 300 });
});

test('check_members tells who is inside', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await w.raw('ben');
  await ann.join(room);
  await until(async () => {
    const { Member_Account } = await w.rest.live('check_members', { GroupId: room, Member_Account: ['ann', 'ben'] });
    return Member_Account.join() === 'ann';
  }, 'ann inside, ben not', { timeout: 45_000, every: 300 });
});
