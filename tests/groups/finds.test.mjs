// What a user has not read in many groups at once, and groups and members by words.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';
import { publicGroup } from './support.mjs';

const GROUPS = ['one', 'two', 'three'];
const unread = async (client) => {
  const { conversationList } = await client.call('getConversationList');
  return GROUPS.map((id) => conversationList.find((c) => c.conversationID === `GROUP${id}`)?.unreadCount);
};
// What the SDK reads of its conversations after the login would undo what is read before.
const synced = (client) => until(async () => (await client.call('getConversationList')).isSyncCompleted, `the conversations of ${client.name}`);
const waitForUnread = (client, ...counts) => until(async () => (await unread(client)).join() === counts.join(), `${counts} unread at ${client.name}`);

for (const [what, options] of [['all messages', undefined], ['all messages of groups', { scope: 'readAllGroupMessage' }]]) {
  test(`${what} are read with one call, also for the other device and the next login`, async (t) => {
    const w = await world(t);
    await (await w.user('ben')).close();
    const [ann, cleo] = await w.users('ann', 'cleo');
    for (const [i, id] of GROUPS.entries()) {
      await publicGroup(w, id, { Owner_Account: 'ann', MemberList: [{ Member_Account: 'ben' }, { Member_Account: 'cleo' }] });
      for (let n = 0; n <= i; n += 1) await ann.say(id, `${id} ${n}`);
      // A push that is still on its way at ben's login would be counted by the SDK once more.
      await cleo.waitForText(id, `${id} ${i}`);
    }
    const ben = await w.user('ben');
    const tablet = await w.user('ben');
    await Promise.all([synced(ben), synced(tablet)]);
    await waitForUnread(ben, 1, 2, 3);
    await waitForUnread(tablet, 1, 2, 3);
    await ben.call('setAllMessageRead', ...(options ? [options] : []));
    await waitForUnread(ben, 0, 0, 0);
    await waitForUnread(tablet, 0, 0, 0);
    await Promise.all([ben.close(), tablet.close()]);
    const back = await w.user('ben');
    await synced(back);
    await waitForUnread(back, 0, 0, 0);
    await back.close();
    await w.target.killAndRestart();
    for (const [i, id] of GROUPS.entries()) {
      const { MemberList } = await w.rest.group('get_group_member_info', { GroupId: id });
      const read = Object.fromEntries(MemberList.map((m) => [m.Member_Account, m.MsgSeq]));
      assert.deepEqual([read.ann, read.ben], [i + 1, i + 1]);
    }
  });
}

test('groups are found by words in their names, page by page, and others by their whole ID', async (t) => {
  const w = await world(t);
  const [ann] = await w.users('ann', 'ben');
  for (const [id, Name] of [['g1', 'Chess Club'], ['g2', 'chess and go'], ['g3', 'Go']]) await publicGroup(w, id, { Name, Owner_Account: 'ben', MemberList: [{ Member_Account: 'ann' }] });
  await publicGroup(w, 'far', { Name: 'Chess far away', Owner_Account: 'ben', Introduction: 'we play', FaceUrl: 'https://127.0.0.1/c.png' });
  const find = (options) => ann.call('searchCloudGroups', options);
  const both = await find({ keywordList: ['CHESS', 'go'] });
  assert.deepEqual([both.totalCount, both.cursor, both.searchResultList.map((g) => g.groupID)], [3, '', ['g1', 'g2', 'g3']]);
  assert.deepEqual((await find({ keywordList: ['CHESS', 'go'], keywordListMatchType: 'and' })).searchResultList.map((g) => g.name), ['chess and go']);
  const { searchResultList: [far, ...others] } = await find({ keywordList: ['far'] });
  assert.deepEqual([far.groupID, far.name, far.type, far.ownerID, far.memberCount, far.introduction, far.avatar, others],
    ['far', 'Chess far away', 'Public', 'ben', 1, 'we play', 'https://127.0.0.1/c.png', []]);
  const found = [];
  let cursor;
  do {
    const page = await find({ keywordList: ['chess', 'go'], count: 1, cursor });
    assert.equal(page.totalCount, 3);
    found.push(...page.searchResultList.map((g) => g.groupID));
    ({ cursor } = page);
  } while (cursor);
  assert.deepEqual(found, ['g1', 'g2', 'g3']);
  await assert.rejects(find({ keywordList: ['chess'], cursor: 'not one of ours' }), { code: 27003 });
});

test('members are found by nickname, ID and name card, in groups of who searches', async (t) => {
  const w = await world(t);
  const [ann, ben, cleo] = await w.users('ann', 'ben', 'cleo');
  await publicGroup(w, 'club', { Owner_Account: 'ben', MemberList: [{ Member_Account: 'ann' }, { Member_Account: 'cleo' }] });
  await publicGroup(w, 'far', { Owner_Account: 'ben' });
  await ben.call('updateMyProfile', { nick: 'Grandmaster Ben', avatar: 'https://127.0.0.1/b.png' });
  await until(async () => (await cleo.call('getGroupList')).groupList.length === 1, 'the group in the list');
  await cleo.call('setGroupMemberNameCard', { groupID: 'club', nameCard: 'the grandmaster of go' });
  const find = async (options) => (await ann.call('searchCloudGroupMembers', options)).searchResultList;
  const [result, ...others] = await until(async () => {
    const list = await find({ keywordList: ['grandMASTER'] });
    return list[0]?.memberList.length === 2 && list;
  }, 'both members');
  assert.deepEqual([result.groupInfo.groupID, result.groupInfo.name, result.groupInfo.type, others], ['club', 'Chess club', 'Public', []]);
  assert.deepEqual(result.memberList.map((m) => [m.userID, m.nick, m.nameCard, m.avatar]), [
    ['ben', 'Grandmaster Ben', '', 'https://127.0.0.1/b.png'],
    ['cleo', '', 'the grandmaster of go', ''],
  ]);
  assert.deepEqual(await find({ keywordList: ['ben'], groupIDList: ['far'] }), []);
});
