// The server dies (kill -9) and comes back under its clients: they return by themselves, are still in
// their room, go on in order, and nothing that was acknowledged is lost.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Oracle } from '../harness/oracle.mjs';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('users and a guest survive a kill of the server', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 1000 } } });
  const room = await w.room({ Owner_Account: undefined });
  const [ann, ben] = await w.users('ann', 'ben');
  const guest = await w.guest();
  const everyone = [ann, ben, guest];
  for (const client of everyone) await client.join(room);
  const oracle = new Oracle(room);
  for (let i = 0; i < 10; i += 1) await oracle.send(ann, `before ${i}`);
  await oracle.settled(everyone);
  for (const client of everyone) await client.settledSocket();
  await w.membershipsWritten();

  const marks = new Map(everyone.map((c) => [c, c.frames.mark]));
  await w.target.killAndRestart();
  for (const client of everyone) {
    await client.waitForFrame((f) => f.dir === 'open', `${client.name} is connected again`, { from: marks.get(client), timeout: 30_000 });
  }
  for (const client of [ann, ben]) {
    const from = marks.get(client);
    const login = await client.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'im_open_status.wslogin', 'the re-login', { from, timeout: 30_000 });
    assert.equal(login.body.ErrorCode ?? 0, 0, JSON.stringify(login.body));
    assert.equal(client.events.entries.filter((e) => e.name === 'kickedOut').length, 0, 'nobody has to log in anew');
    assert.equal(client.requests('apply_join_group', { from }).length, 0, 'nobody joined again');
  }
  for (let i = 0; i < 10; i += 1) await oracle.send(i % 2 ? ann : ben, `after ${i}`);
  await oracle.settled(everyone, { timeout: 20_000 });
  for (const client of everyone) oracle.check(client);
  oracle.checkSameOrder(everyone);
  assert.equal(oracle.acknowledged.length, 20);
});

test('no acknowledged message is lost when the server dies while everybody talks', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 1000 } } });
  const room = await w.room();
  const [ann, ben, cat] = await w.users('ann', 'ben', 'cat');
  const everyone = [ann, ben, cat];
  for (const client of everyone) await client.join(room);
  for (const client of everyone) await client.settledSocket();
  await w.membershipsWritten();
  const oracle = new Oracle(room);
  let talking = true;
  const talk = async (client) => {
    const pending = [];
    for (let i = 0; talking; i += 1) {
      pending.push(oracle.send(client, `${client.user} ${i}`));
      // A steady stream, not a flood: the next one when the last but four is done.
      if (pending.length > 4) await pending[pending.length - 5];
    }
    await Promise.all(pending);
  };
  const talkers = [talk(ann), talk(ben)];
  for (const round of [1, 2]) {
    const reached = oracle.acknowledged.length + 40;
    await until(() => oracle.acknowledged.length >= reached, `40 acknowledgements more, round ${round}`, { timeout: 45_000 });
    // Who comes back after a kill is brought the newest 99: nobody may be away for more.
    await until(() => everyone.every((client) => oracle.missing(client).length < 20), `everybody is back, round ${round}`, { timeout: 45_000 });
    await w.target.killAndRestart();
  }
  const reached = oracle.acknowledged.length + 40;
  await until(() => oracle.acknowledged.length >= reached, 'talk goes on after the last kill', { timeout: 45_000 });
  talking = false;
  await Promise.all(talkers);
  await oracle.settled(everyone, { timeout: 20_000 });
  for (const client of everyone) oracle.check(client);
  oracle.checkSameOrder(everyone);
});

test('a drained server (SIGTERM) ends with code 0, and its clients come back to the next one', async (t) => {
  const w = await world(t, { gateway: { drain_window: 1 } });
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await Promise.all([ann.join(room), ben.join(room)]);
  await Promise.all([ann.settledSocket(), ben.settledSocket()]);
  const marks = [ann.frames.mark, ben.frames.mark];
  const { code, signal } = await w.target.terminate();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  await w.target.restart();
  for (const [i, client] of [ann, ben].entries()) {
    await client.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'im_open_status.wslogin', 'the re-login', { from: marks[i], timeout: 30_000 });
  }
  await ann.say(room, 'after the drain');
  await ben.waitForText(room, 'after the drain');
});
