// What the tests run against. This is the only place that knows: every test asks for a "target" and
// uses what it gives (base, wsBase, metric, kill, restart, dispose, problems, …).
import { Cluster } from './cluster.mjs';
import { APP, OTHER_APP } from './credentials.mjs';
import { Standalone } from './standalone.mjs';

const chosen = process.env.THRONG_TEST_TARGET || 'standalone';

/** Whether tests run against a whole cluster. */
export const CLUSTERED = chosen === 'cluster';

const TARGETS = { standalone: Standalone, cluster: Cluster };
if (!TARGETS[chosen]) throw new Error(`THRONG_TEST_TARGET=${chosen}: only ${Object.keys(TARGETS).join(', ')} can be started`);

/** Starts a fresh, isolated server (or cluster) with the given config. */
export function startTarget(config, options) {
  return TARGETS[chosen].start(config, options);
}

let worlds = 0;

/**
 * Two apps for one world. The clusters of a run share their store, where nothing but the app keeps
 * them apart: no two worlds of a run have the same, whatever process they are in.
 */
export function freshApps() {
  if (!CLUSTERED) return [APP, OTHER_APP];
  const id = 1_400_000_000 + 2 * (process.pid * 64 + worlds++ % 64);
  return [{ ...APP, id }, { ...OTHER_APP, id: id + 1 }];
}

/** For `test(name, onlyStandalone(why), …)`: skips the test where a whole cluster is under test. */
export const onlyStandalone = (why) => ({ skip: CLUSTERED && `about the standalone process: ${why}` });

/** For tests of what only a cluster has. */
export const onlyCluster = (options = {}) => ({ ...options, skip: !CLUSTERED && 'needs THRONG_TEST_TARGET=cluster' });
