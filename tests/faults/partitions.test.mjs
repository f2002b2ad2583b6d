// The network between group routers breaks, while everybody else still reaches them all. (Between two
// processes the harness lets nothing pass; see harness/partition.mjs.)
import assert from 'node:assert/strict';
import { faultTest, lasts } from '../harness/faults.mjs';
import { until } from '../harness/wait.mjs';

const LONG_ENOUGH = [4_000, 7_000];

const names = (processes) => processes.map((process) => process.name);

/**
 * Parts one router from the other routers until they no longer count on it (`over`) and for some time
 * more, and joins them again.
 */
async function isolate(router, over, { target, traffic, chance }) {
  const others = target.role('group-router').filter((other) => other !== router);
  const at = Date.now();
  target.network.part([router.name], names(others));
  await until(over, `the others to go on without ${router.name}`, { timeout: 15_000 });
  await traffic.speaks(Date.now());
  await lasts(Math.max(0, chance.between(...LONG_ENOUGH) - (Date.now() - at)));
  target.network.heal();
  const healed = Date.now();
  await traffic.speaks(healed);
  await traffic.everybodyHears(healed);
  await traffic.flows();
  return { silence: traffic.silence(at) };
}

faultTest('the owner of a room is parted from the other routers', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin({ cluster: { network: true } });
  const { id } = traffic.groups[0];
  const owner = await target.ownerOf(id);
  const times = await isolate(owner, async () => await target.ownerOf(id) !== owner, { target, traffic, chance });
  report({ ...times, ...await traffic.judge() });
});

faultTest('the Raft leader is parted from the other routers', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin({ cluster: { network: true } });
  const leader = await target.leader();
  const times = await isolate(leader, async () => await target.leader() !== leader, { target, traffic, chance });
  report({ ...times, ...await traffic.judge() });
});

faultTest('no router reaches any other: rooms wait, and go on afterwards', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin({ cluster: { network: true } });
  const routers = names(target.role('group-router'));
  const at = Date.now();
  target.network.part(routers, routers);
  await lasts(chance.between(...LONG_ENOUGH));
  assert.ok(traffic.silence(at) > 1_000, 'no leases, no owners');
  target.network.heal();
  const healed = Date.now();
  const speaks = await traffic.speaks(healed);
  await traffic.flows();
  report({ silence: traffic.silence(at), speaks, ...await traffic.judge() });
});

faultTest('an owner is parted from everybody, clients\' gateways too', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin({ cluster: { network: true } });
  const owner = await target.ownerOf(traffic.groups[0].id);
  const at = Date.now();
  target.network.part([owner.name], names(target.processes));
  await traffic.speaks(at);
  await lasts(Math.max(0, chance.between(...LONG_ENOUGH) - (Date.now() - at)));
  target.network.heal();
  await until(async () => (await owner.adminGet('/readyz')).status === 200, 'the parted owner to serve again', { timeout: 20_000 });
  await traffic.everybodyHears(Date.now());
  await traffic.flows();
  report({ silence: traffic.silence(at), ...await traffic.judge() });
});
