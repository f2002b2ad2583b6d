// A gateway dies: its clients dial again, come to another one, and miss nothing.
import { faultTest, lasts } from '../harness/faults.mjs';

faultTest('kill -9 of a gateway', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin();
  for (const round of [1, 2]) {
    await lasts(chance.between(0, 500));
    const gateway = chance.pick(target.role('gateway'));
    const at = Date.now();
    await gateway.kill();
    const everybody = await traffic.everybodyHears(at);
    await lasts(chance.between(0, 2_000));
    await gateway.restart();
    await traffic.flows();
    report({ round, everybody });
  }
  report(await traffic.judge());
});

faultTest('all gateways are killed and come back', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin();
  const at = Date.now();
  await Promise.all(target.role('gateway').map((gateway) => gateway.kill()));
  await lasts(chance.between(200, 1_500));
  await Promise.all(target.role('gateway').map((gateway) => gateway.restart()));
  const everybody = await traffic.everybodyHears(at);
  await traffic.flows();
  report({ everybody, ...await traffic.judge() });
});
