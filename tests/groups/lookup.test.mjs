// What a client asks about a group and its members.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';
import { joinGroup, publicGroup } from './support.mjs';

test('a group is found by its ID from outside, unless its type hides it', async (t) => {
  const w = await world(t);
  const ben = await w.user('ben');
  await w.rest.ok('im_open_login_svc/account_import', { UserID: 'ann' });
  for (const [id, Type] of [['work', 'Private'], ['club', 'Public'], ['meet', 'ChatRoom'], ['live', 'AVChatRoom'], ['@TGS#_town', 'Community']]) {
    await w.rest.createRoom(id, { Type, Name: `the ${id}`, Introduction: 'hello', Owner_Account: 'ann' });
  }
  for (const [id, type] of [['club', 'Public'], ['meet', 'ChatRoom'], ['live', 'AVChatRoom'], ['@TGS#_town', 'Community']]) {
    const { group } = await ben.call('searchGroupByID', id);
    assert.deepEqual([group.groupID, group.type, group.name, group.introduction, group.ownerID], [id, type, `the ${id}`, 'hello', 'ann']);
  }
  await assert.rejects(ben.call('searchGroupByID', 'work'), { code: 10007 });
  await assert.rejects(ben.call('searchGroupByID', 'nowhere'), { code: 10010 });
});

test('profiles of named members, with role, card and custom fields', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'club', { Owner_Account: 'ann' });
  await joinGroup(ben, 'club');
  await ben.call('updateMyProfile', { nick: 'Benny', avatar: 'https://127.0.0.1/b.png' });
  await ben.call('setGroupMemberNameCard', { groupID: 'club', userID: 'ben', nameCard: 'Treasurer' });
  await ben.call('setGroupMemberCustomField', { groupID: 'club', userID: 'ben', memberCustomField: [{ key: 'desk', value: '7' }] });
  await w.rest.group('modify_group_member_info', { GroupId: 'club', Member_Account: 'ben', Role: 'Admin' });
  const { memberList } = await ann.call('getGroupMemberProfile', { groupID: 'club', userIDList: ['ben', 'nobody'] });
  assert.equal(memberList.length, 1, 'who is no member is left out');
  const [member] = memberList;
  assert.deepEqual([member.userID, member.role, member.nick, member.avatar, member.nameCard], ['ben', 'Admin', 'Benny', 'https://127.0.0.1/b.png', 'Treasurer']);
  assert.deepEqual(member.memberCustomField, [{ key: 'desk', value: '7' }]);
  assert.ok(member.joinTime > 0);
});

test('how many members are online follows who comes and goes', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'club', { Owner_Account: 'ann' });
  await joinGroup(ben, 'club');
  const online = async () => (await w.rest.group('get_online_member_num', { GroupId: 'club' })).OnlineMemberNum;
  await until(async () => await online() === 2, 'two online');
  // The SDK says 0 of a group that it has not heard of yet.
  await until(async () => (await ann.call('getGroupList')).groupList.length === 1, 'the group in the list');
  assert.equal((await ann.call('getGroupOnlineMemberCount', 'club')).memberCount, 2);
  await ben.call('logout');
  await until(async () => await online() === 1, 'one online');
});

test('the conversation of a group tells its profile; communities have a list of their own', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  await publicGroup(w, 'club', { Owner_Account: 'ann' });
  await w.rest.createRoom('@TGS#_town', { Type: 'Community', Name: 'Town', Owner_Account: 'ann' });
  const again = await w.user('ann');
  // Before it has heard of its groups the SDK makes a conversation without a profile.
  await until(async () => (await again.call('getConversationProfile', 'GROUPclub')).conversation.groupProfile.name === 'Chess club', 'the profile');
  const names = async (method) => (await again.call(method)).groupList.map((group) => group.groupID).toSorted();
  await until(async () => (await names('getGroupList')).length === 2, 'both groups');
  // A community without topics is a group like the others; this list has those with topics.
  assert.deepEqual(await names('getJoinedCommunityList'), []);
});
