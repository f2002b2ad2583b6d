// What all fault tests share: repetition by seeds, the world in which they happen, the report of how
// long it took until rooms spoke again.
import { appendFileSync } from 'node:fs';
import test from 'node:test';
import { newSeed, Seeded } from './seeded.mjs';
import { onlyCluster } from './target.mjs';
import { Traffic } from './traffic.mjs';
import { deadline } from './wait.mjs';
import { world } from './world.mjs';

// THRONG_FAULT_SEED=… repeats a failure; THRONG_FAULT_SEEDS=… makes so many repetitions.
const given = process.env.THRONG_FAULT_SEED;
const FIRST = Number(given ?? newSeed());
const COUNT = Number(process.env.THRONG_FAULT_SEEDS ?? (given ? 1 : 2));

/**
 * A test for each seed: `body` gets the test, the seed's chance, and `begin(config, traffic)`, which
 * starts a cluster with talk in it, or with another `load`.
 */
export function faultTest(name, body, { timeout = 120_000, load = Traffic } = {}) {
  for (let seed = FIRST; seed < FIRST + COUNT; seed += 1) {
    test(`${name} (THRONG_FAULT_SEED=${seed})`, onlyCluster({ timeout: deadline(timeout) }), async (t) => {
      const begin = async (config = {}, options = {}) => {
        const w = await world(t, { app: { rooms: { messages_per_second: 1000 } }, ...config });
        const traffic = await load.start(w, { seed, ...options });
        await traffic.flows(10);
        return { w, target: w.target, traffic };
      };
      await body(t, { seed, chance: new Seeded(seed), begin, report: (figures) => report(t, name, seed, figures) });
    });
  }
}

/** Says what was measured, in the test's output and in the summary of the run. */
function report(t, fault, seed, figures) {
  t.diagnostic(Object.entries(figures).map(([what, value]) => `${what} ${value}`).join(', '));
  const file = process.env.THRONG_TEST_SUMMARY;
  if (file) appendFileSync(file, `${JSON.stringify({ fault, seed, ...figures })}\n`);
}

/** Waiting that is part of a fault: for how long something is down, paused or parted. */
export const lasts = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
