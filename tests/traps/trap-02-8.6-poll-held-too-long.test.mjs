// Trap 02-8.6: the SDK gives up on any request after 15 s whatever HoldTime says: an empty poll is answered
// well before.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('an idle poll with HoldTime 90 is answered within 12 s, with the cursor, and the next one goes on', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const guest = await w.raw();
  const { LongPollingKey } = await guest.ok('group_open_http_noauth_svc.apply_join_group', { GroupId: room, WebPushFlag: 1 });
  const poll = (StartSeq, Key) => guest.ok('group_open_long_polling_http_noauth_svc.get_msg', { USP: 1, StartSeq, HoldTime: 90, Key, DownsizeFlag: 0 }, {}, { timeout: 15_000 });
  let { Key, NextSeq } = await poll(0, LongPollingKey);
  const begin = Date.now();
  const idle = await poll(NextSeq, Key);
  assert.ok(Date.now() - begin < 12_000, `held for ${Date.now() - begin} ms`);
  assert.deepEqual(idle.RspMsgList ?? [], []);
  assert.equal(typeof idle.NextSeq, 'number');
  assert.ok(idle.Key);
  ({ Key, NextSeq } = idle);
  const waiting = poll(NextSeq, Key);
  await w.rest.say(room, 'wakes the poll');
  const woken = await waiting;
  assert.ok(woken.RspMsgList.some((i) => i.Event === 3 && i.MsgBody[0].MsgContent.Text === 'wakes the poll'));
});

test('hold time can be set, for tests and for proxies with shorter limits', async (t) => {
  const w = await world(t, { gateway: { poll_hold: 0.5 } });
  const room = await w.room();
  const guest = await w.raw();
  const { LongPollingKey } = await guest.ok('group_open_http_noauth_svc.apply_join_group', { GroupId: room, WebPushFlag: 1 });
  const begin = Date.now();
  await guest.ok('group_open_long_polling_http_noauth_svc.get_msg', { USP: 1, StartSeq: 0, HoldTime: 90, Key: LongPollingKey, DownsizeFlag: 0 });
  assert.ok(Date.now() - begin < 5000);
});
