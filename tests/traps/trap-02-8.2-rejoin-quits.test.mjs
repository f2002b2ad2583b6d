// Trap 02-8.2: when the profile of a live room fails for a client that thinks it is in, joinGroup sends
// join, profile, quit, and the client believes it is inside while the server has put it out.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

const online = async (w, room) => (await w.rest.group('get_online_member_num', { GroupId: room })).OnlineMemberNum;

test('the profile of a live room is answered to non-members too', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const raw = await w.raw('stranger');
  const { GroupInfo } = await raw.ok('group_open_http_svc.get_group_self_member_info', { GroupIdList: [room] });
  assert.equal(GroupInfo[0].ErrorCode, 0);
});

test('join, profile and quit of a room that the client is in leave it inside', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  ann.sendFrame({ head: ann.head('group_open_http_svc.apply_join_group'), body: { GroupId: room, WebPushFlag: 1 } });
  ann.sendFrame({ head: ann.head('group_open_http_svc.get_group_self_member_info'), body: { GroupIdList: [room] } });
  await ann.ok('group_open_http_svc.quit_group', { GroupId: room });
  await w.rest.say(room, 'still inside');
  await ann.waitForText(room, 'still inside');
});

test('somebody who joins and leaves again at once is out', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  await ann.ok('group_open_http_svc.quit_group', { GroupId: room });
  await until(async () => (await online(w, room)) === 0, 'the member is out');
});

test('back after the grace period: the client is in the room again, or is told that it is not and joins cleanly', async (t) => {
  const w = await world(t, { presence: { grace_seconds: 1 } });
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  await ann.settledSocket();
  await ann.setOffline(true);
  await until(async () => (await online(w, room)) === 0, 'the membership is over', { timeout: 20_000, every: 200 });
  const from = ann.frames.mark;
  await ann.setOffline(false);
  await ann.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'im_open_status.wslogin', 'the re-login', { from, timeout: 30_000 });
  await w.rest.say(room, 'anybody there?');
  const isNotice = (m) => m.type === 'TIMGroupSystemNoticeElem' && [4, 5].includes(m.payload.operationType);
  const heard = await ann.waitForMessage(undefined, (m) => m.payload?.text === 'anybody there?' || isNotice(m), 'the room, or the notice that it is lost');
  if (isNotice(heard)) {
    const joins = ann.frames.mark;
    await ann.join(room);
    assert.equal(ann.requests('quit_group', { from: joins }).length, 0, 'a clean join quits nothing');
  }
  await w.rest.say(room, 'inside again');
  await ann.waitForText(room, 'inside again');
});

test('the SDK joins a room again that it is in, and stays in', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  const again = await ann.join(room);
  assert.equal(again.status, 'AlreadyInGroup');
  await w.rest.say(room, 'inside');
  await ann.waitForText(room, 'inside');
});
