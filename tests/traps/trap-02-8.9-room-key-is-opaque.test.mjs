// Trap 02-8.9: AVChatRoomKey is only an opaque string for the client; it need not be checked.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('attributes and counters work with the key, without it, and with any other', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  const { AVChatRoomKey } = await ann.join(room);
  let seq = 0;
  for (const BytesKey of [AVChatRoomKey, undefined, 'anything']) {
    const answer = await ann.ok('group_open_http_svc.modify_group_attr', { GroupId: room, GroupAttr: [{ key: 'k', value: `v${seq}`, seq }], AttrMainSeq: seq, AttrControl: ['RaceConflict'], BytesKey });
    seq = answer.AttrMainSeq;
    await ann.ok('group_open_http_svc.update_group_counter', { GroupId: room, GroupCounter: [{ Key: 'n', Value: 1 }], Mode: 'Increase', BytesKey });
    await ann.ok('group_open_attr_http_svc.get_group_attr', { GroupId: room, Key: BytesKey, GroupType: 1 });
  }
  const { GroupCounter } = await ann.ok('group_open_http_svc.get_group_counter', { GroupId: room, GroupCounterKeys: [] });
  assert.deepEqual(GroupCounter, [{ Key: 'n', Value: 3 }]);
});
