// Group counters: numbers that many clients raise at once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('set, increase and decrease through the SDK; the others get the event', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  const room = await w.room();
  await ann.join(room);
  await ben.join(room);
  await ann.call('setGroupCounters', { groupID: room, counters: { likes: 10 } });
  await ben.waitForEvent('onGroupCounterUpdated', (d) => d.groupID === room && d.key === 'likes' && d.value === 10, 'likes 10');
  await ben.call('increaseGroupCounter', { groupID: room, key: 'likes', value: 5 });
  await ann.waitForEvent('onGroupCounterUpdated', (d) => d.key === 'likes' && d.value === 15, 'likes 15');
  await ann.call('decreaseGroupCounter', { groupID: room, key: 'likes', value: 3 });
  await ben.waitForEvent('onGroupCounterUpdated', (d) => d.key === 'likes' && d.value === 12, 'likes 12');
  const { GroupCounter } = await w.rest.group('get_group_counter', { GroupId: room });
  assert.deepEqual(GroupCounter, [{ Key: 'likes', Value: 12 }]);
});

test('concurrent increases all count', async (t) => {
  const w = await world(t);
  const room = await w.room();
  await Promise.all(Array.from({ length: 50 }, () => w.rest.group('update_group_counter', { GroupId: room, GroupCounter: [{ Key: 'n', Value: 2 }], Mode: 'Increase' })));
  const { GroupCounter } = await w.rest.group('get_group_counter', { GroupId: room, GroupCounterKeys: ['n'] });
  assert.deepEqual(GroupCounter, [{ Key: 'n', Value: 100 }]);
});

test('a counter holds 64 bits with sign, over a kill', async (t) => {
  const w = await world(t);
  const room = await w.room();
  await w.rest.group('update_group_counter', { GroupId: room, GroupCounter: [{ Key: 'down', Value: -7 }], Mode: 'Set' });
  await w.rest.group('update_group_counter', `{"GroupId":"${room}","GroupCounter":[{"Key":"big","Value":9007199254740993}],"Mode":"Set"}`);
  await w.target.killAndRestart();
  const response = await fetch(w.rest.url('group_open_http_svc/get_group_counter'), { method: 'POST', body: JSON.stringify({ GroupId: room }) });
  const text = await response.text();
  assert.match(text, /9007199254740993/);
  assert.match(text, /-7/);
});

test('more than twenty keys are refused with 10063; deleting makes room', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const set = (n) => w.rest.post('group_open_http_svc/update_group_counter', { GroupId: room, GroupCounter: Array.from({ length: n }, (_, i) => ({ Key: `k${i}`, Value: i })), Mode: 'Set' });
  assert.equal((await set(21)).ErrorCode, 10063);
  assert.equal((await set(20)).ErrorCode, 0);
  assert.equal((await w.rest.post('group_open_http_svc/update_group_counter', { GroupId: room, GroupCounter: [{ Key: 'more', Value: 1 }] })).ErrorCode, 10063);
  await w.rest.group('delete_group_counter', { GroupId: room, GroupCounterKeys: ['k0'] });
  await w.rest.group('update_group_counter', { GroupId: room, GroupCounter: [{ Key: 'more', Value: 1 }] });
});
