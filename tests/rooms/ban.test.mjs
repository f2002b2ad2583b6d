// A ban puts a member out for a time and keeps it out.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('the room sees tip 10, the banned one notice 21 and is out, cannot rejoin or speak, until unbanned', async (t) => {
  const w = await world(t);
  const [owner, ann, ben] = await w.users('owner', 'ann', 'ben');
  const room = await w.room({ Owner_Account: 'owner' });
  for (const client of [owner, ann, ben]) await client.join(room);

  await owner.call('deleteGroupMember', { groupID: room, userIDList: ['ann'], reason: 'rude', duration: 600 });
  const tip = await ben.waitForTip(room, 10);
  assert.deepEqual(tip.payload.userIDList, ['ann']);
  const notice = await ann.waitForNotice(21);
  assert.equal(notice.payload.groupProfile?.groupID ?? notice.payload.groupProfile?.to ?? room, room);

  await assert.rejects(ann.join(room));
  const answer = ann.answers('apply_join_group').at(-1);
  assert.equal(answer.body.ErrorCode, 10007, JSON.stringify(answer.body));

  await ben.say(room, 'without ann');
  await owner.waitForText(room, 'without ann');
  assert.equal(ann.chats(room).length, 0, 'nothing reaches the banned one');

  const { BannedAccountList } = await w.rest.group('get_group_ban_member', { GroupId: room, Limit: 10, Offset: 0 });
  assert.deepEqual(BannedAccountList.map((m) => m.Member_Account), ['ann']);
  assert.ok(BannedAccountList[0].BannedUntil > Date.now() / 1000 + 500);

  await w.rest.group('unban_group_member', { GroupId: room, Members_Account: ['ann'] });
  assert.equal((await ann.join(room)).status, 'JoinedSuccess');
  await ben.say(room, 'with ann');
  await ann.waitForText(room, 'with ann');
});

test('a banned member cannot send without being in the room either', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  await w.rest.group('ban_group_member', { GroupId: room, Members_Account: ['ann'], Duration: 600 });
  const answer = await ann.say(room, 'x');
  assert.notEqual(answer.ErrorCode, 0);
});

test('a ban ends by itself', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  await w.rest.group('ban_group_member', { GroupId: room, Members_Account: ['ann'], Duration: 2 });
  assert.equal((await ann.join(room)).ErrorCode, 10007);
  await until(async () => (await ann.join(room)).ErrorCode === 0, 'the end of the ban', { every: 200 });
});

test('an ordinary member may not ban', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = [await w.raw('ann'), await w.raw('ben')];
  await ann.join(room);
  await ben.join(room);
  await ann.fails(10007, 'group_open_http_svc.ban_group_member', { GroupId: room, Members_Account: ['ben'], Duration: 60 });
  await w.rest.say(room, 'fence');
  await ben.waitForText(room, 'fence');
});
