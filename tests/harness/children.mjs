// Child processes that never outlive the test that started them.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

const children = new Set();

function present(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// The kernel kills the child when this process dies, however it dies.
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find(present);

/** Starts `file` with `args`; it is killed when this process ends for whatever reason. */
export function start(file, args, options = {}) {
  const child = SETPRIV
    ? spawn(SETPRIV, ['--pdeathsig', 'KILL', '--', file, ...args], options)
    : spawn(file, args, options);
  children.add(child);
  child.once('exit', () => children.delete(child));
  child.once('error', () => children.delete(child));
  return child;
}

/** Runs a short command to its end. */
export function run(file, args, { input, timeout = 20_000, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = start(file, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (part) => { stdout += part; });
    child.stderr.on('data', (part) => { stderr += part; });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    child.once('error', (error) => { clearTimeout(timer); reject(error); });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}

/** Resolves once the child is gone, with its exit code and signal. */
export function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve({ code: child.exitCode, signal: child.signalCode });
  }
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
}

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
