// More than a room may carry: High goes through whole, Low is dropped, every drop is counted, and its
// sender is told success all the same.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

const BUDGET = 40;
const SECONDS = 4;
// Offered per second over all senders: far over the budget, High alone far below it.
const HIGH = 16;
const LOW = 120;

/** Offers `perSecond` messages a second for the test's duration, evenly, and returns all answers. */
async function offer(client, room, priority, perSecond) {
  const total = perSecond * SECONDS;
  const begin = Date.now();
  const answers = [];
  for (let i = 0; i < total; i += 1) {
    const due = begin + (i * 1000) / perSecond;
    await until(() => Date.now() >= due, 'the time of the next message', { every: 1 });
    answers.push(client.say(room, `${priority} ${client.user} ${i}`, { MsgPriority: priority }));
  }
  return Promise.all(answers);
}

test('over the limit High is delivered whole, Low is dropped, drops are counted, senders hear success', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: BUDGET } } });
  const room = await w.room();
  const viewer = await w.user('viewer');
  await viewer.join(room);
  const [s1, s2, s3] = [await w.raw('s1'), await w.raw('s2'), await w.raw('s3')];
  for (const sender of [s1, s2, s3]) await sender.join(room);

  const answers = (await Promise.all([
    offer(s1, room, 'High', HIGH),
    offer(s2, room, 'Low', LOW / 2),
    offer(s3, room, 'Low', LOW / 2),
  ]));

  for (const answer of answers.flat()) assert.equal(answer.ErrorCode, 0, JSON.stringify(answer));
  const dropped = answers.flat().filter((a) => a.MsgDropReason);
  const passed = answers.flat().length - dropped.length;
  assert.ok(dropped.length > 0, 'the load must exceed the limit, else this test says nothing');

  // A last High message: when it is there, everything before it is.
  await until(async () => !(await s1.say(room, 'High fence', { MsgPriority: 'High' })).MsgDropReason, 'a fence message that passes');
  await viewer.waitForText(room, 'High fence');
  const got = viewer.chats(room).filter((m) => !m.payload.text.startsWith('High fence'));

  const high = got.filter((m) => m.payload.text.startsWith('High'));
  assert.equal(high.length, HIGH * SECONDS, 'every High message arrives');
  assert.equal(got.length, passed, 'delivered is exactly what was not reported as dropped');

  // By the server's clock: how late a client's machine hears of it says nothing.
  const bySecond = Map.groupBy ? Map.groupBy(got, (m) => m.time) : got.reduce((map, m) => map.set(m.time, [...(map.get(m.time) ?? []), m]), new Map());
  for (const [second, list] of bySecond) assert.ok(list.length <= BUDGET, `${list.length} messages stamped ${second}`);

  const counted = await w.target.metric('throng_group_router_room_messages_dropped_total');
  const countedHigh = await w.target.metric('throng_group_router_room_messages_dropped_total', { priority: 'high' });
  const countedLow = await w.target.metric('throng_group_router_room_messages_dropped_total', { priority: 'low' });
  assert.equal(counted, dropped.length, 'each drop is counted once');
  assert.equal(countedHigh, 0);
  assert.equal(countedLow, counted);
  for (const { labels } of (await w.target.metrics()).filter((m) => m.name === 'throng_group_router_room_messages_dropped_total')) {
    assert.deepEqual(Object.keys(labels).sort(), ['class', 'priority', 'reason']);
  }
});

test('dropped messages are not stored: who joins later does not see them', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 5 } } });
  const room = await w.room();
  const sender = await w.raw('sender');
  await sender.join(room);
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => sender.say(room, `m${i}`)));
  const kept = answers.flatMap((a, i) => (a.MsgDropReason ? [] : [`m${i}`]));
  assert.ok(kept.length < 60);
  const late = await w.user('late');
  await late.join(room);
  await sender.say(room, 'fence');
  await late.waitForText(room, 'fence');
  const history = late.chats(room).map((m) => m.payload.text).filter((x) => x !== 'fence');
  assert.ok(history.length > 0);
  for (const text of history) assert.ok(kept.includes(text), `${text} was dropped and is in the history all the same`);
});

test('rooms do not share a budget', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 10 } } });
  const [noisy, calm] = [await w.room(), await w.room()];
  const viewer = await w.raw('viewer');
  const sender = await w.raw('sender');
  await viewer.join(calm);
  await sender.join(noisy);
  await sender.join(calm);
  await Promise.all(Array.from({ length: 80 }, (_, i) => sender.say(noisy, `noise ${i}`).catch(() => {})));
  const quiet = await sender.say(calm, 'heard');
  assert.equal(quiet.ErrorCode, 0, JSON.stringify(quiet));
  assert.ok(!quiet.MsgDropReason);
  await viewer.waitForText(calm, 'heard');
});
