// Pinned messages, as clients see them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { about, joinGroup, publicGroup } from './support.mjs';

const PINNED = 'onPinnedGroupMessageUpdated';

test('what the owner pins all see, also who logs in after a restart; unpinned it is gone', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'chess', { Owner_Account: 'ann' });
  await joinGroup(ben, 'chess');
  const [rules, hello] = [await ben.say('chess', 'the rules'), await ben.say('chess', 'hello')];
  await ann.waitForText('chess', 'hello');

  await about(ann, 'pinGroupMessage', rules.ID, { groupID: 'chess', isPinned: true });
  await w.rest.group('pin_message', { GroupId: 'chess', MsgSeq: hello.sequence, Pinner_Account: 'ben' });
  for (const client of [ann, ben]) {
    const { data } = await client.waitForEvent(PINNED, (data) => data.message.ID === rules.ID, 'the pin');
    assert.deepEqual([data.groupID, data.isPinned, data.message.payload.text], ['chess', true, 'the rules']);
    assert.deepEqual([data.operatorInfo.userID, data.message.from, data.message.sequence], ['ann', 'ben', rules.sequence]);
  }
  await assert.rejects(about(ben, 'pinGroupMessage', hello.ID, { groupID: 'chess', isPinned: true }), { code: 10007 });
  await assert.rejects(about(ann, 'pinGroupMessage', hello.ID, { groupID: 'chess', isPinned: true }), { code: 10071 });

  await Promise.all([ann.close(), ben.close()]);
  await w.target.killAndRestart();
  const back = await w.user('ben');
  const { messageList } = await back.call('getPinnedGroupMessageList', 'chess');
  assert.deepEqual(messageList.map((m) => [m.payload.text, m.pinnerInfo.userID]), [['the rules', 'ann'], ['hello', 'ben']]);
  assert.deepEqual(messageList.map((m) => m.ID), [rules.ID, hello.ID]);

  const { PinnedMsgList } = await w.rest.group('get_pinned_messages', { GroupId: 'chess' });
  assert.deepEqual(PinnedMsgList.map((pin) => pin.MsgSeq), [hello.sequence, rules.sequence], 'the newest pin first');
  await w.rest.group('unpin_message', { GroupId: 'chess', MsgSeq: rules.sequence });
  const { data } = await back.waitForEvent(PINNED, (data) => !data.isPinned, 'the pin taken off');
  assert.deepEqual([data.message.ID, data.message.sequence], [rules.ID, rules.sequence]);
  assert.equal((await back.call('getPinnedGroupMessageList', 'chess')).messageList.length, 1);
  // The next server tells the newest again: that ben came.
  assert.ok(back.tips('chess').every((tip) => tip.payload.operationType === 1), 'a pin is no message');
});
