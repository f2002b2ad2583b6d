// The SDK comes back into a Public group in which others talk all the time: what was said while its line
// was down is there afterwards. (It reads what it missed only if the conversation list, which it asks
// for after the login, is ahead of the newest message it has; of a group of which it has none it reads
// nothing.)
import assert from 'node:assert/strict';
import test from 'node:test';
import { lasts } from '../harness/faults.mjs';
import { Oracle } from '../harness/oracle.mjs';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

test('no message of a busy Public group is missing after cuts', async (t) => {
  const w = await world(t);
  const [ann, ben] = [await w.user('ann'), await w.steady('ben')];
  const group = await w.rest.createRoom('busy', { Type: 'Public', ApplyJoinOption: 'FreeAccess', MemberList: [{ Member_Account: 'ann' }, { Member_Account: 'ben' }] });
  const oracle = new Oracle(group, { durable: true });
  let talking = true;
  const talk = (async () => {
    // The SDK does not catch up with more than 299 messages.
    for (let i = 0; talking; i += 1) await Promise.all([oracle.send(ben, `ben ${i}`), lasts(30)]);
  })();
  await until(() => ann.heard(group).length > 0, 'ann knows a message of the group');
  for (let round = 1; round <= 5; round += 1) {
    await ann.settledSocket();
    const from = ann.frames.mark;
    const before = oracle.acknowledged.length;
    await ann.setOffline(true);
    await until(() => oracle.acknowledged.length >= before + 10, 'ten messages that ann misses');
    await ann.setOffline(false);
    await ann.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'recentcontact.page_get', `the conversations after cut ${round}`, { from, timeout: 30_000 });
  }
  talking = false;
  await talk;
  await oracle.settled([ann], { timeout: 20_000 });
  assert.equal(oracle.refused.length, 0);
});
