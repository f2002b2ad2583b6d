// The port for clients with TLS: the SDK over wss, REST over https.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CERTIFICATES } from '../harness/certificates.mjs';
import { Oracle } from '../harness/oracle.mjs';
import { onlyStandalone } from '../harness/target.mjs';
import { world } from '../harness/world.mjs';

test('users and a guest see the same messages over TLS, also after a restart', onlyStandalone('it is the one that the certificate names'), async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 1000 } }, gateway: { tls: CERTIFICATES } });
  assert.match(w.target.wsBase, /^wss:/);
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  const guest = await w.guest();
  for (const client of [ann, ben, guest]) {
    assert.equal((await client.join(room)).status, 'JoinedSuccess');
  }
  const oracle = new Oracle(room);
  const speak = async (client, words) => {
    for (let i = 0; i < 20; i += 1) await oracle.send(client, `${client.user} ${words} ${i} ${'x'.repeat(i * 500)}`);
  };
  await Promise.all([speak(ann, 'first'), speak(ben, 'first')]);
  await oracle.settled([ann, ben, guest]);

  await w.target.kill();
  await w.target.restart();
  await speak(ann, 'second');
  await oracle.settled([ben], { timeout: 30_000 });
  for (const client of [ann, ben]) oracle.check(client);
  oracle.checkSameOrder([ann, ben]);
});
