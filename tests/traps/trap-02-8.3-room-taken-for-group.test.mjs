// Trap 02-8.3: HugeGroupFlag missing in the join answer (every message is dropped), live rooms in the list of
// joined groups (the join is never sent), GroupType missing in pushes (the room becomes an ordinary group).
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('the join answer says HugeGroupFlag 1, for users and guests', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [user, guest] = [await w.raw('ann'), await w.raw()];
  const joined = await user.join(room);
  assert.equal(joined.HugeGroupFlag, 1);
  assert.equal(joined.JoinedStatus, 'JoinedSuccess');
  assert.equal(joined.LongPollingKey, undefined, 'push mode has no polling key');
  const visiting = await guest.ok('group_open_http_noauth_svc.apply_join_group', { GroupId: room, WebPushFlag: 1 });
  assert.equal(visiting.HugeGroupFlag, 1);
  assert.ok(visiting.LongPollingKey);
});

test('a live room is not in the joined groups, not even for its owner, on either service', async (t) => {
  const w = await world(t);
  const owner = await w.raw('owner');
  const room = await w.room({ Owner_Account: 'owner' });
  await owner.join(room);
  for (const service of ['group_open_http_svc', 'million_group_open_http_svc']) {
    const { GroupIdList, TotalCount } = await owner.ok(`${service}.get_joined_group_list`, { Member_Account: 'owner', Limit: 200, Offset: 0, SupportTopic: 0 });
    assert.deepEqual([GroupIdList, TotalCount], [[], 0]);
  }
});

test('the room never shows in the SDK\'s group list or counts unread', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  await w.rest.say(room, 'hello');
  await ann.waitForText(room, 'hello');
  assert.equal(await ann.call('getTotalUnreadMessageCount'), 0);
});
