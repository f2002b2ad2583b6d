// The vendor's other web packages against the same server: login, join, chat, with each other and with the
// full SDK.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

for (const sdk of ['tim-js-sdk', 'lite-chat', 'lite-chat/professional']) {
  test(`${sdk} logs in, joins a room, sends, receives, and comes back after a cut`, async (t) => {
    const w = await world(t);
    const room = await w.room();
    const modern = await w.user('modern');
    const other = await w.user('other', { sdk });
    await modern.join(room);
    assert.equal((await other.join(room)).status, 'JoinedSuccess');

    await modern.say(room, 'from the full SDK');
    const got = await other.waitForText(room, 'from the full SDK');
    assert.equal(got.from, 'modern');
    const sent = await other.say(room, `from ${sdk}`);
    const seen = await modern.waitForText(room, `from ${sdk}`);
    assert.equal(seen.ID, sent.ID, 'both have the same id for the message');

    await other.settledSocket();
    const from = other.frames.mark;
    await other.cut();
    await other.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'im_open_status.wslogin', 'the re-login', { from, timeout: 30_000 });
    await modern.say(room, 'after the cut');
    await other.waitForText(room, 'after the cut');
  });
}

test('the basic build of lite-chat, which has no groups, logs in and is told of a kick', async (t) => {
  const w = await world(t, { app: { devices: { web_instances: 1 } } });
  const first = await w.user('ann', { sdk: 'lite-chat/basic' });
  assert.equal(await first.call('isReady'), true);
  await w.raw('ann');
  await first.waitForEvent('kickedOut', () => true, 'the kick');
});

test('the older package joins as a guest', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const guest = await w.guest({ sdk: 'tim-js-sdk' });
  await guest.join(room);
  await w.rest.say(room, 'to the older guest');
  await guest.waitForText(room, 'to the older guest');
});
