// Trap 01-7.10: 60002 as the answer to a heartbeat is for ever: the SDK never connects again.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('no heartbeat, however odd its head, is answered with 60002 (or with a dropped session)', async (t) => {
  const w = await world(t);
  const raw = await w.raw('ann');
  const heads = [
    {},
    { a2: undefined, tinyid: undefined, identifier: '', usersig: '' },
    { a2: undefined, tinyid: undefined, identifier: 'ann', usersig: 'garbage' },
    { a2: 'forged', tinyid: '1' },
    { a2: '', tinyid: '' },
    { sdkappid: 1499999999 },
    { status_instid: 123456 },
  ];
  for (const head of heads) {
    const answer = await raw.request('heartbeat.alive', {}, head);
    assert.ok(![60002, 70001, 20002].includes(answer.ErrorCode), `${JSON.stringify(head)} -> ${JSON.stringify(answer)}`);
  }
});

test('heartbeats are answered before login', async (t) => {
  const w = await world(t);
  const raw = await w.raw();
  assert.equal((await raw.request('heartbeat.alive', {})).ErrorCode ?? 0, 0);
});
