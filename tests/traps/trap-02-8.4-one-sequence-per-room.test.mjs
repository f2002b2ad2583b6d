// Trap 02-8.4: the SDK drops an item whose MsgSeq it has seen: messages, tips and polled notices of a room
// share one counter.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

async function makeTraffic(w, room) {
  const ben = await w.raw('ben');
  await ben.join(room);
  for (let i = 0; i < 5; i += 1) {
    await ben.say(room, `m${i}`);
    await w.rest.group('modify_group_base_info', { GroupId: room, Name: `name ${i}` });
    await w.rest.group('send_group_system_notification', { GroupId: room, Content: `notice ${i}` });
  }
  await w.rest.group('forbid_send_msg', { GroupId: room, Members_Account: ['ben'], MuteTime: 5 });
  await w.rest.say(room, 'fence');
}

for (const mode of ['push', 'poll']) {
  test(`in ${mode} mode no two items of a room have the same MsgSeq, and all reach the app`, async (t) => {
    const w = await world(t, { app: { rooms: { mode } } });
    const room = await w.room();
    const ann = await w.user('ann');
    await ann.join(room);
    await makeTraffic(w, room);
    await ann.waitForText(room, 'fence');
    const shown = ann.received(undefined);
    for (let i = 0; i < 5; i += 1) {
      assert.ok(shown.some((m) => m.payload.text === `m${i}`), `message ${i}`);
      assert.ok(shown.some((m) => m.payload.newGroupProfile?.groupName === `name ${i}`), `tip ${i}`);
      assert.ok(shown.some((m) => m.payload.userDefinedField === `notice ${i}`), `notice ${i}`);
    }
    const items = mode === 'push'
      ? ann.pushes().flatMap((f) => f.body.EventArray ?? []).filter((e) => [3, 4].includes(e.Event)).flatMap((e) => [...(e.GroupMsgArray ?? []), ...(e.GroupTips ?? [])])
      : ann.answers('get_msg').flatMap((f) => f.body.RspMsgList ?? []).filter((i) => [3, 4, 5].includes(i.Event));
    const seqs = items.map((i) => i.MsgSeq);
    assert.ok(seqs.every((s) => s > 0), seqs.join(' '));
    assert.equal(new Set(seqs).size, seqs.length, seqs.join(' '));
    assert.deepEqual(seqs, seqs.toSorted((a, b) => a - b), 'rising');
  });
}

test('the counter goes on rising over a kill', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const before = await w.rest.say(room, 'before');
  await w.target.killAndRestart();
  const after = await w.rest.say(room, 'after');
  assert.ok(after.MsgSeq > before.MsgSeq, `${after.MsgSeq} after ${before.MsgSeq}`);
});
