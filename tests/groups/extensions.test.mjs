// Keys and values on messages, as clients see them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { found, joinGroup, publicGroup, readPage } from './support.mjs';

const UPDATED = 'onMessageExtensionsUpdated';
const DELETED = 'onMessageExtensionsDeleted';
const sorted = (list) => list.toSorted((a, b) => a.key.localeCompare(b.key));

test('members put keys on a message: others see them at once, late comers after a restart', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await publicGroup(w, 'vote', { Owner_Account: 'ann' });
  await joinGroup(ben, 'vote');
  const poll = await ann.say('vote', 'who is in?', { isSupportExtension: true });
  const plain = await ann.say('vote', 'no votes here');
  await ben.waitForText('vote', 'no votes here');

  const set = (client, list) => client.onMessage('setMessageExtensions', poll.ID, list);
  const first = await set(ben, [{ key: 'ben', value: 'yes' }, { key: 'seat', value: '1' }]);
  assert.deepEqual(first.extensions.map((e) => e.code), [0, 0]);
  const { data: seen } = await ann.waitForEvent(UPDATED, (data) => data.extensions.length === 2, 'two keys');
  assert.deepEqual([seen.messageID, sorted(seen.extensions)], [poll.ID, [{ key: 'ben', value: 'yes' }, { key: 'seat', value: '1' }]]);

  // Both know the seat as it is; the second one loses.
  const race = await Promise.all([set(ann, [{ key: 'seat', value: 'ann' }]), set(ben, [{ key: 'seat', value: 'ben' }])]);
  assert.deepEqual(race.map((answer) => answer.extensions[0].code).toSorted(), [0, 23001]);
  const taken = race.find((answer) => answer.extensions[0].code === 0).extensions[0].value;

  await ben.onMessage('deleteMessageExtensions', poll.ID, ['ben']);
  const { data: gone } = await ann.waitForEvent(DELETED, () => true, 'a key deleted');
  assert.deepEqual([gone.messageID, gone.keyList], [poll.ID, ['ben']]);
  await w.rest.fails(23002, 'openim_msg_ext_http_svc/group_set_key_values', {
    GroupId: 'vote', MsgSeq: plain.sequence, OperateType: 1, ExtensionList: [{ Key: 'k', Value: 'v' }],
  });

  await Promise.all([ann.close(), ben.close()]);
  await w.target.killAndRestart();
  const back = await w.user('ben');
  await readPage(back, 'vote');
  assert.deepEqual([await found(back, poll.ID, 'isSupportExtension'), await found(back, plain.ID, 'isSupportExtension')], [true, false]);
  const get = () => back.inside(async ({ chat }, id) => (await chat.getMessageExtensions(chat.findMessage(id))).data.extensions, poll.ID);
  assert.deepEqual(await get(), [{ key: 'seat', value: taken }]);
  await w.rest.ok('openim_msg_ext_http_svc/group_set_key_values', { GroupId: 'vote', MsgSeq: poll.sequence, OperateType: 3 });
  await back.waitForEvent(DELETED, (data) => data.keyList.includes('seat'), 'all cleared');
  assert.deepEqual(await get(), []);
});

test('three hundred keys come back in pages', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  await publicGroup(w, 'many', { Owner_Account: 'ann' });
  const message = await ann.say('many', 'open', { isSupportExtension: true });
  for (let part = 0; part < 15; part += 1) {
    const ExtensionList = Array.from({ length: 20 }, (_, i) => ({ Key: `key-${part * 20 + i}`, Value: 'v', Seq: 0 }));
    await w.rest.ok('openim_msg_ext_http_svc/group_set_key_values', { GroupId: 'many', MsgSeq: message.sequence, OperateType: 1, ExtensionList });
  }
  const { extensions } = await ann.onMessage('getMessageExtensions', message.ID);
  assert.deepEqual(new Set(extensions.map((e) => e.key)), new Set(Array.from({ length: 300 }, (_, i) => `key-${i}`)));
  assert.ok(ann.requests('group_get_key_values').length >= 2, 'more than one page');
});
