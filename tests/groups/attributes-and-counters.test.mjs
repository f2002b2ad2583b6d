// Attributes and counters of groups that are no live rooms: the writer, the others and late comers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

const GROUPS = [['work', 'Private'], ['club', 'Public'], ['meet', 'ChatRoom'], ['@TGS#_town', 'Community']];

async function twoInAGroup(t, id, Type) {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await w.rest.createRoom(id, { Type, Name: 'g', Owner_Account: 'ann', MemberList: [{ Member_Account: 'ben' }] });
  return { w, ann, ben };
}

for (const [id, Type] of GROUPS) {
  test(`attributes of a ${Type} group`, async (t) => {
    const { w, ann, ben } = await twoInAGroup(t, id, Type);
    const attributes = async (client) => (await client.call('getGroupAttributes', { groupID: id, keyList: [] })).groupAttributes;
    assert.deepEqual(await attributes(ben), {});
    const change = async (method, options, expected) => {
      const from = ben.events.mark;
      await ann.call(method, { groupID: id, ...options });
      const { data } = await ben.waitForEvent('groupAttributesUpdated', (d) => d.groupID === id, method, { from });
      assert.deepEqual(data.groupAttributes, expected);
    };
    await change('initGroupAttributes', { groupAttributes: { a: '1', b: '2' } }, { a: '1', b: '2' });
    await change('setGroupAttributes', { groupAttributes: { b: '3' } }, { a: '1', b: '3' });
    await change('deleteGroupAttributes', { keyList: ['a'] }, { b: '3' });
    await Promise.all([ann.close(), ben.close()]);
    await w.target.killAndRestart();
    assert.deepEqual(await attributes(await w.user('ben')), { b: '3' });
  });

  test(`counters of a ${Type} group`, async (t) => {
    const { ann, ben } = await twoInAGroup(t, id, Type);
    if (Type === 'Community') {
      await assert.rejects(ann.call('setGroupCounters', { groupID: id, counters: { n: 1 } }), { code: 10007 });
      return;
    }
    const told = (client, value) => client.waitForEvent('onGroupCounterUpdated', (d) => d.groupID === id && d.key === 'n' && d.value === value, `n is ${value}`);
    await ann.call('setGroupCounters', { groupID: id, counters: { n: 10 } });
    await told(ben, 10);
    await ben.call('increaseGroupCounter', { groupID: id, key: 'n', value: 5 });
    await told(ann, 15);
    await ann.call('decreaseGroupCounter', { groupID: id, key: 'n', value: 1 });
    await told(ben, 14);
    assert.deepEqual((await ben.call('getGroupCounters', { groupID: id })).counters, { n: 14 });
  });
}
