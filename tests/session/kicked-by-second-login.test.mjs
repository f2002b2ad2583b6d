// An app that allows one web instance: the newer login wins, the older is told why.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('the second login kicks the first with KickType 1, and the kicked one does not drag the newer along', async (t) => {
  const w = await world(t, { app: { devices: { web_instances: 1 } } });
  const room = await w.room();
  const ben = await w.user('ben');
  await ben.join(room);

  const older = await w.user('ann');
  await older.join(room);
  const newer = await w.user('ann');

  const kicked = await older.waitForEvent('kickedOut', () => true, 'the older instance is kicked');
  assert.equal(kicked.data.type, 'multipleAccount');
  await older.waitForEvent('sdkStateNotReady', () => true, 'the older instance is not ready any more');
  // The SDK answers a kick with a logout of its own: it must not end the newer session.
  await older.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'im_open_status.wslogout', 'the answer to the logout that follows a kick');

  await newer.join(room);
  await ben.say(room, 'still there?');
  await newer.waitForText(room, 'still there?');
  await newer.say(room, 'yes');
  await ben.waitForText(room, 'yes');
});

test('by default several web instances of one account live side by side', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [one, two, ben] = [await w.user('ann'), await w.user('ann'), await w.user('ben')];
  await Promise.all([one.join(room), two.join(room), ben.join(room)]);
  await ben.say(room, 'to both');
  await Promise.all([one.waitForText(room, 'to both'), two.waitForText(room, 'to both')]);
  await one.say(room, 'from one');
  await two.waitForText(room, 'from one');
  assert.equal(one.events.entries.filter((e) => e.name === 'kickedOut').length, 0);
});

test('one instance too many kicks the oldest only', async (t) => {
  const w = await world(t, { app: { devices: { web_instances: 2 } } });
  const [first, second] = [await w.user('ann'), await w.user('ann')];
  const third = await w.user('ann');
  await first.waitForEvent('kickedOut', (d) => d.type === 'multipleAccount', 'the oldest is kicked');
  for (const stays of [second, third]) {
    assert.equal((await stays.call('getMyProfile')).userID, 'ann');
    assert.equal(stays.events.entries.filter((e) => e.name === 'kickedOut').length, 0);
  }
});
