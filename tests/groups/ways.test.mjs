// Ways to send into a group: to some, to who is online, with a word for somebody, quietly.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';
import { conversation, joinGroup, label, pageBack, publicGroup, textsSeen } from './support.mjs';

const ALL = '__kImSDK_MesssageAtALL__';

async function three(w, group) {
  const clients = await w.users('ann', 'ben', 'cat');
  await publicGroup(w, group, { Owner_Account: 'ann' });
  for (const client of clients.slice(1)) await joinGroup(client, group);
  return clients;
}

test('who is mentioned finds a mark at the conversation', async (t) => {
  const w = await world(t);
  const [ann, ben, cat] = await three(w, 'call');
  const sent = await ann.mention('call', '@ben look', ['ben']);
  const heard = await ben.waitForText('call', '@ben look');
  assert.deepEqual(heard.atUserList, ['ben']);
  const marks = async (client) => (await conversation(client, 'call'))?.groupAtInfoList ?? [];
  const [mark] = await until(async () => { const list = await marks(ben); return list.length > 0 && list; }, 'the mark at ben');
  assert.deepEqual([mark.from, mark.messageSequence, mark.atTypeArray], ['ann', sent.sequence, [1]]);
  await ann.mention('call', 'all of you', [ALL]);
  const [ofCat] = await until(async () => { const list = await marks(cat); return list.length > 0 && list; }, 'the mark at cat');
  assert.deepEqual(ofCat.atTypeArray, [2]);
  assert.deepEqual(await marks(ann), [], 'none at who mentions');
  await ann.mention('call', 'all, and ben', [ALL, 'ben']);
  await until(async () => (await marks(ben)).some((m) => m.atTypeArray.includes(3)), 'ben is meant twice');
});

test('who was mentioned while away finds the marks at the next login, until they are read', async (t) => {
  const w = await world(t);
  const [ann, ben, cat] = await three(w, 'later');
  await Promise.all([ben.close(), cat.close()]);
  const first = await ann.mention('later', '@ben look', ['ben']);
  const second = await ann.mention('later', 'all of you', [ALL]);
  await ann.close();
  await w.target.killAndRestart();
  const marks = async (client) => ((await conversation(client, 'later'))?.groupAtInfoList ?? []).map((m) => [m.from, m.messageSequence, m.atTypeArray]);
  const [of_ben, of_cat] = [[['ann', first.sequence, [1]], ['ann', second.sequence, [2]]], [['ann', second.sequence, [2]]]];
  const [benAgain, catAgain] = await w.users('ben', 'cat');
  await until(async () => (await marks(benAgain)).length === 2, 'the marks at ben');
  assert.deepEqual(await marks(benAgain), of_ben);
  await until(async () => (await marks(catAgain)).length === 1, 'the mark at cat');
  assert.deepEqual(await marks(catAgain), of_cat);
  await benAgain.call('setMessageRead', { conversationID: 'GROUPlater' });
  await until(async () => (await marks(benAgain)).length === 0, 'the marks are gone once they are read');
  const tablet = await w.user('ben');
  await until(() => conversation(tablet, 'later'), 'the conversation at the tablet');
  await until(() => tablet.answers('getmsg').length > 0, 'the sync of the tablet');
  assert.deepEqual(await marks(tablet), [], 'on all devices');
  const phone = await w.user('cat');
  await until(async () => (await marks(phone)).length === 1, 'cat has not read');
});

test('a directed message is seen by its recipients alone, then and later', async (t) => {
  const w = await world(t);
  const [ann, ben, cat] = await three(w, 'aside');
  await ann.say('aside', 'for ben', { receiverList: ['ben'] });
  await ben.waitForText('aside', 'for ben');
  await ann.say('aside', 'for all');
  await cat.waitForText('aside', 'for all');
  assert.deepEqual(cat.heard('aside').map((m) => m.text), ['for all']);
  const tablet = await w.user('ben');
  // The tip about cat and what was for all.
  assert.equal((await until(() => conversation(tablet, 'aside'), 'the conversation')).unreadCount, 2, 'it does not count');
  await Promise.all([ann, ben, cat, tablet].map((client) => client.close()));
  await w.target.killAndRestart();
  await w.rest.group('group_msg_get_simple', { GroupId: 'aside', ReqMsgNumber: 1 });
  const [annAgain, benAgain, catAgain] = await w.users('ann', 'ben', 'cat');
  for (const client of [annAgain, benAgain, catAgain]) await until(() => conversation(client, 'aside'), `the conversation at ${client.name}`);
  for (const client of [annAgain, benAgain]) assert.deepEqual(await textsSeen(client, 'aside'), ['for ben', 'for all'], client.name);
  assert.deepEqual(await textsSeen(catAgain, 'aside'), ['for all']);
});

test('an online message is shown and leaves no trace', async (t) => {
  const w = await world(t);
  const [ann, ben] = await three(w, 'typing');
  const before = await ann.say('typing', 'before');
  await ann.say('typing', 'typing …', { options: { onlineUserOnly: true } });
  await ben.waitForText('typing', 'typing …');
  const after = await ann.say('typing', 'after');
  assert.equal(after.sequence, before.sequence + 1, 'it took no number');
  await ben.waitForText('typing', 'after');
  assert.equal((await conversation(ben, 'typing')).lastMessage.messageForShow, 'after');
  const tablet = await w.user('ben');
  // The tip about cat and two messages.
  assert.equal((await until(() => conversation(tablet, 'typing'), 'the conversation')).unreadCount, 3);
  assert.equal((await pageBack(tablet, 'typing')).some((m) => label(m) === 'typing …'), false);
});

test('quiet messages neither count nor become the last one', async (t) => {
  const w = await world(t);
  const [ann, ben] = await three(w, 'quiet');
  await ann.say('quiet', 'loud');
  const messageControlInfo = { excludedFromUnreadCount: true, excludedFromLastMessage: true };
  await ann.say('quiet', 'hush', { options: { messageControlInfo } });
  await ben.waitForText('quiet', 'hush');
  assert.equal((await conversation(ben, 'quiet')).lastMessage.messageForShow, 'loud');
  await Promise.all([ann, ben].map((client) => client.close()));
  // In order: after a kill the next server would tell the loud one again.
  await w.target.terminate();
  await w.target.restart();
  const tablet = await w.user('ben');
  const found = await until(() => conversation(tablet, 'quiet'), 'the conversation');
  // The tip about cat and the loud one.
  assert.deepEqual([found.lastMessage.messageForShow, found.unreadCount], ['loud', 2]);
});
