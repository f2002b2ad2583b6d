// A Python with the official PyPI signature package, in a virtual environment of its own.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './children.mjs';

const TESTS = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const VENV = path.join(TESTS, '.venv');
export const PYTHON = path.join(VENV, 'bin', 'python');
const PACKAGE = 'tls-sig-api-v2==1.1';

/** Makes the virtual environment unless it is there. */
export async function preparePython() {
  if (existsSync(path.join(VENV, 'ready'))) return;
  const steps = [
    ['python3', ['-m', 'venv', '--clear', VENV]],
    [PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PACKAGE]],
    [PYTHON, ['-c', `open(${JSON.stringify(path.join(VENV, 'ready'))}, "w").close()`]],
  ];
  for (const [file, args] of steps) {
    const { code, stderr } = await run(file, args, { timeout: 300_000 });
    if (code !== 0) throw new Error(`${file} ${args.join(' ')}: exit ${code}\n${stderr}`);
  }
}

/** Runs a Python script with JSON on stdin; returns what it prints, as JSON. */
export async function python(script, input) {
  const { code, stdout, stderr } = await run(PYTHON, ['-c', script], { input: JSON.stringify(input) });
  if (code !== 0) throw new Error(`python: exit ${code}\n${stderr}`);
  return JSON.parse(stdout);
}
