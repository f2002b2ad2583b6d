// Long polling: for guests always, for users when the app says so.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Oracle } from '../harness/oracle.mjs';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('in poll mode users chat by long polling with the same result', async (t) => {
  const w = await world(t, { app: { rooms: { mode: 'poll', messages_per_second: 1000 } } });
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await ann.join(room);
  await ben.join(room);
  assert.ok(ben.answers('apply_join_group')[0].body.LongPollingKey, 'the join answer asks for polling');
  const oracle = new Oracle(room);
  for (let i = 0; i < 20; i += 1) await oracle.send(i % 2 ? ann : ben, `m${i}`);
  await oracle.settled([ann, ben]);
  for (const client of [ann, ben]) {
    oracle.check(client);
    assert.ok(client.requests('get_msg').length > 0);
  }
  assert.equal(ben.pushes().flatMap((f) => f.body.EventArray ?? []).filter((e) => e.GroupMsgArray).length, 0, 'nothing is pushed twice');
});

test('a polling user is removed by a pushed ban', async (t) => {
  const w = await world(t, { app: { rooms: { mode: 'poll' } } });
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  await w.rest.group('ban_group_member', { GroupId: room, Members_Account: ['ann'], Duration: 600 });
  await ann.waitForNotice(21);
  const pushed = ann.pushes().flatMap((f) => f.body.EventArray ?? []).flatMap((e) => e.GroupTips ?? []);
  assert.ok(pushed.some((item) => item.MsgBody?.ReportType === 21), 'notice 21 must come as a push: polled, it does not remove the room');
});

test('a guest watches without an account, but can do nothing else', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  const guest = await w.guest();
  assert.equal((await guest.join(room)).status, 'JoinedSuccess');
  await ann.say(room, 'hello guests');
  const message = await guest.waitForText(room, 'hello guests');
  assert.equal(message.from, 'ann');
  const { memberCount } = await guest.call('getGroupOnlineMemberCount', room);
  assert.ok(memberCount >= 1);

  const raw = await w.raw();
  for (const [servcmd, body] of [
    ['group_open_http_svc.send_group_msg', raw.sendBody(room, 'x', { From_Account: 'ann' })],
    ['group_open_http_svc.apply_join_group', { GroupId: room }],
    ['group_open_http_svc.get_group_self_member_info', { GroupIdList: [room] }],
    ['profile.portrait_get_all', { From_Account: 'ann', UserItem: [{ To_Account: 'ann' }] }],
    ['group_open_http_svc.destroy_group', { GroupId: room }],
  ]) {
    const answer = await raw.request(servcmd, body);
    assert.notEqual(answer.ErrorCode ?? 0, 0, `${servcmd} by a stranger: ${JSON.stringify(answer)}`);
    assert.notEqual(answer.ErrorCode, 60002);
  }
});

test('several guests each have their own cursor and all see the same', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 1000 } } });
  const room = await w.room();
  const guests = await Promise.all([w.guest(), w.guest(), w.guest()]);
  const oracle = new Oracle(room);
  const ann = await w.user('ann');
  await ann.join(room);
  for (const guest of guests) await guest.join(room);
  for (let i = 0; i < 40; i += 1) await oracle.send(ann, `m${i}`);
  await oracle.settled(guests);
  oracle.checkSameOrder(guests);
});

test('a guest who falls silent is gone after a while', async (t) => {
  const w = await world(t, { gateway: { guest_idle: 2 } });
  const room = await w.room();
  const guest = await w.raw();
  const joined = await guest.ok('group_open_http_noauth_svc.apply_join_group', { GroupId: room, WebPushFlag: 1 });
  assert.ok(joined.LongPollingKey);
  await until(async () => (await w.rest.group('get_online_member_num', { GroupId: room })).OnlineMemberNum >= 1, 'the guest counts');
  guest.close();
  await until(async () => (await w.rest.group('get_online_member_num', { GroupId: room })).OnlineMemberNum === 0, 'the guest is gone', { timeout: 20_000, every: 200 });
});

test('a made-up polling key is refused', async (t) => {
  const w = await world(t);
  await w.room();
  const raw = await w.raw();
  for (const Key of ['', 'room-1', 'x'.repeat(4000)]) {
    const answer = await raw.request('group_open_long_polling_http_noauth_svc.get_msg', { USP: 1, StartSeq: 0, HoldTime: 90, Key, DownsizeFlag: 0 });
    assert.notEqual(answer.ErrorCode ?? 0, 0, JSON.stringify(answer));
  }
});
