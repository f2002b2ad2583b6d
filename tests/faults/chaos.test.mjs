// Many faults one after the other and over one another, drawn by chance: what no single one shows.
import { faultTest, lasts } from '../harness/faults.mjs';

const ACTIONS = 12;

/** Ends and starts, or pauses, one process; resolves when it serves again. */
const actions = {
  async kill(one, chance) {
    await one.kill();
    await lasts(chance.between(0, 2_000));
    await one.restart();
  },
  async restart(one) {
    await one.terminate('SIGTERM', 25_000);
    await one.restart();
  },
  async pause(one, chance) {
    await one.pause();
    await lasts(chance.between(500, 4_000));
    one.resume();
  },
};

faultTest('faults in any order, two at a time', async (t, { chance, begin, report }) => {
  const { target, traffic } = await begin({ gateway: { drain_window: 1 } });
  const from = Date.now();
  const busy = new Set();
  const done = [];
  const one = async () => {
    for (let i = 0; i < ACTIONS / 2; i += 1) {
      const victim = chance.pick(target.processes.filter((process) => !busy.has(process)));
      const action = chance.pick(Object.keys(actions));
      done.push(`${action} ${victim.name} at ${new Date().toISOString().slice(14, -1)}`);
      busy.add(victim);
      await actions[action](victim, chance);
      busy.delete(victim);
      await lasts(chance.between(0, 3_000));
    }
  };
  await Promise.all([one(), one()]);
  await target.untilReady();
  const at = Date.now();
  await traffic.speaks(at, { timeout: 60_000 });
  await traffic.everybodyHears(at, { timeout: 60_000 });
  await traffic.flows();
  t.diagnostic(done.join('; '));
  report({ silence: traffic.silence(from), ...await traffic.judge({ refusals: Infinity }) });
}, { timeout: 240_000 });
