// NATS is restarted; the database stands still, or dies and comes back. Each with parts of its own.
import { Backing } from '../harness/backing.mjs';
import { faultTest, lasts } from '../harness/faults.mjs';

/** Parts of this test alone. */
async function own(t, parts) {
  const backing = await Backing.start(parts);
  t.after(() => backing.end());
  return backing;
}

for (const how of ['kill', 'stop']) {
  faultTest(`NATS is restarted after a ${how}`, async (t, { chance, begin, report }) => {
    const backing = await own(t, { nats: true, cassandra: false });
    const { traffic } = await begin({ cluster: { backing } });
    for (const round of [1, 2]) {
      const from = Date.now();
      await backing.nats[how]();
      await lasts(chance.between(0, 2_000));
      await backing.nats.start();
      const at = Date.now();
      const speaks = await traffic.speaks(at);
      const everybody = await traffic.everybodyHears(at);
      await traffic.flows();
      report({ round, down: at - from, speaks, everybody, silence: traffic.silence(from) });
    }
    report(await traffic.judge());
  });
}

const faults = {
  'stands still for ten seconds': async ({ cassandra }) => {
    await cassandra.pause();
    await lasts(10_000);
    await cassandra.resume();
  },
  'dies and is started again': async ({ cassandra }) => {
    await cassandra.kill();
    await cassandra.start();
  },
};

for (const [what, fault] of Object.entries(faults)) {
  faultTest(`Cassandra ${what}`, async (t, { begin, report }) => {
    const backing = await own(t, { nats: false, cassandra: true });
    const { traffic } = await begin({ cluster: { backing } });
    const from = Date.now();
    await fault(backing);
    const at = Date.now();
    const speaks = await traffic.speaks(at, { timeout: 40_000 });
    await traffic.flows();
    // Who was told that a message is not kept may send it again; nobody was told otherwise.
    report({ down: at - from, speaks, silence: traffic.silence(from), ...await traffic.judge({ refusals: Infinity }) });
  }, { timeout: 240_000 });
}
