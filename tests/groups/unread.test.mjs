// What a member missed, and how far it has read.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';
import { conversation, joinGroup, label, pageBack, publicGroup } from './support.mjs';

test('who was offline finds the last message, the unread count and all that was said', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'news', { Owner_Account: 'ann' });
  await joinGroup(ben, 'news');
  await ann.say('news', 'seen');
  await ben.waitForText('news', 'seen');
  await ben.call('setMessageRead', { conversationID: 'GROUPnews' });
  await ben.close();
  for (let i = 0; i < 20; i += 1) await ann.say('news', `missed ${i}`);

  const back = await w.user('ben');
  const found = await until(async () => {
    const c = await conversation(back, 'news');
    return c?.unreadCount === 20 && c;
  }, '20 unread messages');
  assert.deepEqual([found.lastMessage.messageForShow, found.groupProfile.name], ['missed 19', 'Chess club']);
  assert.deepEqual((await pageBack(back, 'news')).map(label), ['tip 1', 'seen', ...Array.from({ length: 20 }, (_, i) => `missed ${i}`)]);
  const profile = (await back.call('getGroupList')).groupList.find((g) => g.groupID === 'news');
  assert.deepEqual([profile.nextMessageSeq, profile.selfInfo.readedSequence, profile.memberCount], [23, 2, 2]);
});

test('a read report changes the count for good, also at the other device', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'read', { Owner_Account: 'ann' });
  await joinGroup(ben, 'read');
  for (let i = 0; i < 4; i += 1) await ann.say('read', `message ${i}`);
  await ben.waitForText('read', 'message 3');
  const tablet = await w.user('ben');
  await until(async () => (await conversation(tablet, 'read'))?.unreadCount === 4, '4 unread messages at the other device');

  await ben.call('setMessageRead', { conversationID: 'GROUPread' });
  await until(async () => (await conversation(ben, 'read')).unreadCount === 0, 'nothing unread where it was read');
  await until(async () => (await conversation(tablet, 'read')).unreadCount === 0, 'nothing unread at the other device');
  await Promise.all([ben.close(), tablet.close()]);
  await w.target.killAndRestart();
  const { MemberList } = await w.rest.group('get_group_member_info', { GroupId: 'read' });
  assert.deepEqual(MemberList.map((m) => [m.Member_Account, m.MsgSeq]), [['ann', 5], ['ben', 5]]);
  const back = await w.user('ben');
  await until(async () => (await conversation(back, 'read'))?.unreadCount === 0, 'nothing unread after a restart');
});

test('who speaks has read what was there; that outlives a kill', async (t) => {
  const w = await world(t);
  const [ann, ben] = [await w.raw('ann'), await w.raw('ben')];
  await publicGroup(w, 'talk', { Owner_Account: 'ann' });
  await ben.join('talk');
  for (let i = 0; i < 3; i += 1) await ann.say('talk', `to ben ${i}`);
  const { MsgSeq } = await ben.say('talk', 'an answer');
  await ann.say('talk', 'one more');
  const read = async () => {
    const { GroupIdList: [entry] } = await w.rest.group('get_joined_group_list', {
      Member_Account: 'ben', ResponseFilter: { GroupBaseInfoFilter: ['NextMsgSeq'], SelfInfoFilter: ['MsgSeq'] },
    });
    return [entry.SelfInfo.MsgSeq, entry.NextMsgSeq];
  };
  assert.deepEqual(await read(), [MsgSeq, MsgSeq + 2]);
  await w.target.killAndRestart();
  assert.deepEqual(await read(), [MsgSeq, MsgSeq + 2]);
});

test('after a broken line the SDK gets what it missed as messages', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'gap', { Owner_Account: 'ann' });
  await joinGroup(ben, 'gap');
  await ann.say('gap', 'before');
  await ben.waitForText('gap', 'before');
  await ben.settledSocket();
  await ben.setOffline(true);
  for (let i = 0; i < 10; i += 1) await ann.say('gap', `missed ${i}`);
  await ben.setOffline(false);
  await ben.waitForText('gap', 'missed 9', { timeout: 30_000 });
  await ann.say('gap', 'afterwards');
  await ben.waitForText('gap', 'afterwards');
  const heard = ben.chats('gap').map((m) => m.payload.text);
  assert.deepEqual(heard, ['before', ...Array.from({ length: 10 }, (_, i) => `missed ${i}`), 'afterwards']);
});
