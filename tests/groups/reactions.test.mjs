// Reactions to messages, as clients see them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { about, joinGroup, newest, publicGroup, readPage } from './support.mjs';

const UPDATED = 'onMessageReactionsUpdated';
/** Name, count, users and "by me" of each reaction. */
const shape = (list) => list.map((r) => [r.reactionID, r.totalUserCount, r.partialUserList.map((u) => u.userID).toSorted(), r.reactedByMyself]);

test('reactions reach all members, each with its own view, and outlive a restart', async (t) => {
  const w = await world(t);
  const [ann, ben, cleo] = await w.users('ann', 'ben', 'cleo');
  await publicGroup(w, 'news', { Owner_Account: 'ann' });
  for (const client of [ben, cleo]) await joinGroup(client, 'news');
  const news = await ann.say('news', 'we won');
  for (const client of [ben, cleo]) await client.waitForText('news', 'we won');

  await ben.onMessage('addMessageReaction', news.ID, 'clap');
  await cleo.onMessage('addMessageReaction', news.ID, 'clap');
  for (const [client, mine] of [[ann, false], [ben, true], [cleo, true]]) {
    const expected = JSON.stringify([['clap', 2, ['ben', 'cleo'], mine]]);
    await newest(client, UPDATED, (data) => data?.messageID === news.ID && JSON.stringify(shape(data.reactionList)) === expected, 'two claps');
  }
  await assert.rejects(ben.onMessage('addMessageReaction', news.ID, 'clap'), { code: 23007 });
  await assert.rejects(ann.onMessage('removeMessageReaction', news.ID, 'clap'), { code: 23009 });
  await ann.onMessage('addMessageReaction', news.ID, 'smile');

  await Promise.all([ann, ben, cleo].map((client) => client.close()));
  await w.target.killAndRestart();
  const back = await w.user('ben');
  await readPage(back, 'news');
  const { resultList } = await about(back, 'getMessageReactions', [news.ID], { maxUserCountPerReaction: 10 });
  assert.deepEqual(shape(resultList[0].reactionList), [['clap', 2, ['ben', 'cleo'], true], ['smile', 1, ['ann'], false]]);
  const page = (nextSeq) => about(back, 'getAllUserListOfMessageReaction', news.ID, { reactionID: 'clap', nextSeq, count: 1 });
  const first = await page(0);
  assert.deepEqual([first.userList.map((u) => u.userID), first.isCompleted], [['ben'], false]);
  const second = await page(first.nextSeq);
  assert.deepEqual([second.userList.map((u) => u.userID), second.isCompleted], [['cleo'], true]);

  await back.inside(async ({ chat }, id) => { await chat.removeMessageReaction(chat.findMessage(id), 'clap'); }, news.ID);
  await newest(back, UPDATED, (data) => data && JSON.stringify(shape(data.reactionList)) === JSON.stringify([['clap', 1, ['cleo'], false]]), 'one clap');
});

test('a reaction that nobody gives any more is gone; other devices of its giver hear of it', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'two', { Owner_Account: 'ann' });
  await joinGroup(ben, 'two');
  const tablet = await w.user('ben');
  const { ID } = await ann.say('two', 'hello');
  for (const client of [ben, tablet]) await client.waitForText('two', 'hello');
  await ben.onMessage('addMessageReaction', ID, 'smile');
  const given = JSON.stringify([['smile', 1, ['ben'], true]]);
  await newest(tablet, UPDATED, (data) => data && JSON.stringify(shape(data.reactionList)) === given, 'my reaction');
  // The SDK reads the giver's profile before it tells of a reaction, and tells of none at once.
  await newest(ann, UPDATED, (data) => data?.reactionList[0].totalUserCount === 1, 'a reaction at ann');
  await tablet.onMessage('removeMessageReaction', ID, 'smile');
  for (const client of [ann, ben]) {
    await newest(client, UPDATED, (data) => data && JSON.stringify(shape(data.reactionList)) === JSON.stringify([['smile', 0, [], false]]), 'no reaction');
  }
});
