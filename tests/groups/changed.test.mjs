// What becomes of messages after they were sent: taken back, modified, put out of sight.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';
import { conversation, joinGroup, label, pageBack, publicGroup } from './support.mjs';

/** Kills the server. The next one tells members again what it may not have told; that is over before a test goes on. */
async function killed(w, group) {
  await w.target.killAndRestart();
  await w.rest.group('group_msg_get_simple', { GroupId: group, ReqMsgNumber: 1 });
}

/** A user who comes back, once the conversation is in the list. */
async function back(w, user, group) {
  const client = await w.user(user);
  await until(() => conversation(client, group), `the conversation at ${user}`);
  return client;
}

const has = (id) => (list) => list.some((m) => m.ID === id);

/** Modifies a message as an app does: the object that the SDK has, changed and handed back. */
const modify = (client, id, text, custom = '') => client.inside(async ({ chat }, change) => {
  const message = chat.findMessage(change.id);
  message.payload.text = change.text;
  message.cloudCustomData = change.custom;
  const { data } = await chat.modifyMessage(message);
  return { text: data.message.payload.text, version: data.message.version, isModified: data.message.isModified };
}, { id, text, custom });

test('a sender recalls: all members see it at once, in the history and the conversation, also after a restart', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'oops', { Owner_Account: 'ann' });
  await joinGroup(ben, 'oops');
  await ben.say('oops', 'stays');
  const sent = await ann.say('oops', 'a secret');
  await ben.waitForText('oops', 'a secret');
  await ann.onMessage('revokeMessage', sent.ID);
  const event = await ben.waitForEvent('onMessageRevoked', has(sent.ID), 'the recall at ben');
  assert.equal(event.data.find((m) => m.ID === sent.ID).revoker, 'ann');
  await until(async () => (await conversation(ben, 'oops')).lastMessage.isRevoked, 'the recall in the conversation');
  // Who got no answer asks again: done is done, and nobody hears of it once more.
  const raw = await w.raw('ann');
  const again = await raw.request('group_open_http_svc.group_msg_recall', { GroupId: 'oops', MsgSeqList: [{ MsgSeq: sent.sequence }], TopicId: '' });
  assert.deepEqual([again.ErrorCode, again.RecallRetList[0].RetCode], [0, 0]);
  await ann.say('oops', 'later', { options: { onlineUserOnly: true } });
  await ben.waitForText('oops', 'later');
  assert.equal(ben.events.since(0).filter((e) => e.name === 'onMessageRevoked').length, 1);

  await Promise.all([ann.close(), ben.close()]);
  await killed(w, 'oops');
  const late = await w.user('ben');
  const found = await until(async () => {
    const c = await conversation(late, 'oops');
    return c?.lastMessage.isRevoked && c;
  }, 'the recall in the list of conversations');
  assert.equal(found.lastMessage.revoker, 'ann');
  const paged = await pageBack(late, 'oops');
  assert.deepEqual(paged.map((m) => [label(m), m.isRevoked]), [['tip 1', false], ['stays', false], ['', true]]);
  assert.equal(JSON.stringify(paged).includes('a secret'), false, 'the text is gone');
});

test('owner and app server recall anything, members only their own', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'rules', { Owner_Account: 'ann' });
  await joinGroup(ben, 'rules');
  const [of_ann, of_ben] = [await ann.say('rules', 'of ann'), await ben.say('rules', 'of ben')];
  const raw = await w.raw('ben');
  await raw.fails(10007, 'group_open_http_svc.group_msg_recall', { GroupId: 'rules', MsgSeqList: [{ MsgSeq: of_ann.sequence }], TopicId: '' });
  await ann.waitForText('rules', 'of ben');
  await ann.onMessage('revokeMessage', of_ben.ID);
  await ben.waitForEvent('onMessageRevoked', has(of_ben.ID), 'the recall by the owner');
  const list = [of_ann, of_ben].map((m) => ({ MsgSeq: m.sequence })).concat({ MsgSeq: 99 });
  const { RecallRetList } = await w.rest.group('group_msg_recall', { GroupId: 'rules', MsgSeqList: list, Reason: 'rules' });
  assert.deepEqual(RecallRetList.map((r) => r.RetCode), [0, 10032, 10030]);
  const event = await ben.waitForEvent('onMessageRevoked', has(of_ann.ID), 'the recall by the app server');
  assert.equal(event.data.find((m) => m.ID === of_ann.ID).revokeReason, 'rules');
});

