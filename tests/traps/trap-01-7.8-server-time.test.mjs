// Trap 01-7.8: without TimeStamp in the login answer the SDK's clock is NaN and message ids get time 0, quietly.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('the SDK knows the server time and builds ids with it', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  const milliseconds = await ann.call('getServerTime');
  assert.ok(Math.abs(milliseconds - Date.now()) < 30_000, JSON.stringify(milliseconds));
  const { ID } = await ann.say(room, 'with a time');
  const [, clientTime] = ID.split('-');
  assert.ok(Math.abs(Number(clientTime) - Date.now() / 1000) < 30, ID);
});
