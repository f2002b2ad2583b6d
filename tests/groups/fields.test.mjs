// Custom fields that an app declares, and what the SDK shows of members.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

const groups = {
  group_fields: [{ key: 'motto', write: 'member' }, { key: 'board', read: 'admin', write: 'owner' }],
  member_fields: [{ key: 'town', write: 'member' }, { key: 'note', read: 'admin', write: 'admin' }],
};
const found = (client, ...users) => client.call('createGroup', { type: 'Public', groupID: 'club', name: 'Chess club', memberList: users.map((userID) => ({ userID })) });
const asMap = (list) => Object.fromEntries(list.filter((f) => f.value !== '').map((f) => [f.key, f.value]));

test('declared fields are written and seen by those whom the app names', async (t) => {
  const w = await world(t, { app: { groups } });
  const [ann, ben] = await w.users('ann', 'ben');
  await found(ann, 'ben');
  await until(async () => (await ben.call('getGroupList')).groupList.length === 1, 'the group in the list');
  const write = (client, key, value) => client.call('updateGroupProfile', { groupID: 'club', groupCustomField: [{ key, value }] });
  // The SDK keeps no fields of a group that was made without any, so this is what it is answered.
  const profile = async (client) => {
    const from = client.frames.mark;
    await client.call('getGroupProfile', { groupID: 'club', groupCustomFieldFilter: ['motto', 'board'] });
    const { body } = client.answers('get_group_self_member_info', { from }).at(-1);
    return Object.fromEntries(body.GroupInfo[0].AppDefinedData.map((f) => [f.Key, f.Value]));
  };
  await write(ben, 'motto', 'play');
  await write(ann, 'board', 'ann and ben');
  await assert.rejects(write(ben, 'board', 'ben'), { code: 10007 });
  await assert.rejects(write(ann, 'other', 'x'), { code: 10004 });
  const tip = await ben.waitForTip('club', 6);
  assert.deepEqual(tip.payload.newGroupProfile.groupCustomField, [{ key: 'motto', value: 'play' }]);
  assert.deepEqual([await profile(ann), await profile(ben)], [{ motto: 'play', board: 'ann and ben' }, { motto: 'play' }]);

  const set = (client, userID, key, value) => client.call('setGroupMemberCustomField', { groupID: 'club', userID, memberCustomField: [{ key, value }] });
  await set(ben, 'ben', 'town', 'Ulm');
  await set(ann, 'ben', 'note', 'late');
  await assert.rejects(set(ben, 'ben', 'note', 'never late'), { code: 10007 });
  const seen = async (client, userID) => {
    const { memberList } = await client.call('getGroupMemberProfile', { groupID: 'club', userIDList: [userID] });
    return asMap(memberList[0].memberCustomField);
  };
  assert.deepEqual([await seen(ann, 'ben'), await seen(ben, 'ben')], [{ town: 'Ulm', note: 'late' }, { town: 'Ulm', note: 'late' }]);
  const cleo = await w.user('cleo');
  await w.rest.group('add_group_member', { GroupId: 'club', MemberList: [{ Member_Account: 'cleo' }] });
  assert.deepEqual(await seen(cleo, 'ben'), { town: 'Ulm' });
});

test('a list of members says who is online', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await (await w.user('cleo')).call('logout');
  await found(ann, 'ben', 'cleo');
  const { memberList } = await ann.call('getGroupMemberList', { groupID: 'club', count: 30 });
  assert.deepEqual(memberList.map((m) => [m.userID, m.isOnline]), [['ann', true], ['ben', true], ['cleo', false]]);
  await ben.call('logout');
  await until(async () => {
    const list = await ann.call('getGroupMemberProfile', { groupID: 'club', userIDList: ['ben'] });
    return list.memberList[0].isOnline === false;
  }, 'ben is offline');
  const { GroupInfo: [info] } = await w.rest.group('get_group_info', { GroupIdList: ['club'], ResponseFilter: { MemberInfoFilter: ['Account', 'Role'] } });
  assert.deepEqual(info.MemberList.map((m) => [m.Member_Account, m.Role]), [['ann', 'Owner'], ['ben', 'Member'], ['cleo', 'Member']]);
});
