// Trap 02-8.8: when a client changes rooms, the new join comes before the old quit: one room per user must not
// refuse it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('with one room per session the join of the next room is granted while still in the old one', async (t) => {
  const w = await world(t, { app: { rooms: { rooms_per_session: 1 } } });
  const [first, second] = [await w.room(), await w.room()];
  const ann = await w.user('ann');
  await ann.join(first);
  const from = ann.frames.mark;
  assert.equal((await ann.join(second)).status, 'JoinedSuccess');
  const quit = await ann.waitForFrame((f) => f.dir === 'out' && f.head.servcmd === 'group_open_http_svc.quit_group', 'the quit of the old room', { from });
  assert.equal(quit.body.GroupId, first);
  const answer = await ann.waitForFrame((f) => f.dir === 'in' && f.head.seq === quit.head.seq, 'its answer', { from });
  assert.equal(answer.body.ErrorCode ?? 0, 0, JSON.stringify(answer.body));
  const sent = ann.frames.since(from).filter((f) => f.dir === 'out').map((f) => f.head.servcmd.split('.')[1]);
  assert.ok(sent.indexOf('apply_join_group') < sent.indexOf('quit_group'));
  await w.rest.say(second, 'inside the second');
  await ann.waitForText(second, 'inside the second');
});

test('an owner who moves on is not quit by the SDK; the server copes', async (t) => {
  const w = await world(t, { app: { rooms: { rooms_per_session: 1 } } });
  const ann = await w.user('ann');
  const own = await w.room({ Owner_Account: 'ann' });
  const other = await w.room();
  await ann.join(own);
  await ann.join(other);
  await w.rest.say(other, 'inside');
  await ann.waitForText(other, 'inside');
  assert.equal(ann.requests('quit_group').length, 0);
});
