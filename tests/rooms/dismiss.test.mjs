// The end of a room.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('members and guests get notice 5, and the room is gone for everyone', async (t) => {
  const w = await world(t);
  const [owner, ann] = await w.users('owner', 'ann');
  const guest = await w.guest();
  const room = await w.room({ Owner_Account: 'owner' });
  for (const client of [owner, ann, guest]) await client.join(room);

  await owner.call('dismissGroup', room);
  for (const client of [ann, guest]) await client.waitForNotice(5);

  await assert.rejects(ann.call('joinGroup', { groupID: room, type: 'AVChatRoom' }));
  assert.equal(ann.answers('apply_join_group').at(-1).body.ErrorCode, 10010);
  const raw = await w.raw('ben');
  assert.equal((await raw.say(room, 'x')).ErrorCode, 10010);
  await w.rest.fails(10010, 'group_open_http_svc/send_group_msg', { GroupId: room, Random: 1, MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'x' } }] });
  const { GroupInfo } = await w.rest.post('group_open_http_svc/get_group_info', { GroupIdList: [room] });
  assert.equal(GroupInfo[0].ErrorCode, 10010);
});

test('REST dismisses too, an ordinary member may not, and a dismissed room stays gone over a restart', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  await ann.fails(10007, 'group_open_http_svc.destroy_group', { GroupId: room });
  await w.rest.group('destroy_group', { GroupId: room });
  await w.target.killAndRestart();
  await w.rest.fails(10010, 'group_open_http_svc/destroy_group', { GroupId: room });
});

test('after a dismissal the client can join another room and its id can be used again', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  await w.rest.group('destroy_group', { GroupId: room });
  await ann.waitForNotice(5);
  await w.rest.createRoom(room);
  assert.equal((await ann.join(room)).status, 'JoinedSuccess');
  await w.rest.say(room, 'second life');
  await ann.waitForText(room, 'second life');
});