test('recalls that a client missed while it was cut off come when it is back', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'away', { Owner_Account: 'ann' });
  await joinGroup(ben, 'away');
  const sent = await ann.say('away', 'gone soon');
  await ben.waitForText('away', 'gone soon');
  await ben.settledSocket();
  const mark = ben.events.mark;
  await ben.setOffline(true);
  await w.rest.group('group_msg_recall', { GroupId: 'away', MsgSeqList: [{ MsgSeq: sent.sequence }] });
  await ben.setOffline(false);
  await ben.waitForEvent('onMessageRevoked', (list) => list.some((m) => m.sequence === sent.sequence), 'the recall after the return', { from: mark, timeout: 40_000 });
  assert.ok(ben.answers('batch_get_group_notify').length > 0, 'it asked for what it missed');
});

test("a sender's messages vanish by the app server, silently", async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'spam', { Owner_Account: 'ann' });
  await joinGroup(ben, 'spam');
  await ben.say('spam', 'buy this');
  await ann.say('spam', 'no');
  await w.rest.group('delete_group_msg_by_sender', { GroupId: 'spam', Sender_Account: 'ben' });
  await ann.say('spam', 'better');
  await ben.waitForText('spam', 'better');
  assert.equal(ben.events.since(0).filter((e) => e.name === 'onMessageRevoked').length, 0);
  const tablet = await back(w, 'ann', 'spam');
  assert.deepEqual((await pageBack(tablet, 'spam')).map((m) => m.isRevoked), [false, true, false, false]);
  const { RspMsgList } = await w.rest.group('group_msg_get_simple', { GroupId: 'spam', ReqMsgNumber: 20 });
  assert.deepEqual(RspMsgList.map((m) => m.MsgSeq), [4, 3, 1]);
});

test('a message is modified: members hear it, who knew an older version is refused and learns the newer one', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'draft', { Owner_Account: 'ann' });
  await joinGroup(ben, 'draft');
  const sent = await ann.say('draft', 'frist');
  await ben.waitForText('draft', 'frist');
  assert.deepEqual(await modify(ann, sent.ID, 'first', 'typo'), { text: 'first', version: 1, isModified: true });
  const heard = await ben.waitForEvent('onMessageModified', (list) => list.some((m) => m.ID === sent.ID), 'the change at ben');
  const changed = heard.data.find((m) => m.ID === sent.ID);
  assert.deepEqual([changed.payload.text, changed.cloudCustomData, changed.version], ['first', 'typo', 1]);
  await until(async () => (await conversation(ben, 'draft')).lastMessage.messageForShow === 'first', 'the change in the conversation');

  // ben changes it, too: any member may.
  assert.equal((await modify(ben, sent.ID, 'premier')).version, 2);
  await ann.waitForEvent('onMessageModified', (list) => list.some((m) => m.payload.text === 'premier'), 'the change at ann');
  const raw = await w.raw('ann');
  const conflict = await raw.request('openim.modify_group_msg', { GroupId: 'draft', MsgSeq: sent.sequence, MsgVersion: 1, MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'late' } }], CloudCustomData: '' });
  assert.deepEqual([conflict.ErrorCode, conflict.MsgVersion, conflict.MsgBody[0].MsgContent.Text], [20027, 2, 'premier']);

  const byServer = await w.rest.ok('openim/modify_group_msg', { GroupId: 'draft', MsgSeq: sent.sequence, CloudCustomData: 'of the server' });
  assert.equal(byServer.ErrorInfo, 'succeed');
  await ben.waitForEvent('onMessageModified', (list) => list.some((m) => m.cloudCustomData === 'of the server'), 'the change by the app server');
  await Promise.all([ann.close(), ben.close()]);
  await killed(w, 'draft');
  const late = await back(w, 'ben', 'draft');
  const [, found] = await pageBack(late, 'draft');
  assert.deepEqual([found.payload.text, found.cloudCustomData, found.isModified, found.version], ['premier', 'of the server', true, 3]);
});

test('the SDK learns of a conflict which message it is now', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'race', { Owner_Account: 'ann' });
  await joinGroup(ben, 'race');
  const sent = await ann.say('race', 'zero');
  await ben.waitForText('race', 'zero');
  // The push of the first change is on its way while the second one is asked for.
  const results = await Promise.allSettled([modify(ann, sent.ID, 'from ann'), modify(ben, sent.ID, 'from ben')]);
  const lost = results.filter((r) => r.status === 'rejected');
  if (lost.length > 0) assert.equal(lost[0].reason.code, 2480);
  const { RspMsgList: [stored] } = await w.rest.group('group_msg_get_simple', { GroupId: 'race', ReqMsgNumber: 1 });
  const text = stored.MsgBody[0].MsgContent.Text;
  assert.equal(stored.MsgVersion, 2 - lost.length);
  for (const client of [ann, ben]) {
    await until(async () => (await client.inside(({ chat }, id) => chat.findMessage(id).payload.text, sent.ID)) === text, `${client.name} has what is stored`);
  }
});

