// Runs the whole-system tests: `node run.mjs [part of a path…]`.
// The tests compare times, so a machine must not be overloaded: few files at a time.
import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { Backing } from './harness/backing.mjs';
import { requireBinary } from './harness/binary.mjs';
import { CLUSTERED } from './harness/target.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const NOT_TESTS = new Set(['node_modules', 'harness', '.venv']);
/** These make faults in a cluster: many rounds, each of some seconds. */
const LONG = path.join(HERE, 'faults');
const MINUTE = 60_000;

function testFiles() {
  return readdirSync(HERE, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NOT_TESTS.has(entry.name))
    .flatMap((entry) => readdirSync(path.join(HERE, entry.name)).map((name) => path.join(entry.name, name)))
    .filter((name) => name.endsWith('.test.mjs'))
    .sort();
}

/** A part that begins with a hyphen leaves out what the others take in. */
function chosen(files, parts) {
  const without = parts.filter((part) => part.startsWith('-')).map((part) => part.slice(1));
  const within = parts.filter((part) => !part.startsWith('-'));
  return files.filter((name) => (within.length === 0 || within.some((part) => name.includes(part))) && !without.some((part) => name.includes(part)));
}

/** A cluster has many processes: a file for each two cores. */
function jobs() {
  const cores = os.availableParallelism();
  return Number(process.env.THRONG_TEST_JOBS ?? (CLUSTERED ? Math.max(1, Math.floor(cores / 4)) : Math.max(2, Math.floor(cores / 2))));
}

function runFiles(files) {
  const long = files.some((name) => name.startsWith(LONG));
  const events = run({ files, concurrency: jobs(), timeout: (long ? 30 : 10) * MINUTE });
  events.on('test:fail', () => { process.exitCode = 1; });
  return new Promise((resolve) => events.compose(new spec()).on('end', resolve).pipe(process.stdout));
}

requireBinary();
const parts = process.argv.slice(2);
const files = chosen(testFiles(), parts).map((name) => path.join(HERE, name));
if (files.length === 0) throw new Error(`no test file matches ${parts.join(', ')}`);

let backing = null;
if (CLUSTERED) {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await backing?.end();
      process.exit(130);
    });
  }
  backing = await Backing.start();
  process.env.THRONG_TEST_BACKING = JSON.stringify(backing.config);
}
try {
  await runFiles(files);
} finally {
  await backing?.end();
}
