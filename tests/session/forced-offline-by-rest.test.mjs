// An app's backend throws a user out (im_open_login_svc/kick).
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { until } from '../harness/wait.mjs';

test('the client is told REST_API_Kick, signatures made before are void, one made afterwards works', async (t) => {
  const w = await world(t);
  const old = w.sign('ann');
  const ann = await w.user('ann', { login: false });
  await ann.login(old);
  // Times in signatures count seconds: let the kick fall into a later one.
  const issued = Math.floor(Date.now() / 1000);
  await until(() => Math.floor(Date.now() / 1000) > issued, 'the next second');
  await w.rest.ok('im_open_login_svc/kick', { UserID: 'ann' });

  const kicked = await ann.waitForEvent('kickedOut', () => true, 'the client is kicked');
  assert.equal(kicked.data.type, 'REST_API_Kick');

  const raw = await w.raw();
  assert.equal((await raw.login('ann', { usersig: old })).ErrorCode, 70052);
  await until(async () => (await raw.login('ann', { usersig: w.sign('ann') })).ErrorCode === 0, 'a signature made after the kick works');
});
