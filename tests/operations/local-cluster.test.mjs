// The cluster on one machine, as a developer starts it: what `up` prints works, a killed router is not
// missed and can be brought back, `down` leaves nothing running.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { BINARY, REPOSITORY, requireBinary } from '../harness/binary.mjs';
import { run } from '../harness/children.mjs';
import { scratchFolder } from '../harness/scratch.mjs';
import { SdkClient } from '../harness/sdk-client.mjs';
import { inherited } from '../harness/server-process.mjs';
import { onlyCluster } from '../harness/target.mjs';

const SCRIPT = path.join(REPOSITORY, 'deploy/local/cluster');

test('up, a message, kill, a message, restart, down', onlyCluster({ timeout: 400_000 }), async (t) => {
  requireBinary();
  const dir = scratchFolder('local');
  const cluster = async (...words) => {
    const done = await run(SCRIPT, ['--dir', dir, ...words], { env: { ...inherited, THRONG_BIN: BINARY }, timeout: 300_000 });
    return { ...done, out: done.stdout + done.stderr };
  };
  const works = async (...words) => {
    const { code, out, stdout } = await cluster(...words);
    assert.equal(code, 0, `cluster ${words.join(' ')}: exit ${code}\n${out}`);
    return stdout;
  };
  const clients = [];
  t.after(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await cluster('down');
    rmSync(dir, { recursive: true, force: true });
  });

  const out = await works('up');
  const printed = (label) => new RegExp(`^${label} +(\\S+)`, 'm').exec(out)?.[1];
  const app = { id: Number(printed('SDKAppID')), key: printed('secret key') };
  const room = printed('live room');
  const target = { wsBase: printed('proxyServer') };
  for (const user of ['alice', 'ben']) clients.push(await SdkClient.start(target, app, user, { login: false }));
  const [alice, ben] = clients;
  await alice.login(printed('userSig'));
  await ben.login();
  for (const client of clients) await client.join(room);
  await alice.say(room, 'hello');
  await ben.waitForText(room, 'hello');

  await works('kill', 'group-router-0');
  const { code, out: status } = await cluster('status');
  assert.equal(code, 3, status);
  assert.match(status, /group-router-0: not running/);
  assert.match(status, /group-router-1: running/);
  await alice.say(room, 'without it');
  await ben.waitForText(room, 'without it');
  await works('restart', 'group-router-0');
  await works('status');
  await alice.say(room, 'with it');
  await ben.waitForText(room, 'with it');
  assert.match(await works('logs', 'group-router-0'), /ready rpc=/);

  // A second `up` starts what does not run, and keeps keys and data.
  await works('kill', 'history-0');
  const again = await works('up');
  assert.equal(new RegExp('^secret key +(\\S+)', 'm').exec(again)[1], app.key);
  await works('status');

  // More gateways, of which all verbs know; then fewer.
  const more = await works('up', '--gateways', '3');
  assert.match(more, /ws:\/\/127\.0\.0\.1:7190/);
  assert.match(await works('status'), /gateway-2: running on 127\.0\.0\.1:7190/);
  assert.match(await works('logs', 'gateway-2'), /ready listen=/);
  const carl = await SdkClient.start({ wsBase: 'ws://127.0.0.1:7190' }, app, 'carl');
  clients.push(carl);
  await carl.join(room);
  await alice.say(room, 'to all gateways');
  await carl.waitForText(room, 'to all gateways');
  await carl.close();
  await works('up', '--gateways', '2');
  assert.doesNotMatch(await works('status'), /gateway-2/);
  assert.equal((await cluster('kill', 'gateway-2')).code, 1);

  await works('down');
  const after = await cluster('status');
  assert.equal(after.code, 3);
  assert.ok(!/ running on /.test(after.out), after.out);
  assert.doesNotMatch(readFileSync(path.join(dir, 'group-router-1/group-router-1.log'), 'utf8'), /panicked at/);
  assert.deepEqual(clients.flatMap((client) => client.problems()), []);
});
