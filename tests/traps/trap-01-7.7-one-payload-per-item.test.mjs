// Trap 01-7.7: C2C payloads are understood on msg_push only, and of an item with two payloads only the first
// is handled. The lint on every frame holds both rules; here is a run that produces every kind of push.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('messages, tips, notices, attributes, counters, profile, recall and kick: one payload an item', async (t) => {
  const w = await world(t, { app: { devices: { web_instances: 1 } } });
  const room = await w.room({ Owner_Account: undefined });
  const ann = await w.raw('ann');
  await ann.join(room);
  const ben = await w.raw('ben');
  await ben.join(room);
  const { MsgSeq } = await ben.say(room, 'hello');
  await w.rest.group('group_msg_recall', { GroupId: room, MsgSeqList: [{ MsgSeq }] });
  await w.rest.group('modify_group_attr', { GroupId: room, GroupAttr: [{ key: 'k', value: 'v' }] });
  await w.rest.group('update_group_counter', { GroupId: room, GroupCounter: [{ Key: 'n', Value: 1 }] });
  await w.rest.group('modify_group_base_info', { GroupId: room, Name: 'other' });
  await w.rest.group('forbid_send_msg', { GroupId: room, Members_Account: ['ben'], MuteTime: 60 });
  await w.rest.group('send_group_system_notification', { GroupId: room, Content: 'notice' });
  await w.rest.ok('profile/portrait_set', { From_Account: 'ann', ProfileItem: [{ Tag: 'Tag_Profile_IM_Nick', Value: 'A' }] });
  await w.rest.say(room, 'fence');
  await ann.waitForText(room, 'fence');
  await ann.waitForPush((f) => f.body.EventArray?.some((e) => e.ProfileDataMod), 'the profile push');
  const events = new Set(ann.frames.entries.filter((f) => !f.head.seq).flatMap((f) => f.body.EventArray ?? []).map((e) => e.Event));
  for (const event of [3, 4, 5, 6]) assert.ok(events.has(event), `event ${event} among ${[...events]}`);

  await w.raw('ann');
  const kick = await ann.waitForPush((f) => JSON.stringify(f.body).includes('KickoutMsgNotify'), 'the kick');
  assert.ok(['im_open_push.msg_push', 'im_open_status.stat_forceoffline'].includes(kick.head.servcmd));
  assert.deepEqual(ann.problems(), []);
});
