// Runs the whole-system tests: `node run.mjs [part of a path…]`.
// Two files at a time by default: the tests compare times, so a machine must not be overloaded.
import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { requireBinary } from './harness/binary.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const NOT_TESTS = new Set(['node_modules', 'harness', '.venv']);

function testFiles() {
  return readdirSync(HERE, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NOT_TESTS.has(entry.name))
    .flatMap((entry) => readdirSync(path.join(HERE, entry.name)).map((name) => path.join(entry.name, name)))
    .filter((name) => name.endsWith('.test.mjs'))
    .sort();
}

requireBinary();
const wanted = process.argv.slice(2);
const files = testFiles().filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
if (files.length === 0) throw new Error(`no test file matches ${wanted.join(', ')}`);

const concurrency = Number(process.env.THRONG_TEST_JOBS ?? Math.max(2, Math.floor(os.availableParallelism() / 2)));
const events = run({ files: files.map((name) => path.join(HERE, name)), concurrency, timeout: 300_000 });
events.on('test:fail', () => { process.exitCode = 1; });
events.compose(new spec()).pipe(process.stdout);
