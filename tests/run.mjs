// Runs the whole-system tests: `node run.mjs [part of a path…]`, `-PART` for all but those.
// The tests compare times, so a machine must not be overloaded: few files at a time.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { Backing } from './harness/backing.mjs';
import { requireBinary } from './harness/binary.mjs';
import { CERTIFICATES } from './harness/certificates.mjs';
import { scratchFolder } from './harness/scratch.mjs';
import { mistakes } from './harness/sdk-methods.mjs';
import { CLUSTERED } from './harness/target.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const NOT_TESTS = new Set(['node_modules', 'harness', '.venv']);
/** Files whose tests are repeated for each seed, some seconds each. */
const LONG = /^faults\//;
const MINUTE = 60_000;

function testFiles() {
  return readdirSync(HERE, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NOT_TESTS.has(entry.name))
    .flatMap((entry) => readdirSync(path.join(HERE, entry.name)).map((name) => path.join(entry.name, name)))
    .filter((name) => name.endsWith('.test.mjs'))
    .sort();
}

function chosen(files, parts) {
  const without = parts.filter((part) => part.startsWith('-')).map((part) => part.slice(1));
  const within = parts.filter((part) => !part.startsWith('-'));
  return files.filter((name) => (within.length === 0 || within.some((part) => name.includes(part))) && !without.some((part) => name.includes(part)));
}

/** Files at a time: a cluster is nine processes. */
function jobs() {
  const cores = os.availableParallelism();
  return Number(process.env.THRONG_TEST_JOBS ?? Math.max(CLUSTERED ? 1 : 2, Math.floor(cores / (CLUSTERED ? 4 : 2))));
}

function runFiles(files) {
  const timeout = (files.some((name) => LONG.test(name)) ? 40 : 10) * MINUTE;
  const events = run({ files: files.map((name) => path.join(HERE, name)), concurrency: jobs(), timeout });
  events.on('test:fail', () => { process.exitCode = 1; });
  return new Promise((resolve) => {
    const report = events.compose(new spec());
    report.on('end', resolve);
    report.pipe(process.stdout);
  });
}

/** What fault tests measured, a line each. */
function printSummary(file) {
  let lines;
  try {
    lines = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  } catch {
    return; // None ran.
  }
  console.log('\nmeasured (times in milliseconds)');
  for (const { fault, seed, ...figures } of lines) {
    console.log(`  ${fault} [${seed}]: ${Object.entries(figures).map(([what, value]) => `${what} ${value}`).join(', ')}`);
  }
}

/** Whether all tests run in which SDKs call. */
function complete(parts) {
  return parts.every((part) => part.startsWith('-faults'));
}

/** Holds the methods that the tests have called against what the documents say of them. */
function checkMethods(file) {
  const found = mistakes(file);
  for (const mistake of found) console.error(`docs/sdk-methods.md: ${mistake}`);
  if (found.length > 0) process.exitCode = 1;
}

requireBinary();
// Node reads it when a process starts: tests of TLS trust the certificate of the gateway's own tests.
process.env.NODE_EXTRA_CA_CERTS = CERTIFICATES.cert;
const began = Date.now();
const parts = process.argv.slice(2);
const files = chosen(testFiles(), parts);
if (files.length === 0) throw new Error(`no test file matches ${parts.join(', ')}`);

const scratch = scratchFolder('run');
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
process.env.THRONG_TEST_SUMMARY = path.join(scratch, 'summary');
process.env.THRONG_TEST_METHODS = path.join(scratch, 'methods');
let backing;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await (await backing)?.end();
    process.exit(130);
  });
}
try {
  if (CLUSTERED) {
    backing = Backing.start();
    process.env.THRONG_TEST_BACKING = JSON.stringify((await backing).config);
  }
  await runFiles(files);
  printSummary(process.env.THRONG_TEST_SUMMARY);
  if (complete(parts)) checkMethods(process.env.THRONG_TEST_METHODS);
  console.log(`\n${files.length} files against ${CLUSTERED ? 'a cluster each world' : 'standalone'} in ${Math.round((Date.now() - began) / 1000)} s`);
} finally {
  await (await backing)?.end();
}
