// Frames that are compressed once for a whole room, as the SDK inflates them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Oracle } from '../harness/oracle.mjs';
import { world } from '../harness/world.mjs';

const packed = (client) => client.frames.since(0).filter((frame) => frame.packed).length;

for (const [what, gateway] of [
  ['everything is compressed', { compress_bytes: 1, compress_answer_bytes: 1 }],
  ['busy rooms are, as by default', { busy_room_events: 5, busy_room_step: 0.2 }],
]) {
  test(`members see all messages in order where ${what}`, async (t) => {
    const w = await world(t, { app: { rooms: { messages_per_second: 1000 } }, gateway });
    const room = await w.room();
    const [ann, ben] = await w.users('ann', 'ben');
    const text = await w.user('cid', { create: { devMode: true } });
    const guest = await w.guest();
    for (const client of [ann, ben, text, guest]) {
      assert.equal((await client.join(room)).status, 'JoinedSuccess');
    }

    const oracle = new Oracle(room);
    const speak = (client) => Promise.all(Array.from({ length: 40 }, (_, i) => oracle.send(client, `${client.user} ${i} ${'好 words '.repeat(i * 5)}`)));
    await Promise.all([speak(ann), speak(ben)]);
    assert.equal(oracle.acknowledged.length, 80);
    await oracle.settled([ann, ben, text, guest]);
    for (const client of [ann, ben, text, guest]) oracle.check(client);
    oracle.checkSameOrder([guest, ann, ben, text]);

    for (const client of [ann, ben]) assert.ok(packed(client) > 0, `${client.user} got compressed frames`);
    assert.equal(packed(text), 0, 'nothing is compressed where frames are text');
  });
}
