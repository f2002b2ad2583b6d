// The line breaks under a client: it comes back by itself, is still in its room and goes on.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Oracle } from '../harness/oracle.mjs';
import { world } from '../harness/world.mjs';

test('after a cut the client is still in its room and goes on in order, without joining again', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 1000 } } });
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  const guest = await w.guest();
  for (const client of [ann, ben, guest]) await client.join(room);
  const oracle = new Oracle(room);
  const everyone = [ann, ben, guest];

  await oracle.send(ann, 'before');
  await oracle.settled(everyone);
  for (const round of [1, 2, 3]) {
    for (const client of [ben, guest]) {
      await client.settledSocket();
      const from = client.frames.mark;
      await client.cut();
      await client.waitForFrame((f) => f.dir === 'open', 'a new socket', { from });
      if (client === ben) {
        await client.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'im_open_status.wslogin', 'the re-login', { from });
        assert.equal(client.requests('apply_join_group', { from }).length, 0, 'the SDK does not join again by itself');
      }
    }
    await oracle.send(ann, `after cut ${round}`);
    await oracle.settled(everyone);
  }
  for (const client of everyone) oracle.check(client);
  oracle.checkSameOrder(everyone);
});

test('what was said while the line was down is delivered on return, within the grace period', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 1000 } } });
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await ann.join(room);
  await ben.join(room);
  const oracle = new Oracle(room);
  await ben.settledSocket();
  await ben.setOffline(true);
  for (let i = 0; i < 10; i += 1) await oracle.send(ann, `missed ${i}`);
  await ben.setOffline(false);
  await oracle.settled([ben], { timeout: 30_000 });
  await oracle.send(ann, 'afterwards');
  await oracle.settled([ben]);
  oracle.check(ben);
});

test('sending goes on across a cut: each message is acknowledged and appears once', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 1000 } } });
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await ann.join(room);
  await ben.join(room);
  const oracle = new Oracle(room);
  await ann.settledSocket();
  const sends = [];
  for (let i = 0; i < 30; i += 1) {
    sends.push(oracle.send(ann, `m${i}`));
    if (i === 14) await ann.cut();
  }
  await Promise.all(sends);
  assert.equal(oracle.acknowledged.length, 30);
  await oracle.settled([ben]);
  const texts = ben.chats(room).map((m) => m.payload.text);
  assert.equal(new Set(texts).size, texts.length, 'nothing twice');
});
