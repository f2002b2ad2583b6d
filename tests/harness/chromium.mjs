// A headless Chromium that talks to the loopback only.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const EXECUTABLE = process.env.THRONG_CHROMIUM ?? '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--no-first-run',
  '--disable-component-update', '--disable-sync', '--disable-quic', '--disable-default-apps', '--disable-extensions',
  // Whatever it wants elsewhere does not resolve.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** Starts the browser for the test `t`, and ends it with the test. */
export async function browser(t) {
  if (!existsSync(EXECUTABLE)) throw new Error(`no Chromium at ${EXECUTABLE}: run "make test", or set THRONG_CHROMIUM`);
  const started = await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  t.after(() => started.close());
  return started;
}
