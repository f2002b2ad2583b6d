// kill -9 at random moments under changes of groups: no member is lost, none appears, and the histories tell
// of each change once.
import test from 'node:test';
import { GroupChanges } from '../harness/group-changes.mjs';
import { newSeed, Seeded } from '../harness/seeded.mjs';
import { deadline } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

// THRONG_TEST_SEED=… repeats a failure.
const seed = Number(process.env.THRONG_TEST_SEED ?? newSeed());
const KILLS = Number(process.env.THRONG_TEST_KILLS ?? 4);

test(`groups are whole after ${KILLS} kills (THRONG_TEST_SEED=${seed})`, { timeout: deadline(180_000) }, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const chance = new Seeded(seed);
  const w = await world(t, { app: { rooms: { messages_per_second: 100_000 } } });
  const changes = await GroupChanges.start(w, { seed });
  for (let kill = 0; kill < KILLS; kill += 1) {
    await changes.flows(Math.floor(chance.between(30, 120)));
    await w.target.killAndRestart();
  }
  await changes.flows(30);
  const figures = await changes.judge();
  t.diagnostic(`${Object.entries(figures).map(([what, value]) => `${what} ${value}`).join(', ')}; repetitions: ${changes.describeRepeats()}`);
});
