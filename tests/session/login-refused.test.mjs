// A UserSig that must not open the door, and the two that must although they look unusual.
import assert from 'node:assert/strict';
import test from 'node:test';
import { sign } from '../harness/credentials.mjs';
import { world } from '../harness/world.mjs';

const NEXT_KEY = 'the-next-key-for-tests-0123456789';

const refused = [
  ['garbage', () => 'not-a-signature', [70003]],
  ['cut off', ({ app }) => sign(app, 'ann').slice(0, -20), [70003]],
  ['signed with another key', ({ app, otherApp }) => sign({ ...app, key: otherApp.key }, 'ann'), [70003, 70009]],
  ['made for another user', ({ app }) => sign(app, 'ben'), [70013]],
  ['made for another app', ({ app, otherApp }) => sign({ ...app, id: otherApp.id }, 'ann'), [70014]],
  ['expired', ({ app }) => sign(app, 'ann', { expire: -10 }), [70001]],
];

test('each kind of bad UserSig is refused with its own code, and the socket stays usable', async (t) => {
  const w = await world(t);
  const raw = await w.raw();
  for (const [what, make, codes] of refused) {
    const answer = await raw.login('ann', { usersig: make(w) });
    assert.ok(codes.includes(answer.ErrorCode), `${what}: expected ${codes}, got ${JSON.stringify(answer)}`);
    assert.equal(answer.A2Key, undefined);
  }
  assert.equal((await raw.login('ann')).ErrorCode, 0, 'a good one still works');
});

test('the SDK hands the refusal to the app', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann', { login: false });
  await assert.rejects(ann.call('login', { userID: 'ann', userSig: w.sign('ben') }), { code: 70013 });
  await ann.login();
});

test('an app that the server does not have is refused', async (t) => {
  const w = await world(t);
  const stranger = { id: 1499999999, key: w.app.key };
  const raw = await w.raw(null, { app: stranger }).catch(() => null);
  if (!raw) return; // Refusing the handshake is an answer too.
  const answer = await raw.login('ann', { usersig: sign(stranger, 'ann') }).catch(() => ({ ErrorCode: 'closed' }));
  assert.ok([70020, 60006, 'closed'].includes(answer.ErrorCode), JSON.stringify(answer));
});

test('during a key rotation signatures of both keys are good', async (t) => {
  const w = await world(t, { app: { next_key: NEXT_KEY } });
  const raw = await w.raw();
  assert.equal((await raw.login('ann', { usersig: w.sign('ann') })).ErrorCode, 0);
  assert.equal((await raw.login('ann', { usersig: sign({ ...w.app, key: NEXT_KEY }, 'ann') })).ErrorCode, 0);
});

test('a UserSig with userbuf is good', async (t) => {
  const w = await world(t);
  const raw = await w.raw();
  assert.equal((await raw.login('ann', { usersig: w.sign('ann', { userbuf: Buffer.from('room-7') }) })).ErrorCode, 0);
});
