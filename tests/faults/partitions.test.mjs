// The network between group routers breaks, while everybody else still reaches them all. (Between two
// processes the harness lets nothing pass; see harness/partition.mjs.)
import { faultTest, lasts } from '../harness/faults.mjs';
import { until } from '../harness/wait.mjs';

const LONG_ENOUGH = [4_000, 7_000];

const names = (processes) => processes.map((process) => process.name);

/** Parts one router from the other routers, waits until rooms speak, and joins them again. */
async function isolate(router, { target, traffic, chance }) {
  const others = target.role('group-router').filter((other) => other !== router);
  const at = Date.now();
  target.network.part([router.name], names(others));
  const speaks = await traffic.speaks(at);
  await lasts(Math.max(0, chance.between(...LONG_ENOUGH) - (Date.now() - at)));
  target.network.heal();
  const healed = Date.now();
  await traffic.speaks(healed);
  const everybody = await traffic.everybodyHears(healed);
  await traffic.flows();
  return { speaks, everybody };
}

faultTest('the owner of a room is parted from the other routers', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin({ cluster: { network: true } });
  const { id } = traffic.groups[0];
  const owner = await target.ownerOf(id);
  const times = await isolate(owner, { target, traffic, chance });
  report({ ...times, ...await traffic.judge() });
});

faultTest('the Raft leader is parted from the other routers', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin({ cluster: { network: true } });
  const times = await isolate(await target.leader(), { target, traffic, chance });
  report({ ...times, ...await traffic.judge() });
});

faultTest('no router reaches any other: rooms wait, and go on afterwards', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin({ cluster: { network: true } });
  const routers = names(target.role('group-router'));
  target.network.part(routers, routers);
  await lasts(chance.between(...LONG_ENOUGH));
  target.network.heal();
  const healed = Date.now();
  const speaks = await traffic.speaks(healed);
  await traffic.flows();
  report({ speaks, ...await traffic.judge() });
});

faultTest('an owner is parted from everybody, clients\' gateways too', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin({ cluster: { network: true } });
  const owner = await target.ownerOf(traffic.groups[0].id);
  const at = Date.now();
  target.network.part([owner.name], names(target.processes));
  const speaks = await traffic.speaks(at);
  await lasts(Math.max(0, chance.between(...LONG_ENOUGH) - (Date.now() - at)));
  target.network.heal();
  await until(async () => (await owner.adminGet('/readyz')).status === 200, 'the parted owner to serve again', { timeout: 20_000 });
  const everybody = await traffic.everybodyHears(Date.now());
  await traffic.flows();
  report({ speaks, everybody, ...await traffic.judge() });
});
