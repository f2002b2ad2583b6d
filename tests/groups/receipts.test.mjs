// Read receipts, as the sender and the readers see them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { about, found, joinGroup, newest, publicGroup, readPage } from './support.mjs';

const RECEIPT = 'onMessageReadReceiptReceived';
const counts = (data) => data?.map((m) => [m.messageID, m.readCount, m.unreadCount]);

test('the sender hears who has read, and finds it again after a restart', async (t) => {
  const w = await world(t);
  const [ann, ben, cleo] = await w.users('ann', 'ben', 'cleo');
  await publicGroup(w, 'memo', { Owner_Account: 'ann' });
  for (const client of [ben, cleo]) await joinGroup(client, 'memo');
  const memo = await ann.say('memo', 'please read', { needReadReceipt: true });
  const plain = await ann.say('memo', 'never mind');
  for (const client of [ben, cleo]) {
    const got = await client.waitForText('memo', 'please read');
    assert.deepEqual([got.ID, got.needReadReceipt], [memo.ID, true]);
    await client.waitForText('memo', 'never mind');
  }

  await ben.inside(
    ({ chat }, id) => chat.sendMessageReadReceipt([chat.findMessage(id)]), memo.ID);
  await newest(ann, RECEIPT, (data) => JSON.stringify(counts(data)) === JSON.stringify([[memo.ID, 1, 1]]), 'one reader');
  const members = (filter) => about(ann, 'getGroupMessageReadMemberList', memo.ID, { filter, cursor: '', count: 10 });
  assert.deepEqual((await members(0)).readUserIDList, ['ben']);
  assert.deepEqual((await members(1)).unreadUserIDList, ['cleo']);

  await cleo.inside(({ chat }, id) => chat.sendMessageReadReceipt([chat.findMessage(id)]), memo.ID);
  await newest(ann, RECEIPT, (data) => JSON.stringify(counts(data)) === JSON.stringify([[memo.ID, 2, 0]]), 'two readers');

  await Promise.all([ann, ben, cleo].map((client) => client.close()));
  await w.target.killAndRestart();
  const back = await w.user('ann');
  await readPage(back, 'memo');
  assert.deepEqual([await found(back, memo.ID, 'needReadReceipt'), await found(back, plain.ID, 'needReadReceipt')], [true, false]);
  const { messageList: [again] } = await back.inside(async ({ chat }, id) => {
    const { data } = await chat.getMessageReadReceiptList([chat.findMessage(id)]);
    return { messageList: data.messageList.map((m) => m.readReceiptInfo) };
  }, memo.ID);
  assert.deepEqual([again.readCount, again.unreadCount], [2, 0]);
  const byUsers = await back.call('callExperimentalAPI', 'getGroupReceiptsByUsers', {
    groupID: 'memo', dataList: [{ sequence: memo.sequence, userIDList: ['ben', 'ann'] }],
  });
  assert.equal(byUsers.dataList.length, 1);
  assert.deepEqual(byUsers.dataList[0].readList.map((reader) => reader.userID), ['ben']);
});

test('a message that a whole group reads at once makes few pushes', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  await publicGroup(w, 'crowd', { Owner_Account: 'ann' });
  const readers = Array.from({ length: 120 }, (_, i) => `reader-${i}`);
  await w.rest.ok('im_open_login_svc/multiaccount_import', { AccountList: readers.slice(0, 100).map((UserID) => ({ UserID })) });
  await w.rest.ok('im_open_login_svc/multiaccount_import', { AccountList: readers.slice(100).map((UserID) => ({ UserID })) });
  await w.rest.group('add_group_member', { GroupId: 'crowd', Silence: 1, MemberList: readers.map((Member_Account) => ({ Member_Account })) });
  const memo = await ann.say('crowd', 'for all', { needReadReceipt: true });
  const began = Date.now();
  await Promise.all(readers.map((From_Account) => w.rest.group('group_msg_receipt', {
    GroupId: 'crowd', From_Account, MsgSeqList: [{ MsgSeq: memo.sequence }],
  })));
  await newest(ann, RECEIPT, (data) => data?.[0]?.readCount === 120 && data[0].unreadCount === 0, 'all readers');
  const pushes = ann.events.entries.filter((e) => e.name === RECEIPT).length;
  assert.ok(pushes <= (Date.now() - began) / 500 + 1, `${pushes} pushes`);
  const seen = [];
  for (let Cursor = ''; ;) {
    const page = await w.rest.group('get_group_msg_receipt_detail', { GroupId: 'crowd', MsgSeq: memo.sequence, Filter: 0, Cursor, Count: 50 });
    seen.push(...page.ReadList.map((reader) => reader.Read_Account));
    if (page.IsFinish === 1) break;
    Cursor = page.Cursor;
  }
  assert.deepEqual(seen.toSorted(), readers.toSorted());
});
