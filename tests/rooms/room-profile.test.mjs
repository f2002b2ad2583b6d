// Making a room, its profile and custom fields.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('a room made through the SDK gets a generated id and its maker as owner, who joins like everyone', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  const { group } = await ann.call('createGroup', { name: 'My room', type: 'AVChatRoom' });
  assert.match(group.groupID, /^@TGS#a/);
  assert.equal((await ann.join(group.groupID)).status, 'JoinedSuccess');
  const { group: profile } = await ann.call('getGroupProfile', { groupID: group.groupID });
  assert.equal(profile.ownerID, 'ann');
  assert.equal(profile.name, 'My room');
  assert.equal(profile.type, 'AVChatRoom');
});

test('ids: own, taken, reserved, too long, wrong characters', async (t) => {
  const w = await world(t);
  const [ann, ben] = [await w.raw('ann'), await w.raw('ben')];
  const create = (client, fields) => client.request('group_open_http_svc.create_group', { Type: 'AVChatRoom', Name: 'n', Owner_Account: client.user, ...fields });
  assert.equal((await create(ann, { GroupId: 'mine' })).GroupId, 'mine');
  assert.equal((await create(ann, { GroupId: 'mine' })).ErrorCode, 10025, 'the owner itself');
  assert.equal((await create(ben, { GroupId: 'mine' })).ErrorCode, 10021, 'somebody else');
  for (const GroupId of ['@TGS#mine', 'x'.repeat(49), 'ünicode']) {
    const answer = await create(ann, { GroupId });
    assert.ok([10004, 10015].includes(answer.ErrorCode), `${GroupId}: ${JSON.stringify(answer)}`);
    assert.match(answer.ErrorInfo, /GroupId/);
  }
  const withMembers = await w.rest.post('group_open_http_svc/create_group', { Type: 'AVChatRoom', Name: 'n', MemberList: [{ Member_Account: 'ann' }] });
  assert.equal(withMembers.ErrorCode, 10007);
  const adding = await w.rest.post('group_open_http_svc/add_group_member', { GroupId: 'mine', MemberList: [{ Member_Account: 'ben' }] });
  assert.equal(adding.ErrorCode, 10007);
});

test('profile changes by REST and by the owner show as tip 6 and in the profile; others may not', async (t) => {
  const w = await world(t);
  const [owner, ann] = await w.users('owner', 'ann');
  const room = await w.room({ Owner_Account: 'owner' });
  await owner.join(room);
  await ann.join(room);
  await w.rest.group('modify_group_base_info', { GroupId: room, Name: 'New name', Notification: 'Be kind', Introduction: 'intro', FaceUrl: 'https://cdn.example/f.png' });
  const tip = await ann.waitForMessage(room, (m) => m.type === 'TIMGroupTipElem' && m.payload.newGroupProfile?.groupName === 'New name', 'the profile tip');
  assert.equal(tip.payload.newGroupProfile.notification, 'Be kind');
  await owner.call('updateGroupProfile', { groupID: room, introduction: 'by the owner' });
  const { group } = await ann.call('getGroupProfile', { groupID: room });
  assert.equal(group.name, 'New name');
  assert.equal(group.introduction, 'by the owner');
  const raw = await w.raw('ben');
  await raw.join(room);
  await raw.fails(10007, 'group_open_http_svc.modify_group_base_info', { GroupId: room, Name: 'mine now' });
});

test('limits count bytes, not characters, and the text names the field', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const modify = (fields) => w.rest.post('group_open_http_svc/modify_group_base_info', { GroupId: room, ...fields });
  assert.equal((await modify({ Name: 'é'.repeat(50) })).ErrorCode, 0, '100 bytes fit');
  for (const [field, value] of [['Name', 'é'.repeat(51)], ['Introduction', '字'.repeat(134)], ['Notification', 'n'.repeat(401)], ['FaceUrl', 'u'.repeat(501)]]) {
    const answer = await modify({ [field]: value });
    assert.equal(answer.ErrorCode, 10004, field);
    assert.match(answer.ErrorInfo, new RegExp(field));
  }
});

test('custom fields: set, read with a filter, changed by tip, deleted by an empty value', async (t) => {
  const w = await world(t);
  const room = await w.room({ AppDefinedData: [{ Key: 'room_status', Value: 'on' }, { Key: 'attent', Value: '1' }] });
  const ann = await w.user('ann');
  await ann.join(room);
  const { group } = await ann.call('getGroupProfile', { groupID: room, groupCustomFieldFilter: ['room_status'] });
  assert.ok(group.groupCustomField.some((f) => f.key === 'room_status' && f.value === 'on'));
  // The client asks for the profile by itself too, whenever the room's first item arrives.
  const asked = ann.requests('get_group_self_member_info').find((f) => f.body.ResponseFilter?.AppDefinedDataFilter_Group);
  const answer = ann.answers('get_group_self_member_info').find((f) => f.head.seq === asked.head.seq);
  assert.deepEqual(asked.body.ResponseFilter.AppDefinedDataFilter_Group, ['room_status']);
  assert.deepEqual(answer.body.GroupInfo[0].AppDefinedData, [{ Key: 'room_status', Value: 'on' }], 'the filter is honoured');
  await w.rest.group('modify_group_base_info', { GroupId: room, AppDefinedData: [{ Key: 'room_status', Value: 'paused' }] });
  const tip = await ann.waitForMessage(room, (m) => m.type === 'TIMGroupTipElem' && m.payload.newGroupProfile?.groupCustomField?.length, 'the custom field tip');
  assert.deepEqual(tip.payload.newGroupProfile.groupCustomField, [{ key: 'room_status', value: 'paused' }]);
  await w.rest.group('modify_group_base_info', { GroupId: room, AppDefinedData: [{ Key: 'attent', Value: '' }] });
  const { GroupInfo } = await w.rest.group('get_group_info', { GroupIdList: [room] });
  assert.deepEqual(GroupInfo[0].AppDefinedData, [{ Key: 'room_status', Value: 'paused' }]);
});

test('the owner may not quit in the documented way, and the room stays', async (t) => {
  const w = await world(t);
  const owner = await w.raw('owner');
  const room = await w.room({ Owner_Account: 'owner' });
  await owner.join(room);
  await owner.fails(10009, 'group_open_http_svc.quit_group', { GroupId: room });
});

test('get_appid_group_list and get_joined_group_list show rooms as documented', async (t) => {
  const w = await world(t);
  const [first, second] = [await w.room(), await w.room()];
  const { GroupIdList, TotalCount } = await w.rest.group('get_appid_group_list', { GroupType: 'AVChatRoom' });
  assert.equal(TotalCount, 2);
  assert.deepEqual(GroupIdList.map((g) => g.GroupId).sort(), [first, second].sort());
  const ann = await w.raw('ann');
  await ann.join(first);
  assert.equal((await w.rest.group('get_joined_group_list', { Member_Account: 'ann' })).TotalCount, 0, 'live rooms are not listed by default');
});
