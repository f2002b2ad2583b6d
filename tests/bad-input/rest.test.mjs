// Whatever is wrong in a REST call has its documented code, and the text names what it is.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ADMIN, sign } from '../harness/credentials.mjs';
import { textElement } from '../harness/rest.mjs';
import { world } from '../harness/world.mjs';

const COMMAND = 'group_open_http_svc/get_group_info';

test('the gate in front of all commands: url, app, signature, admin, body', async (t) => {
  const w = await world(t);
  const room = await w.room();
  await w.raw('ann');
  const body = { GroupIdList: [room] };
  const table = [
    ['no sdkappid', { sdkappid: null }, [60012], /sdkappid/i],
    ['sdkappid is no number', { sdkappid: 'abc' }, [60006, 60025], /sdkappid/i],
    ['an unknown app', { sdkappid: 1499999999 }, [60006, 70020], /./],
    ['no identifier', { identifier: null, usersig: w.sign(ADMIN) }, [60004, 60025], /identifier/i],
    ['no usersig', { usersig: null }, [60004, 60025, 70003], /usersig/i],
    ['a garbage usersig', { usersig: 'x' }, [70003], /./],
    ['an expired usersig', { usersig: w.sign(ADMIN, { expire: -5 }) }, [70001], /./],
    ['the usersig of another user', { usersig: w.sign('ann') }, [70013], /./],
    ['the usersig of another app', { usersig: sign({ ...w.app, id: w.otherApp.id }, ADMIN) }, [70014], /./],
    ['no administrator', { identifier: 'ann', usersig: w.sign('ann') }, [60010], /admin/i],
    ['contenttype is not json', { contenttype: 'xml' }, [60025], /contenttype/i],
  ];
  for (const [what, query, codes, text] of table) {
    const answer = await w.rest.post(COMMAND, body, query);
    assert.ok(codes.includes(answer.ErrorCode), `${what}: expected ${codes}, got ${JSON.stringify(answer)}`);
    assert.equal(answer.ActionStatus, 'FAIL', what);
    assert.match(answer.ErrorInfo, text, what);
  }
  for (const path of ['no_such_service/no_such_command', 'group_open_http_svc/no_such_command']) {
    const answer = await w.rest.post(path, {});
    assert.ok([60009, 10003].includes(answer.ErrorCode), `${path}: ${JSON.stringify(answer)}`);
  }
  await w.rest.ok(COMMAND, body);
});

test('a body that is no JSON, or no object, or far too deep or large', async (t) => {
  const w = await world(t);
  for (const body of ['', '{', '[]', '"text"', 'null', '{"GroupIdList":[}', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), '['.repeat(100_000), `{"a":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`]) {
    const answer = await w.rest.post(COMMAND, body);
    assert.ok([60003, 10004, 10011].includes(answer.ErrorCode), `${String(body).slice(0, 40)}: ${JSON.stringify(answer).slice(0, 300)}`);
  }
  const response = await fetch(w.rest.url(COMMAND), { method: 'POST', body: Buffer.alloc(40 * 1024 * 1024, 0x20) }).catch(() => null);
  if (response) {
    assert.ok([200, 413].includes(response.status), `status ${response.status}`);
    if (response.status === 200) assert.notEqual((await response.json()).ErrorCode, 0);
  }
  const { status } = await fetch(w.rest.url(COMMAND), { method: 'GET' });
  assert.ok([200, 404, 405].includes(status));
  await w.room();
});

