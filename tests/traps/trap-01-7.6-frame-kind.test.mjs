// Trap 01-7.6: the kind of frame must match the path: binary on /binfo, text on /info. A frame of the other
// kind is silently not understood.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('the SDK in devMode (text frames on /info) logs in and chats with one on /binfo', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const dev = await w.user('dev', { create: { devMode: true } });
  const ann = await w.user('ann');
  await dev.join(room);
  await ann.join(room);
  await dev.say(room, 'from text');
  await ann.waitForText(room, 'from text');
  await ann.say(room, 'from binary');
  await dev.waitForText(room, 'from binary');
  assert.ok(dev.frames.entries.filter((f) => f.dir === 'in').every((f) => f.binary === false));
  assert.ok(ann.frames.entries.filter((f) => f.dir === 'in').every((f) => f.binary === true));
});

test('pushes and answers on both paths are of the right kind, errors too', async (t) => {
  const w = await world(t);
  const room = await w.room();
  for (const path of ['/binfo', '/info']) {
    const raw = await w.raw(`u${path.slice(1)}`, { path });
    await raw.join(room);
    await w.rest.say(room, `for ${path}`);
    await raw.waitForText(room, `for ${path}`);
    await raw.request('no_such_service.no_such_command', {});
    const wanted = path === '/binfo';
    assert.ok(raw.frames.entries.every((f) => f.binary === wanted), path);
  }
});

test('every frame has head.servcmd and an object as body, whatever was asked', async (t) => {
  const w = await world(t);
  const raw = await w.raw('ann');
  for (const [servcmd, body] of [['x.y', {}], ['heartbeat.alive', {}], ['openim.getmsg', {}], ['profile.portrait_get_all', { wrong: 1 }], ['group_open_http_svc.send_group_msg', {}]]) {
    await raw.request(servcmd, body);
  }
  // The lint of the raw client holds the rule.
  assert.deepEqual(raw.problems(), []);
});
