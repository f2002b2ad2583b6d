// Trap 01-7.5: an error or a zero expiry on the feature bits makes every client ask again every second.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('the bits grant everything and do not expire at once', async (t) => {
  const w = await world(t);
  const raw = await w.raw('ann');
  const bits = await raw.ok('im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2', {});
  assert.equal(bits.int32_error_code ?? 0, 0);
  assert.match(bits.str_purchase_bits, /^1{64}$/);
  assert.ok(bits.uint32_expired_time >= 3600);
});

test('the SDK asks once, not every second', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  await ann.waitForFrame((f) => f.dir === 'in' && f.head.servcmd?.endsWith('.fetch_imsdk_purchase_bitsv2'), 'the answer');
  // Heartbeats come ten seconds after the last frame, and a report may come first: by then a client in the
  // trap would have asked many times.
  const from = ann.frames.mark;
  await ann.waitForFrame((f) => f.dir === 'out' && f.head.servcmd === 'heartbeat.alive', 'the next heartbeat', { from, timeout: 30_000 });
  assert.equal(ann.requests('fetch_imsdk_purchase_bitsv2').length, 1);
});