test('wrong fields of group commands: the code of the table, and the field in the text', async (t) => {
  const w = await world(t);
  const room = await w.room();
  await (await w.raw('ann')).join(room);
  const long = (n) => 'x'.repeat(n);
  const svc = 'group_open_http_svc';
  const live = 'group_open_avchatroom_http_svc';
  const table = [
    [`${svc}/create_group`, { Name: 'n' }, [10004], /Type/],
    [`${svc}/create_group`, { Type: 'Nope', Name: 'n' }, [10004], /Type/],
    [`${svc}/create_group`, { Type: 'AVChatRoom' }, [10004], /Name/],
    [`${svc}/create_group`, { Type: 'AVChatRoom', Name: 5 }, [10004], /Name/],
    [`${svc}/create_group`, { Type: 'AVChatRoom', Name: long(101) }, [10004], /Name/],
    [`${svc}/create_group`, { Type: 'AVChatRoom', Name: 'n', Owner_Account: 'nobody-here' }, [10004, 10019], /Owner_Account|nobody-here/],
    [`${svc}/create_group`, { Type: 'AVChatRoom', Name: 'n', GroupId: long(49) }, [10004, 10015], /GroupId/],
    [`${svc}/create_group`, { Type: 'AVChatRoom', Name: 'n', AppDefinedData: [{ Key: long(17), Value: 'v' }] }, [10004], /AppDefinedData|Key/],
    [`${svc}/get_group_info`, {}, [10004], /GroupIdList/],
    [`${svc}/get_group_info`, { GroupIdList: 'x' }, [10004], /GroupIdList/],
    [`${svc}/get_group_info`, { GroupIdList: Array.from({ length: 51 }, (_, i) => `g${i}`) }, [10004, 10005], /GroupIdList/],
    [`${svc}/modify_group_base_info`, { Name: 'n' }, [10004], /GroupId/],
    [`${svc}/modify_group_base_info`, { GroupId: 'no-such-room', Name: 'n' }, [10010, 10015], /./],
    [`${svc}/modify_group_base_info`, { GroupId: room, MuteAllMember: 'Maybe' }, [10004], /MuteAllMember/],
    [`${svc}/send_group_msg`, { GroupId: room, Random: 1 }, [10004], /MsgBody/],
    [`${svc}/send_group_msg`, { GroupId: room, MsgBody: [textElement('x')] }, [10004], /Random/],
    [`${svc}/send_group_msg`, { GroupId: room, Random: 'x', MsgBody: [textElement('x')] }, [10004], /Random/],
    [`${svc}/send_group_msg`, { GroupId: room, Random: -1, MsgBody: [textElement('x')] }, [10004], /Random/],
    [`${svc}/send_group_msg`, { GroupId: room, Random: 1, MsgPriority: 'high', MsgBody: [textElement('x')] }, [10004], /MsgPriority/],
    [`${svc}/send_group_msg`, { GroupId: room, Random: 1, From_Account: 'nobody-here', MsgBody: [textElement('x')] }, [10004, 10019], /From_Account|nobody-here/],
    [`${svc}/send_group_msg`, { GroupId: 'no-such-room', Random: 1, MsgBody: [textElement('x')] }, [10010, 10015], /./],
    [`${svc}/send_group_msg`, { GroupId: room, Random: 1, MsgBody: [textElement(long(13_000))] }, [80002], /./],
    [`${svc}/forbid_send_msg`, { GroupId: room, MuteTime: 5 }, [10004], /Members_Account/],
    [`${svc}/forbid_send_msg`, { GroupId: room, Members_Account: ['ann'] }, [10004], /MuteTime/],
    [`${svc}/forbid_send_msg`, { GroupId: room, Members_Account: Array.from({ length: 501 }, (_, i) => `u${i}`), MuteTime: 5 }, [10004, 10005], /Members_Account/],
    [`${svc}/ban_group_member`, { GroupId: room, Members_Account: Array.from({ length: 21 }, (_, i) => `u${i}`), Duration: 5 }, [10005], /Members_Account/],
    [`${svc}/ban_group_member`, { GroupId: room, Members_Account: ['ann'] }, [10004], /Duration/],
    [`${svc}/add_group_member`, { GroupId: room, MemberList: [{ Member_Account: 'ann' }] }, [10007], /./],
    [`${svc}/delete_group_member`, { GroupId: room, MemberToDel_Account: ['ann'] }, [10004], /./],
    [`${svc}/change_group_owner`, { GroupId: room, NewOwner_Account: 'ann' }, [10007], /./],
    [`${svc}/get_role_in_group`, { GroupId: room, User_Account: ['ann'] }, [10007], /./],
    [`${svc}/group_msg_recall`, { GroupId: room }, [10004], /MsgSeqList/],
    [`${svc}/group_msg_recall`, { GroupId: room, MsgSeqList: Array.from({ length: 11 }, (_, i) => ({ MsgSeq: i + 1 })) }, [10004, 10005], /MsgSeqList/],
    [`${svc}/group_msg_get_simple`, { GroupId: room, ReqMsgNumber: 0 }, [10004], /ReqMsgNumber/],
    [`${svc}/set_group_attr`, { GroupId: room }, [10004], /GroupAttr/],
    [`${svc}/update_group_counter`, { GroupId: room, GroupCounter: [{ Key: 'k', Value: 'x' }] }, [10004], /Value/],
    [`${svc}/update_group_counter`, { GroupId: room, GroupCounter: [{ Key: 'k', Value: 1 }], Mode: 'Twice' }, [10004], /Mode/],
    [`${svc}/send_group_system_notification`, { GroupId: room }, [10004], /Content/],
    [`${svc}/send_broadcast_msg`, { Random: 1 }, [10004], /MsgBody/],
    [`${svc}/import_group`, { Type: 'AVChatRoom', Name: 'n' }, [10007, 10026], /./],
    [`${live}/modify_admin`, { GroupId: room, CommandType: 3, Admin_Account: ['ann'] }, [10004], /CommandType/],
    [`${live}/modify_user_info`, { GroupId: room, CommandType: 1, MemberList: [{ Member_Account: 'ann', Marks: [7] }] }, [10004], /Marks/],
    [`${live}/get_members`, { Timestamp: 0 }, [10004], /GroupId/],
  ];
  for (const [path, body, codes, text] of table) {
    const answer = await w.rest.post(path, body);
    assert.ok(codes.includes(answer.ErrorCode), `${path} ${JSON.stringify(body).slice(0, 160)}: expected ${codes}, got ${JSON.stringify(answer)}`);
    assert.match(answer.ErrorInfo, text, `${path} ${JSON.stringify(body).slice(0, 160)}`);
  }
  await w.rest.say(room, 'the room is well');
});

test('another app does not see this app\'s rooms', async (t) => {
  const w = await world(t, (app, otherApp) => ({ apps: [otherApp] }));
  const room = await w.room();
  const query = { sdkappid: w.otherApp.id, usersig: sign(w.otherApp, ADMIN) };
  const { GroupInfo } = await w.rest.post(COMMAND, { GroupIdList: [room] }, query);
  assert.equal(GroupInfo[0].ErrorCode, 10010);
  const { GroupId } = await w.rest.group('create_group', { Type: 'AVChatRoom', Name: 'same id', GroupId: room }, query);
  assert.equal(GroupId, room, 'the same id is free there');
});
