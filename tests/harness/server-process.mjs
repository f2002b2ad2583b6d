// One process of the binary under test: start, kill, pause, restart in the same place, read its log and
// numbers. Standalone servers and every process of a cluster are such.
import { createInterface } from 'node:readline';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BINARY, REPOSITORY } from './binary.mjs';
import { ended, start } from './children.mjs';
import { parseMetrics, sum } from './metrics.mjs';
import { toml } from './toml.mjs';
import { deadline, until } from './wait.mjs';

const READY = /^ready((?: \w+=127(?:\.\d+){3}:\d+)+)$/;

// THRONG_… variables are settings to the server; those of this run are meant for the tests.
export const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('THRONG_')));

export class ServerProcess {
  /**
   * `name` is unique in `dir`, where config, log and data are; `role` is the binary's command;
   * `settings()` gives the content of the config file at each start; `spawned(pid)` hears of each start
   * at once.
   */
  constructor({ name, role, dir, settings, args = [], env = {}, spawned = () => {} }) {
    Object.assign(this, { name, role, dir, settings, args, env, spawned });
    this.stdout = [];
    this.starts = 0;
    this.expected = false;
    this.addresses = {};
  }

  get pid() { return this.child.pid; }
  get configFile() { return path.join(this.dir, `${this.name}.toml`); }
  get logFile() { return path.join(this.dir, `${this.name}.log`); }
  get dataDir() { return path.join(this.dir, this.name); }
  get running() { return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null; }

  /** Starts the process and resolves with the milliseconds until its ready line. */
  async launch({ timeout = 20_000 } = {}) {
    const began = Date.now();
    mkdirSync(this.dataDir, { recursive: true });
    writeFileSync(this.configFile, toml({ data_dir: this.dataDir, ...this.settings() }));
    this.expected = false;
    this.starts += 1;
    const log = openSync(this.logFile, 'a');
    const child = start(BINARY, [this.role, '--config', this.configFile, ...this.args], {
      cwd: REPOSITORY,
      env: { RUST_BACKTRACE: '1', ...inherited, ...this.env },
      stdio: ['ignore', 'pipe', log],
    });
    closeSync(log);
    this.child = child;
    this.spawned(child.pid);
    const lines = [];
    this.stdout.push(lines);
    child.once('exit', (code, signal) => {
      if (child === this.child && !this.expected) this.died = `${this.name} ended by itself: code ${code}, signal ${signal}`;
    });
    const ready = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        if (READY.test(line)) resolve(line);
      });
    });
    let late;
    const failed = new Promise((_, reject) => {
      const fail = (why) => reject(new Error(`${this.name} ${why}\n${this.logTail()}`));
      child.once('error', reject);
      child.once('exit', (code, signal) => fail(`did not start: code ${code}, signal ${signal}`));
      late = setTimeout(() => fail(`printed no ready line within ${deadline(timeout)} ms; stdout: ${lines.join(' | ')}`), deadline(timeout));
    });
    failed.catch(() => {});
    try {
      const [, addresses] = READY.exec(await Promise.race([ready, failed]));
      this.addresses = Object.fromEntries(addresses.trim().split(' ').map((pair) => pair.split('=')));
    } finally {
      clearTimeout(late);
    }
    return Date.now() - began;
  }

  /** The end at any moment, as by a crash. */
  async kill() {
    this.expected = true;
    this.child.kill('SIGKILL');
    await ended(this.child);
  }

  /** Asks the process to drain and end; resolves with its exit code and signal. */
  async terminate(signal = 'SIGTERM', timeout = 15_000) {
    this.expected = true;
    this.child.kill(signal);
    const late = setTimeout(() => this.child.kill('SIGKILL'), deadline(timeout));
    const how = await ended(this.child);
    clearTimeout(late);
    return how;
  }

  /** Starts again with the same addresses, data and config. */
  async restart(options) {
    return this.launch(options);
  }

  async killAndRestart() {
    await this.kill();
    await this.restart();
  }

  /** Lets the process stand still (SIGSTOP); resolves when it does. */
  async pause() {
    this.child.kill('SIGSTOP');
    await until(() => /^\d+ \(.*\) T/s.test(readFileSync(`/proc/${this.pid}/stat`, 'utf8')), `${this.name} to stand still`);
  }

  /** Lets a paused process go on. */
  resume() {
    this.child.kill('SIGCONT');
  }

  /** Everything that the process wrote to stderr, over all starts. */
  get stderr() {
    try {
      return readFileSync(this.logFile, 'utf8');
    } catch {
      return '';
    }
  }

  logTail(lines = 60) {
    return this.stderr.split('\n').slice(-lines).join('\n');
  }

  async adminGet(where) {
    const response = await fetch(`http://${this.addresses.admin}${where}`, { signal: AbortSignal.timeout(10_000) });
    return { status: response.status, text: await response.text() };
  }

  async metrics() {
    const { text } = await this.adminGet('/metrics');
    return parseMetrics(text);
  }

  /** Sum of a metric over all samples that carry the labels. */
  async metric(name, labels = {}) {
    return sum(await this.metrics(), name, labels);
  }

  /** Resident memory of the process in bytes. */
  rss() {
    const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return Number(kib) * 1024;
  }

  async untilReady(timeout) {
    await until(async () => (await this.adminGet('/readyz')).status === 200, `readiness of ${this.name}`, { timeout });
  }

  /** What must hold of any process at the end of any test. */
  problems() {
    const found = [];
    const log = this.stderr;
    if (this.died) found.push(`${this.died}\n${this.logTail()}`);
    if (/panicked at/.test(log)) found.push(`${this.name} panicked:\n${around(log, /panicked at/)}`);
    for (const lines of this.stdout) {
      if (lines.length > 1) found.push(`more than the ready line on stdout of ${this.name}: ${lines.join(' | ')}`);
    }
    return found;
  }
}

/** The lines of `text` before and after the first that matches. */
function around(text, pattern, before = 15, after = 40) {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => pattern.test(line));
  return lines.slice(Math.max(0, at - before), at + after).join('\n');
}
