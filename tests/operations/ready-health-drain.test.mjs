// What an operator sees: the ready line, health, metrics, and a clean end.
import assert from 'node:assert/strict';
import test from 'node:test';
import { onlyStandalone } from '../harness/target.mjs';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('livez, readyz and metrics answer on the admin port', async (t) => {
  const w = await world(t);
  assert.equal((await w.target.adminGet('/livez')).status, 200);
  await w.target.untilReady();
  const ann = await w.raw('ann');
  const room = await w.room();
  await ann.join(room);
  await w.rest.say(room, 'counted');
  await ann.waitForText(room, 'counted');
  const samples = await w.target.metrics();
  assert.ok(samples.length > 10);
  for (const { name, labels } of samples) {
    assert.match(name, /^(throng_|process_)/, name);
    for (const value of Object.values(labels)) assert.ok(!/ann|room-1/.test(value), `${name} has an id in a label`);
  }
  const names = new Set(samples.map(({ name }) => name));
  for (const name of ['cpu_seconds_total', 'resident_memory_bytes', 'open_fds', 'max_fds', 'start_time_seconds', 'threads']) {
    assert.ok(names.has(`process_${name}`), name);
  }
  assert.equal((await w.target.adminGet('/no-such-page')).status, 404);
});

test('the admin port does not serve clients and the client port does not serve metrics', async (t) => {
  const w = await world(t);
  assert.notEqual((await fetch(`${w.target.base}/metrics`)).status, 200);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} drains: clients are closed by a close frame, the exit code is 0`, async (t) => {
    const w = await world(t, { gateway: { drain_window: 1 } });
    const ann = await w.raw('ann');
    const end = w.target.terminate(signal);
    const { code: closeCode } = await ann.closed;
    assert.ok(closeCode !== 1006, `closed with ${closeCode}`);
    assert.deepEqual(await end, { code: 0, signal: null });
  });
}

test('nothing secret is in the log', async (t) => {
  const w = await world(t, { serverEnv: { RUST_LOG: 'debug' } });
  const ann = await w.raw('ann');
  await ann.request('group_open_http_svc.send_group_msg', {});
  await until(() => w.target.stderr.length > 0, 'some log');
  for (const secret of [w.app.key, ann.session.a2, w.sign('ann')]) {
    assert.ok(!w.target.stderr.includes(secret.slice(0, 40)), 'a secret is in the log');
  }
});

test('a second server on the same data does not start', onlyStandalone('its data folder'), async (t) => {
  const w = await world(t);
  const { Standalone } = await import('../harness/standalone.mjs');
  const second = new Standalone(w.target.config, [], {});
  const own = second.dir;
  second.dir = w.target.dir;
  await assert.rejects(second.launch());
  second.dir = own;
  await second.dispose();
});

test('mistakes in the configuration end the start with a text that names them', onlyStandalone('its start'), async () => {
  const { Standalone } = await import('../harness/standalone.mjs');
  for (const [config, text] of [
    [{ app: [{ id: 0, key: 'k' }] }, /id/],
    [{ app: [{ id: 1400000001, key: '' }] }, /key/],
    [{ no_such_setting: 1 }, /no_such_setting/],
  ]) {
    const server = new Standalone(config, [], {});
    await assert.rejects(server.launch(), text);
    await server.dispose();
  }
});
