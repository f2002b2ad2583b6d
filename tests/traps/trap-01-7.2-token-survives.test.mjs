// Trap 01-7.2: the SDK ignores what a re-login answers and never sends its UserSig again: a2 and InstId
// must survive reconnects and server restarts unchanged.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('a2, TinyId and InstId stay the same over a reconnect and over a kill of the server', async (t) => {
  const w = await world(t);
  const first = await w.raw('ann');
  first.close();
  const same = async () => {
    const again = await w.raw(null, { instance: first.instance, session: first.session });
    const login = await again.relogin();
    assert.equal(login.ErrorCode ?? 0, 0, JSON.stringify(login));
    assert.deepEqual([login.A2Key, login.TinyId, login.InstId], [first.session.a2, first.session.tinyId, first.session.instId]);
    again.close();
  };
  await same();
  await w.target.killAndRestart();
  await same();
});

test('a forged or foreign token is refused without ending the socket', async (t) => {
  const w = await world(t);
  const ann = await w.raw('ann');
  const { a2 } = ann.session;
  const at = Math.floor(a2.length / 2);
  const forged = a2.slice(0, at) + (a2[at] === 'A' ? 'B' : 'A') + a2.slice(at + 1);
  for (const bad of [forged, '', 'x', a2.slice(0, -1)]) {
    const answer = await ann.request('profile.portrait_get_all', { From_Account: 'ann', UserItem: [{ To_Account: 'ann' }] }, { a2: bad });
    assert.notEqual(answer.ErrorCode ?? 0, 0, `a2 "${bad.slice(0, 12)}…": ${JSON.stringify(answer)}`);
  }
  await ann.ok('profile.portrait_get_all', { From_Account: 'ann', UserItem: [{ To_Account: 'ann', StandardSequence: 0, CustomSequence: 0 }] });
});

test('a kicked instance does not come back with its old token', async (t) => {
  const w = await world(t, { app: { devices: { web_instances: 1 } } });
  const older = await w.raw('ann');
  await w.raw('ann');
  await older.waitForPush((f) => JSON.stringify(f.body).includes('KickoutMsgNotify'), 'the kick');
  const again = await w.raw(null, { instance: older.instance, session: older.session });
  const login = await again.relogin();
  assert.equal(login.ErrorCode, 1002, JSON.stringify(login));
  assert.equal(login.KickType, 1);
});
