// Trap 01-7.3: a client that receives all the time sends no heartbeats. An idle limit that counts only the
// client's frames would cut off exactly the busiest viewers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('a silent client that gets pushes outlives the idle limit; one that gets nothing does not', async (t) => {
  const w = await world(t, { gateway: { idle_timeout: 2, hello_interval: 1 } });
  const room = await w.room();
  const [busy, idle] = [await w.raw('busy'), await w.raw('idle')];
  await busy.join(room);
  const ended = new Set();
  busy.closed.then(() => ended.add('busy'));
  idle.closed.then(() => ended.add('idle'));
  const begin = Date.now();
  let sent = 0;
  await until(async () => {
    await w.rest.say(room, `m${sent}`);
    sent += 1;
    return ended.has('idle') && Date.now() - begin > 5000;
  }, 'the idle one is closed, well after the limit', { timeout: 20_000, every: 400 });
  assert.ok(!ended.has('busy'), 'the busy receiver was cut off');
  await busy.waitForText(room, `m${sent - 1}`);
});
