// What groups of other types than Public do otherwise.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';
import { conversation, label, pageBack, readPage } from './support.mjs';

const groups = async (client) => (await client.call('getGroupList')).groupList.map((g) => g.groupID);
const listed = (client, group) => until(async () => (await groups(client)).includes(group), `${group} in the list of ${client.user}`);

/** A Public group of two, as both SDKs know it. */
async function club(owner, member, fields = {}) {
  await owner.call('createGroup', { type: 'Public', groupID: 'club', name: 'n', memberList: [{ userID: member.user }], ...fields });
  await listed(member, 'club');
}

const members = (...users) => users.map((Member_Account) => ({ Member_Account }));

test('a Work group is made with the SDK, members bring in others, and the owner may leave it', async (t) => {
  const w = await world(t);
  const [ana, ben, cleo] = await w.users('ana', 'ben', 'cleo');
  const { group } = await ana.call('createGroup', { type: 'Private', name: 'Trip', memberList: [{ userID: 'ben' }] });
  await ben.waitForNotice(7);
  await listed(ben, group.groupID);
  await ben.call('addGroupMember', { groupID: group.groupID, userIDList: ['cleo'] });
  await listed(cleo, group.groupID);
  await cleo.say(group.groupID, 'here I am');
  await ana.waitForText(group.groupID, 'here I am');
  await ben.call('updateGroupProfile', { groupID: group.groupID, name: 'Trip to the sea' });
  const tip = await ana.waitForTip(group.groupID, 6);
  assert.equal(tip.payload.newGroupProfile.groupName, 'Trip to the sea');
  await assert.rejects(w.user('dan').then((dan) => dan.call('joinGroup', { groupID: group.groupID, type: 'Private' })), (error) => error.code === 10007);

  await ana.call('quitGroup', group.groupID);
  await ben.waitForTip(group.groupID, 2);
  const { GroupInfo: [info] } = await w.rest.group('get_group_info', { GroupIdList: [group.groupID] });
  assert.deepEqual([info.Owner_Account, info.MemberNum, info.Type], ['', 2, 'Private']);
  await w.rest.group('change_group_owner', { GroupId: group.groupID, NewOwner_Account: 'cleo' });
  await cleo.waitForTip(group.groupID, 6);
  for (const client of [cleo, ben]) await client.call('quitGroup', group.groupID);
  const gone = await w.rest.group('get_group_info', { GroupIdList: [group.groupID] });
  assert.equal(gone.GroupInfo[0].ErrorCode, 10010, 'nobody is left');
});

test('before its first message a Work group is seen by its owner alone, and nothing is told in it', async (t) => {
  const w = await world(t);
  const [ana, ben] = await w.users('ana', 'ben');
  await w.rest.group('create_group', { Type: 'Private', GroupId: 'quiet', Name: 'n', Owner_Account: 'ana' });
  await w.rest.group('add_group_member', { GroupId: 'quiet', MemberList: members('ben'), Silence: 1 });
  const joined = async (user, fields = {}) => (await w.rest.group('get_joined_group_list', { Member_Account: user, ...fields })).GroupIdList.map((g) => g.GroupId);
  assert.deepEqual([await joined('ana'), await joined('ben'), await joined('ben', { WithNoActiveGroups: 1 })], [['quiet'], [], ['quiet']]);
  const { MsgSeq } = await w.rest.say('quiet', 'it begins', { From_Account: 'ana' });
  assert.equal(MsgSeq, 1);
  await ben.waitForText('quiet', 'it begins');
  assert.deepEqual(await joined('ben'), ['quiet']);
  assert.deepEqual(ana.tips('quiet'), []);
});

test('in a Meeting nobody is told who comes and goes, nothing counts as unread, and all can be read', async (t) => {
  const w = await world(t);
  const [ana, ben, cleo] = await w.users('ana', 'ben', 'cleo');
  const { group: { groupID } } = await ana.call('createGroup', { type: 'ChatRoom', name: 'Talk' });
  await ana.say(groupID, 'before you came');
  for (const client of [ben, cleo]) assert.equal((await client.call('joinGroup', { groupID, type: 'ChatRoom' })).status, 'JoinedSuccess');
  await cleo.call('quitGroup', groupID);
  await ben.say(groupID, 'hello');
  await ana.waitForText(groupID, 'hello');
  assert.deepEqual(ana.tips(groupID), []);
  await ana.call('updateGroupProfile', { groupID, name: 'Talks' });
  await ben.waitForTip(groupID, 6);
  for (const client of [ana, ben]) assert.equal((await conversation(client, groupID)).unreadCount, 0, client.name);
  assert.ok((await pageBack(ben, groupID)).map(label).includes('before you came'));
  await ana.say(groupID, 'unread?');
  await ben.close();
  await ana.say(groupID, 'still?');
  const back = await w.user('ben');
  const found = await until(() => conversation(back, groupID), 'the conversation');
  assert.equal(found.unreadCount, 0);
});

