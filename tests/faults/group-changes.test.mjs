// The owner of groups with stored members dies in the middle of their changes, also while the database stands
// still: no member is lost, none appears, and the histories tell of each change once.
import { Backing } from '../harness/backing.mjs';
import { faultTest, lasts } from '../harness/faults.mjs';
import { GroupChanges } from '../harness/group-changes.mjs';

const KILLS = 3;

faultTest('kill -9 of owners under changes of groups', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin();
  for (let kill = 0; kill < KILLS; kill += 1) {
    await traffic.flows(Math.floor(chance.between(10, 60)));
    const owner = await target.ownerOf(chance.pick(traffic.groups).id);
    await owner.kill();
    await lasts(chance.between(0, 1_000));
    await owner.restart();
  }
  await traffic.flows();
  report(await traffic.judge({ connected: true }));
  t.diagnostic(`repetitions: ${traffic.describeRepeats()}`);
}, { load: GroupChanges, timeout: 240_000 });

faultTest('kill -9 of an owner while Cassandra stands still under changes of groups', async (t, { chance, begin, report }) => {
  const backing = await Backing.start({ nats: false });
  t.after(() => backing.end());
  const { target, traffic } = await begin({ cluster: { backing } });
  await traffic.flows(Math.floor(chance.between(10, 60)));
  const owner = await target.ownerOf(chance.pick(traffic.groups).id);
  await backing.cassandra.pause();
  await lasts(chance.between(0, 1_000));
  await owner.kill();
  await lasts(chance.between(0, 1_000));
  await backing.cassandra.resume();
  await owner.restart();
  await traffic.flows();
  report(await traffic.judge({ connected: true }));
  t.diagnostic(`repetitions: ${traffic.describeRepeats()}`);
}, { load: GroupChanges, timeout: 300_000 });
