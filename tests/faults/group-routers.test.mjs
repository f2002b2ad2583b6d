// A group router dies, or stands still for longer than its lease, in the middle of talk in its rooms.
import assert from 'node:assert/strict';
import { faultTest, lasts } from '../harness/faults.mjs';
import { until } from '../harness/wait.mjs';

// A router's lease is 1.2 s; nobody may take over before it is over.
const BEYOND_LEASE = [3_000, 6_000];
/** Rooms speak again within this time; the aim is 3 s on a machine that is not overloaded. */
const PATIENCE = 15_000;

/** Kills a router, measures until all rooms speak, and brings it back as an orchestrator would. */
async function kill(router, traffic, chance) {
  const at = Date.now();
  await router.kill();
  const speaks = await traffic.speaks(at, { timeout: PATIENCE });
  const everybody = await traffic.everybodyHears(at, { timeout: PATIENCE });
  await lasts(chance.between(0, 2_000));
  await router.restart();
  await traffic.flows();
  return { speaks, everybody, silence: traffic.silence(at) };
}

faultTest('kill -9 of the owner of a room', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin();
  for (const round of [1, 2]) {
    await lasts(chance.between(0, 500));
    const { id } = chance.pick(traffic.groups);
    const times = await kill(await target.ownerOf(id), traffic, chance);
    report({ round, ...times });
  }
  report(await traffic.judge());
});

faultTest('kill -9 of the Raft leader', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin();
  for (const round of [1, 2]) {
    await lasts(chance.between(0, 500));
    const times = await kill(await target.leader(), traffic, chance);
    report({ round, ...times });
  }
  report(await traffic.judge());
});

faultTest('the owner stands still for longer than its lease, then goes on', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin();
  const { id } = traffic.groups[0];
  const old = await target.ownerOf(id);
  const at = Date.now();
  await old.pause();
  const speaks = await traffic.speaks(at, { timeout: PATIENCE });
  const owner = await until(async () => {
    const now = await target.ownerOf(id);
    return now !== old && now;
  }, 'another owner');
  await lasts(Math.max(0, chance.between(...BEYOND_LEASE) - (Date.now() - at)));
  old.resume();
  const back = Date.now();
  await traffic.everybodyHears(back, { timeout: PATIENCE });
  await traffic.flows();
  assert.ok(owner.running && old.running, 'both live');
  report({ speaks, silence: traffic.silence(at), ...await traffic.judge() });
});

faultTest('all group routers are killed and come back', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin();
  const routers = target.role('group-router');
  const at = Date.now();
  await Promise.all(routers.map((router) => router.kill()));
  await lasts(chance.between(200, 1_500));
  await Promise.all(routers.map((router) => router.restart()));
  const speaks = await traffic.speaks(at, { timeout: 2 * PATIENCE });
  await traffic.flows();
  report({ speaks, silence: traffic.silence(at), ...await traffic.judge() });
});