test('a member deletes messages for itself, on all devices; the others keep them', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'tidy', { Owner_Account: 'ann' });
  await joinGroup(ben, 'tidy');
  const sent = [];
  for (const text of ['one', 'two', 'three']) sent.push(await ann.say('tidy', text));
  await ben.waitForText('tidy', 'three');
  await ben.inside(({ chat }, ids) => chat.deleteMessage(ids.map((id) => chat.findMessage(id))).then(() => null), [sent[0].ID, sent[2].ID]);
  await until(async () => (await conversation(ben, 'tidy')).lastMessage.messageForShow === 'two', 'the conversation shows what is left');
  await Promise.all([ann.close(), ben.close()]);
  await killed(w, 'tidy');
  const [annAgain, tablet] = await Promise.all(['ann', 'ben'].map((user) => back(w, user, 'tidy')));
  assert.deepEqual((await pageBack(tablet, 'tidy')).map(label), ['tip 1', 'two']);
  assert.deepEqual((await pageBack(annAgain, 'tidy')).map(label), ['tip 1', 'one', 'two', 'three']);
  const shown = async (client) => (await conversation(client, 'tidy')).lastMessage.messageForShow;
  assert.deepEqual([await shown(tablet), await shown(annAgain)], ['two', 'three'], 'also after a login');
});

test('an app server clears the history for clients and still reads it', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'clean', { Owner_Account: 'ann' });
  await joinGroup(ben, 'clean');
  for (const text of ['one', 'two', 'three']) await ann.say('clean', text);
  await ben.waitForText('clean', 'three');
  await w.rest.group('clear_group_msg', { GroupId: 'clean', MsgSeq: 3 });
  await Promise.all([ann.close(), ben.close()]);
  await killed(w, 'clean');
  const tablet = await back(w, 'ben', 'clean');
  assert.deepEqual((await pageBack(tablet, 'clean')).map(label), ['three']);
  const { RspMsgList } = await w.rest.group('group_msg_get_simple', { GroupId: 'clean', ReqMsgNumber: 20 });
  assert.deepEqual(RspMsgList.map((m) => m.MsgSeq), [4, 3, 2, 1]);
  await w.rest.group('clear_group_msg', { GroupId: 'clean' });
  const phone = await w.user('ben');
  assert.deepEqual(await pageBack(phone, 'clean'), []);
  assert.equal(await conversation(phone, 'clean'), undefined);
});

test('imported messages are in the history under their times, and read', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  await w.rest.ok('im_open_login_svc/account_import', { UserID: 'ben' });
  await publicGroup(w, 'moved', { Owner_Account: 'ann', MemberList: [{ Member_Account: 'ben' }] });
  const { GroupInfo: [{ CreateTime }] } = await w.rest.group('get_group_info', { GroupIdList: ['moved'] });
  const entry = (text, SendTime) => ({ From_Account: 'ben', SendTime, Random: 100 + text.length, MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: text } }] });
  const { ImportMsgResult } = await w.rest.group('import_group_msg', {
    GroupId: 'moved', RecentContactFlag: 1,
    MsgList: [entry('of old', CreateTime), entry('of before', CreateTime - 60)],
  });
  assert.deepEqual(ImportMsgResult.map((r) => [r.MsgSeq, r.MsgTime, r.Result]), [[1, CreateTime, 0], [0, CreateTime - 60, 10004]]);
  await killed(w, 'moved');
  const ben = await w.user('ben');
  const found = await until(() => conversation(ben, 'moved'), 'the conversation');
  assert.deepEqual([found.lastMessage.messageForShow, found.unreadCount], ['of old', 0]);
  assert.deepEqual((await pageBack(ben, 'moved')).map((m) => [label(m), m.time]), [['of old', CreateTime]]);
  await w.rest.group('set_unread_msg_num', { GroupId: 'moved', Member_Account: 'ben', UnreadMsgNum: 1 });
  const tablet = await w.user('ben');
  await until(async () => (await conversation(tablet, 'moved'))?.unreadCount === 1, 'one unread message');
  assert.equal(ann.chats('moved').length, 0, 'nobody heard of it');
});
