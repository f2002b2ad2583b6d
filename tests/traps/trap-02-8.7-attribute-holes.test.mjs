// Trap 02-8.7: attribute pushes with holes make every client of the room fetch at once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('pushes are numbered without holes in the order of the writes, and nobody fetches', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  await ann.call('getGroupAttributes', { groupID: room, keyList: [] });
  const from = ann.frames.mark;
  const writes = 15;
  for (let i = 0; i < writes; i += 1) {
    const write = () => w.rest.post('group_open_http_svc/modify_group_attr', { GroupId: room, GroupAttr: [{ key: `k${i % 4}`, value: String(i) }] });
    // Five writes a second are allowed: a refused one is tried again.
    await until(async () => (await write()).ErrorCode === 0, 'the write', { every: 100 });
  }
  await ann.waitForEvent('groupAttributesUpdated', (d) => d.groupAttributes.k2 === '14', 'the last write');
  const seqs = ann.pushes({ from }).flatMap((f) => f.body.EventArray ?? [])
    .flatMap((e) => e.GroupTips ?? [])
    .map((tip) => tip.MsgBody?.MsgGroupNewInfo?.GroupAttrOption)
    .filter(Boolean)
    .map((o) => {
      assert.equal(o.PushChangedAttrValFlag, 1);
      return o.GroupAttrSeq;
    });
  assert.equal(seqs.length, writes);
  seqs.forEach((s, i) => assert.equal(s, seqs[0] + i, seqs.join(' ')));
  assert.equal(ann.requests('get_group_attr', { from }).length, 0, 'nobody fetches');
});
