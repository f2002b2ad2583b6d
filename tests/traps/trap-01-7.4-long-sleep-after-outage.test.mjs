// Trap 01-7.4: after a redial that failed the SDK sleeps up to 60 s; the cloud key evt_rpt_waiting shortens it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('after an outage in which redials failed, the client is back within seconds by itself', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  await ann.join(room);
  await ann.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'im_sdk_config_mgr.fetch_config', 'the cloud config');
  const [config] = ann.answers('fetch_config');
  assert.ok(Number(JSON.parse(config.body.str_json_config).evt_rpt_waiting) <= 15_000, config.body.str_json_config);
  assert.ok(config.body.uint32_expired_time > 0);

  await ann.settledSocket();
  const from = ann.frames.mark;
  await w.target.kill();
  await ann.waitForFrame((f) => f.dir === 'close', 'the end of the socket', { from });
  await until(() => ann.frames.since(from).filter((f) => f.dir === 'close').length >= 2, 'a redial that failed', { timeout: 20_000 });
  await w.target.restart();
  await ann.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'im_open_status.wslogin', 'the re-login', { from, timeout: 25_000 });
  await w.rest.say(room, 'welcome back');
  await ann.waitForText(room, 'welcome back');
});
