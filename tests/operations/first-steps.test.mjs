// The first minutes of somebody new: no arguments, a demo app is made, printed and kept.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { BINARY, REPOSITORY, requireBinary } from '../harness/binary.mjs';
import { ended, start } from '../harness/children.mjs';
import { cliVerifies } from '../harness/cli.mjs';
import { scratchFolder } from '../harness/scratch.mjs';
import { SdkClient } from '../harness/sdk-client.mjs';
import { onlyStandalone } from '../harness/target.mjs';
import { until } from '../harness/wait.mjs';

/** Starts the binary as a newcomer would, but for free ports, and returns what it printed until ready. */
async function firstStart(cwd) {
  requireBinary();
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('THRONG_')));
  const child = start(BINARY, ['--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (part) => { out += part; });
  child.stderr.resume();
  await until(() => /^ready listen=\S+ admin=\S+$/m.test(out), 'the ready line', { timeout: 20_000 });
  const printed = (label) => new RegExp(`^${label} +(\\S+)$`, 'm').exec(out)?.[1];
  return {
    child,
    app: { id: Number(printed('SDKAppID')), key: printed('secret key') },
    user: printed('userID'),
    userSig: printed('userSig'),
    admin: printed('admin'),
    adminSig: printed('admin sig'),
    proxyServer: printed('proxyServer'),
    room: printed('live room'),
  };
}

test('without an app one is made; what is printed works, and is the same app after a restart', onlyStandalone('its first start'), async (t) => {
  const cwd = scratchFolder('first');
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  const first = await firstStart(cwd);
  assert.ok(await cliVerifies(first.app, first.user, first.userSig));
  assert.ok(await cliVerifies(first.app, first.admin, first.adminSig));

  const ann = await SdkClient.start({ wsBase: first.proxyServer }, first.app, first.user, { login: false });
  await ann.login(first.userSig);
  assert.equal((await ann.join(first.room)).status, 'JoinedSuccess');
  assert.deepEqual(ann.problems(), []);
  await ann.close();
  first.child.kill('SIGTERM');
  await ended(first.child);

  const second = await firstStart(cwd);
  assert.deepEqual(second.app, first.app);
  second.child.kill('SIGTERM');
  assert.equal((await ended(second.child)).code, 0);
});

test('the script of the README works with nothing but the printed values put in', onlyStandalone('its first start'), async (t) => {
  const cwd = scratchFolder('readme');
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  const server = await firstStart(cwd);
  const [, script] = /```js\n(import TencentCloudChat[\s\S]*?)```/.exec(readFileSync(path.join(REPOSITORY, 'README.md'), 'utf8'));
  assert.ok(script.trim().split('\n').length <= 12, 'it is a short script');
  const filled = script
    .replace(/SDKAppID: \d+/, `SDKAppID: ${server.app.id}`)
    .replace(/ws:\/\/127\.0\.0\.1:\d+/, server.proxyServer)
    .replace('PASTE userSig HERE', server.userSig);
  assert.ok(filled.includes(server.userSig) && filled.includes(server.proxyServer));
  symlinkSync(path.join(REPOSITORY, 'tests/node_modules'), path.join(cwd, 'node_modules'));
  writeFileSync(path.join(cwd, 'script.mjs'), filled);
  const child = start(process.execPath, ['script.mjs'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (part) => { out += part; });
  child.stderr.on('data', (part) => { out += part; });
  await until(() => {
    if (child.exitCode !== null) throw new Error(`the script ended with ${child.exitCode}`);
    return /^sent \d+-\d+-\d+/m.test(out);
  }, 'the script to have sent its message', { timeout: 20_000 }).catch((error) => assert.fail(`${error.message}\n${out}`));
  child.kill();
  server.child.kill('SIGTERM');
  await Promise.all([ended(child), ended(server.child)]);
});
