// A Public group from its creation to its dismissal, as clients see it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';
import { assertDense, history, joinGroup, label, pageBack } from './support.mjs';

test('made by one client, joined by another: both hear everything, in one order, numbered without a gap', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  const { group } = await ann.call('createGroup', { type: 'Public', name: 'Chess', groupID: 'chess', joinOption: 'FreeAccess' });
  assert.deepEqual([group.groupID, group.ownerID, group.memberCount, group.selfInfo.role], ['chess', 'ann', 1, 'Owner']);

  const joined = await joinGroup(ben, 'chess');
  assert.equal(joined.status, 'JoinedSuccess');
  assert.deepEqual([joined.group.name, joined.group.memberCount, joined.group.selfInfo.role], ['Chess', 2, 'Member']);
  for (const client of [ann, ben]) {
    const tip = await client.waitForTip('chess', 1);
    assert.deepEqual([tip.payload.operatorID, tip.payload.memberCount], ['ben', 2]);
  }
  assert.equal((await joinGroup(ben, 'chess')).status, 'AlreadyInGroup');

  for (let i = 0; i < 5; i += 1) {
    await Promise.all([ann.say('chess', `from ann ${i}`), ben.say('chess', `from ben ${i}`)]);
  }
  await until(() => ann.chats('chess').length >= 5 && ben.chats('chess').length >= 5, 'all messages at both');
  // The SDK adds a message of its own about the creation.
  const stored = await history(w, 'chess');
  assertDense(stored);
  assert.equal(stored.length, 12);
  const order = stored.filter((m) => m.MsgBody[0]?.MsgType === 'TIMTextElem').map((m) => m.MsgBody[0].MsgContent.Text);
  for (const client of [ann, ben]) {
    const own = `from ${client.name}`;
    const heard = client.chats('chess').filter((m) => m.payload.text);
    assert.deepEqual(heard.map((m) => m.payload.text), order.filter((text) => !text.startsWith(own)), `the order at ${client.name}`);
    for (const m of heard) {
      assert.equal(m.sequence, stored.find((s) => s.MsgBody[0]?.MsgContent?.Text === m.payload.text).MsgSeq);
    }
  }

  const { memberList } = await ben.call('getGroupMemberList', { groupID: 'chess', count: 10, offset: 0 });
  assert.deepEqual(memberList.map((m) => [m.userID, m.role]), [['ann', 'Owner'], ['ben', 'Member']]);

  await ann.call('dismissGroup', 'chess');
  await ben.waitForNotice(5);
  await until(async () => (await ben.call('getGroupList')).groupList.length === 0, 'the group is gone from the list');
  await assert.rejects(ann.say('chess', 'too late'));
  await w.rest.fails(10010, 'group_open_http_svc/group_msg_get_simple', { GroupId: 'chess', ReqMsgNumber: 1 });
});

test('who comes back on another device pages back to the first message', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  await ann.call('createGroup', { type: 'Public', name: 'Long', groupID: 'long', joinOption: 'FreeAccess' });
  for (let i = 0; i < 60; i += 1) await w.rest.say('long', `message ${i}`, { From_Account: 'ann' });
  await ann.close();
  const again = await w.user('ann');
  await until(async () => (await again.call('getConversationList')).conversationList.length === 1, 'the conversation');
  const paged = await pageBack(again, 'long');
  assert.deepEqual(paged.map((m) => m.sequence), Array.from({ length: 61 }, (_, i) => i + 1));
  assert.deepEqual(paged.slice(1).map(label), Array.from({ length: 60 }, (_, i) => `message ${i}`));
});

test('the app pages forward, too: numbers tell where a page ends', async (t) => {
  const w = await world(t);
  await w.rest.ok('im_open_login_svc/account_import', { UserID: 'ann' });
  await w.rest.createRoom('pages', { Type: 'Public', Name: 'Pages', Owner_Account: 'ann' });
  for (let i = 1; i <= 45; i += 1) await w.rest.say('pages', `message ${i}`, { From_Account: 'ann' });
  const seen = [];
  for (let next = 1; next <= 45; next += 20) {
    const page = await w.rest.group('group_msg_get_simple', { GroupId: 'pages', ReqMsgNumber: 20, ReqMsgSeq: Math.min(next + 19, 45) });
    const wanted = page.RspMsgList.filter((m) => m.MsgSeq >= next).toReversed();
    assert.equal(page.IsFinished, next === 1 ? 1 : 0);
    seen.push(...wanted.map((m) => m.MsgBody[0].MsgContent.Text));
  }
  assert.deepEqual(seen, Array.from({ length: 45 }, (_, i) => `message ${i + 1}`));
});

test('who comes later does not see what was said before; who leaves hears no more', async (t) => {
  const w = await world(t);
  const [ann, ben, cleo] = await w.users('ann', 'ben', 'cleo');
  await ann.call('createGroup', { type: 'Public', name: 'Later', groupID: 'later', joinOption: 'FreeAccess' });
  await joinGroup(ben, 'later');
  await ann.say('later', 'before');
  await ben.waitForText('later', 'before');
  await joinGroup(cleo, 'later');
  await ann.say('later', 'after');
  for (const client of [ben, cleo]) await client.waitForText('later', 'after');
  assert.deepEqual((await pageBack(cleo, 'later')).map(label), ['tip 1', 'after']);

  await ben.call('quitGroup', 'later');
  const tip = await ann.waitForTip('later', 2);
  assert.deepEqual([tip.payload.operatorID, tip.payload.memberCount], ['ben', 2]);
  const from = ben.events.mark;
  await ann.say('later', 'without ben');
  await cleo.waitForText('later', 'without ben');
  assert.deepEqual(ben.chats('later', { from }), []);
  await assert.rejects(ann.call('quitGroup', 'later'), (error) => error.code === 10009);
  const raw = await w.raw('ben');
  await raw.fails(10007, 'group_open_http_svc.send_group_msg', raw.sendBody('later', 'from outside'));
  await raw.fails(10007, 'group_open_http_svc.group_msg_get', { GroupId: 'later', ReqMsgNumber: 10, ReqMsgSeq: 3, WithRecalledMsg: 1 });
  await raw.ok('group_open_http_svc.quit_group', { GroupId: 'later' });
});

test('an ID that was dismissed begins anew, with nothing of the old group', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await ann.call('createGroup', { type: 'Public', name: 'First', groupID: 'again', joinOption: 'FreeAccess' });
  await joinGroup(ben, 'again');
  for (let i = 0; i < 3; i += 1) await ann.say('again', `old ${i}`);
  await ann.call('dismissGroup', 'again');
  await ben.waitForNotice(5);
  await w.rest.createRoom('again', { Type: 'Public', Name: 'Second', Owner_Account: 'ben' });
  await w.rest.say('again', 'new', { From_Account: 'ben' });
  await w.target.killAndRestart();
  const stored = await history(w, 'again');
  assert.deepEqual(stored.map((m) => [m.MsgSeq, m.MsgBody[0].MsgContent.Text]), [[1, 'new']]);
  const { MemberNum, MemberList } = await w.rest.group('get_group_member_info', { GroupId: 'again' });
  assert.deepEqual([MemberNum, MemberList.map((m) => m.Member_Account)], [1, ['ben']]);
  const { GroupIdList } = await w.rest.group('get_joined_group_list', { Member_Account: 'ann' });
  assert.deepEqual(GroupIdList, []);
});