test('a community is made, joined, listed and spoken in', async (t) => {
  const w = await world(t);
  const [ana, ben] = await w.users('ana', 'ben');
  const { group: { groupID } } = await ana.call('createGroup', { type: 'Community', name: 'Everybody', isSupportTopic: false });
  assert.ok(groupID.startsWith('@TGS#_'));
  await ben.call('joinGroup', { groupID, type: 'Community' });
  await ben.say(groupID, 'so many');
  await ana.waitForText(groupID, 'so many');
  const back = await w.user('ben');
  await listed(back, groupID);
  const { memberList } = await back.call('getGroupMemberList', { groupID });
  assert.deepEqual(memberList.map((m) => [m.userID, m.role]), [['ana', 'Owner'], ['ben', 'Member']]);
});

test('a member has a name and fields of its own, and chooses what it hears', async (t) => {
  const w = await world(t);
  const [ana, before] = await w.users('ana', 'ben');
  await club(ana, before);
  await before.call('setGroupMemberNameCard', { groupID: 'club', nameCard: 'Benny' });
  await before.call('setGroupMemberCustomField', { groupID: 'club', userID: 'ben', memberCustomField: [{ key: 'team', value: 'red' }] });
  await before.call('setMessageRemindType', { groupID: 'club', messageRemindType: 'Discard' });
  await before.close();
  await w.target.killAndRestart();
  const ben = await w.user('ben');
  // What a client finds missing when it comes back it reads, wanted or not.
  await readPage(ben, 'club');
  const { MemberList: [member] } = await w.rest.group('get_specified_group_member_info', { GroupId: 'club', Member_List_Account: ['ben'] });
  assert.deepEqual([member.NameCard, member.AppMemberDefinedData, member.MsgFlag], ['Benny', [{ Key: 'team', Value: 'red' }], 'Discard']);
  await w.rest.say('club', 'not for ben', { From_Account: 'ana' });
  await ben.call('setMessageRemindType', { groupID: 'club', messageRemindType: 'AcceptNotNotify' });
  await w.rest.say('club', 'for ben', { From_Account: 'ana' });
  await ben.waitForText('club', 'for ben');
  assert.deepEqual(ben.heard('club').map((m) => m.text), ['for ben']);
});

test('the group goes to another owner, and the old one may leave', async (t) => {
  const w = await world(t);
  const [ana, ben] = await w.users('ana', 'ben');
  await club(ana, ben);
  const raw = await w.raw('ana');
  await raw.fails(10009, 'group_open_http_svc.quit_group', { GroupId: 'club' });
  await ana.call('changeGroupOwner', { groupID: 'club', newOwnerID: 'ben' });
  const tip = await ben.waitForTip('club', 6);
  assert.equal(tip.payload.newGroupProfile.ownerID, 'ben');
  await ana.call('quitGroup', 'club');
  const { UserIdList } = await w.rest.group('get_role_in_group', { GroupId: 'club', User_Account: ['ana', 'ben'] });
  assert.deepEqual(UserIdList.map((u) => u.Role), ['NotMember', 'Owner']);
});

test('who is banned from a group is out, and stays out until the ban is lifted', async (t) => {
  const w = await world(t);
  const [ana, ben] = await w.users('ana', 'ben');
  await club(ana, ben, { joinOption: 'FreeAccess' });
  await w.rest.group('ban_group_member', { GroupId: 'club', Members_Account: ['ben'], Duration: 600, Description: 'rude' });
  await ben.waitForNotice(21);
  await ana.waitForTip('club', 3);
  await assert.rejects(ben.call('joinGroup', { groupID: 'club', type: 'Public' }), (error) => error.code === 10007);
  await w.rest.group('unban_group_member', { GroupId: 'club', Members_Account: ['ben'] });
  assert.equal((await ben.call('joinGroup', { groupID: 'club', type: 'Public' })).status, 'JoinedSuccess');
});

test('groups and members are moved here without a word', async (t) => {
  const w = await world(t);
  const [ana, ben] = await w.users('ana', 'ben');
  const CreateTime = Math.floor(Date.now() / 1000) - 86_400;
  await w.rest.group('import_group', { Type: 'Public', GroupId: 'old', Name: 'Old friends', Owner_Account: 'ana', CreateTime });
  const { MemberList } = await w.rest.group('import_group_member', {
    GroupId: 'old',
    MemberList: [{ Member_Account: 'ben', Role: 'Admin', JoinTime: CreateTime + 60 }, { Member_Account: 'ana' }, { Member_Account: 'nobody-knows' }],
  });
  assert.deepEqual(MemberList.map((m) => m.Result), [1, 2, 0]);
  const { GroupInfo: [info] } = await w.rest.group('get_group_info', { GroupIdList: ['old'] });
  assert.deepEqual([info.CreateTime, info.MemberNum, info.Owner_Account], [CreateTime, 2, 'ana']);
  const found = await w.rest.group('get_specified_group_member_info', { GroupId: 'old', Member_List_Account: ['ben'] });
  assert.deepEqual([found.MemberList[0].Role, found.MemberList[0].JoinTime], ['Admin', CreateTime + 60]);
  await ben.say('old', 'we meet again');
  await ana.waitForText('old', 'we meet again');
  assert.deepEqual([...ana.received(), ...ben.received()].filter((m) => m.type !== 'TIMTextElem'), []);
  await w.rest.fails(10007, 'group_open_http_svc/import_group', { Type: 'AVChatRoom', GroupId: 'x', Name: 'n' });
  await w.rest.fails(10004, 'group_open_http_svc/import_group', { Type: 'Public', GroupId: 'x', Name: 'n', CreateTime: CreateTime + 10 ** 8 });
});
