// Reading a group's messages from anywhere, in both directions, and sending again what failed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { history, joinGroup, publicGroup } from './support.mjs';

test('from a message in the middle, older and newer ones come page by page', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  await publicGroup(w, 'long', { Owner_Account: 'ann' });
  for (let n = 1; n <= 60; n += 1) {
    await w.rest.group('send_group_msg', { GroupId: 'long', From_Account: 'ann', Random: n, MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: `text ${n}` } }] });
  }
  const collect = async (direction) => {
    const found = [];
    for (let sequence = 30; ;) {
      const page = await ann.call('getMessageListHopping', { conversationID: 'GROUPlong', sequence, direction });
      const fresh = page.messageList.filter((m) => !found.includes(m.sequence)).map((m) => m.sequence);
      found.push(...fresh);
      if (page.isCompleted || fresh.length === 0) return found.toSorted((a, b) => a - b);
      sequence = page.nextMessageSeq ?? (direction === 1 ? Math.max(...found) + 1 : Math.min(...found) - 1);
    }
  };
  const between = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
  assert.deepEqual(await collect(0), between(1, 30));
  assert.deepEqual(await collect(1), between(30, 60));
});

test('a message that was refused is sent again when it may be, once', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'club', { Owner_Account: 'ann' });
  await joinGroup(ben, 'club');
  await w.rest.group('modify_group_member_info', { GroupId: 'club', Member_Account: 'ben', ShutUpTime: 3600 });
  await assert.rejects(ben.say('club', 'let me'), { code: 10017 });
  await w.rest.group('modify_group_member_info', { GroupId: 'club', Member_Account: 'ben', ShutUpTime: 0 });
  const failed = ben.sendings.at(-1).id;
  const { message } = await ben.onMessage('resendMessage', failed);
  assert.equal(message.payload.text, 'let me');
  assert.equal((await ann.waitForText('club', 'let me')).ID, message.ID);
  assert.equal((await history(w, 'club')).filter((m) => m.MsgBody[0]?.MsgContent.Text === 'let me').length, 1);
});
