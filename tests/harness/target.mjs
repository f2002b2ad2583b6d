// What the tests run against. This is the only place that knows: every test asks for a "target" and
// uses what it gives (base, wsBase, metric, kill, restart, dispose, problems, …).
import { Standalone } from './standalone.mjs';

const TARGETS = {
  standalone: (config, options) => Standalone.start(config, options),
};

const chosen = process.env.THRONG_TEST_TARGET ?? 'standalone';

/** Starts a fresh, isolated server (or cluster) with the given config. */
export function startTarget(config, options) {
  const make = TARGETS[chosen];
  if (!make) {
    throw new Error(`THRONG_TEST_TARGET=${chosen}: only ${Object.keys(TARGETS).join(', ')} can be started`);
  }
  return make(config, options);
}
