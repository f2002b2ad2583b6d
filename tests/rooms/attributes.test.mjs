// Group attributes: the five commands, the sequence rules and the change push.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

async function twoInARoom(t) {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  const room = await w.room({ Owner_Account: 'ann' });
  await ann.join(room);
  await ben.join(room);
  return { w, room, ann, ben };
}

const attributesOf = async (client, room) => (await client.call('getGroupAttributes', { groupID: room, keyList: [] })).groupAttributes;

test('set all, merge, delete keys, clear: the writer, the other member and REST agree', async (t) => {
  const { w, room, ann, ben } = await twoInARoom(t);
  // The change push is applied in place only by a client that has read once.
  assert.deepEqual(await attributesOf(ben, room), {});

  const change = async (act, expected) => {
    const from = ben.events.mark;
    await act();
    const event = await ben.waitForEvent('groupAttributesUpdated', (d) => d.groupID === room, 'the change at the other member', { from });
    assert.deepEqual(event.data.groupAttributes, expected);
    assert.deepEqual(await attributesOf(ben, room), expected);
    const { GroupAttrAry } = await w.rest.ok('group_open_attr_http_svc/get_group_attr', { GroupId: room });
    assert.deepEqual(Object.fromEntries(GroupAttrAry.map((a) => [a.key, a.value])), expected);
  };
  await change(() => ann.call('initGroupAttributes', { groupID: room, groupAttributes: { mic1: 'ann', mic2: 'ben' } }), { mic1: 'ann', mic2: 'ben' });
  await change(() => ann.call('setGroupAttributes', { groupID: room, groupAttributes: { mic2: '', mic3: 'cat' } }), { mic1: 'ann', mic2: '', mic3: 'cat' });
  await change(() => ann.call('deleteGroupAttributes', { groupID: room, keyList: ['mic1'] }), { mic2: '', mic3: 'cat' });
  await change(() => ann.call('deleteGroupAttributes', { groupID: room, keyList: [] }), {});
});

test('a write over REST reaches members', async (t) => {
  const { w, room, ben } = await twoInARoom(t);
  await attributesOf(ben, room);
  await w.rest.group('modify_group_attr', { GroupId: room, GroupAttr: [{ key: 'from', value: 'backend' }] });
  await ben.waitForEvent('groupAttributesUpdated', (d) => d.groupAttributes.from === 'backend', 'the change');
});

test('a stale main sequence is refused with 10056, and the writer recovers', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [one, two] = [await w.raw('one'), await w.raw('two')];
  await one.join(room);
  await two.join(room);
  const write = (client, seq, value) => client.request('group_open_http_svc.modify_group_attr', { GroupId: room, GroupAttr: [{ key: 'k', value, seq: 0 }], AttrMainSeq: seq, AttrControl: ['RaceConflict'] });
  const first = await write(one, 0, 'first');
  assert.equal(first.ErrorCode, 0, JSON.stringify(first));
  assert.equal(typeof first.AttrMainSeq, 'number');
  assert.ok(first.GroupAttr.every((a) => a.key === 'k' && typeof a.seq === 'number'));
  const stale = await write(two, 0, 'second');
  assert.equal(stale.ErrorCode, 10056, JSON.stringify(stale));
  const read = await two.ok('group_open_attr_http_svc.get_group_attr', { GroupId: room, GroupType: 0 });
  assert.equal(read.AttrMainSeq, first.AttrMainSeq);
  assert.deepEqual(read.GroupAttr.map((a) => [a.key, a.value]), [['k', 'first']]);
  const again = await write(two, read.AttrMainSeq, 'second');
  assert.equal(again.ErrorCode, 0);
  assert.equal(again.AttrMainSeq, read.AttrMainSeq + 1);
});

test('the limits have their own codes', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const set = (GroupAttr) => w.rest.post('group_open_http_svc/set_group_attr', { GroupId: room, GroupAttr });
  const code = async (attrs) => (await set(attrs)).ErrorCode;
  assert.equal(await code([{ key: 'k'.repeat(33), value: 'v' }]), 10045);
  assert.equal(await code([{ key: 'k', value: 'v'.repeat(4001) }]), 10046);
  assert.equal(await code(Array.from({ length: 17 }, (_, i) => ({ key: `k${i}`, value: 'v' }))), 10047);
  assert.equal(await code(Array.from({ length: 5 }, (_, i) => ({ key: `k${i}`, value: 'v'.repeat(3900) }))), 10048);
  assert.equal(await code(Array.from({ length: 16 }, (_, i) => ({ key: `k${i}`.padEnd(32, '_'), value: 'v'.repeat(1000) }))), 0);
  const missing = await w.rest.post('group_open_http_svc/delete_group_attr', { GroupId: room, GroupAttr: [{ key: 'nope' }] });
  assert.equal(missing.ErrorCode, 10050);
});

test('more than five writes a second to one group are refused with 10049', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => w.rest.post('group_open_http_svc/modify_group_attr', { GroupId: room, GroupAttr: [{ key: 'k', value: String(i) }] })));
  const codes = answers.map((a) => a.ErrorCode);
  assert.ok(codes.includes(10049), codes.join(' '));
  assert.ok(codes.filter((c) => c === 0).length >= 5, codes.join(' '));
  await until(async () => (await w.rest.post('group_open_http_svc/modify_group_attr', { GroupId: room, GroupAttr: [{ key: 'k', value: 'later' }] })).ErrorCode === 0, 'writes pass again');
});
