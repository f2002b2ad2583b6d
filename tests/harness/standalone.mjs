// A `throng standalone` process under test: start, kill, restart in the same place, read its numbers.
import { createInterface } from 'node:readline';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BINARY, REPOSITORY, requireBinary } from './binary.mjs';
import { ended, start } from './children.mjs';
import { parseMetrics, sum } from './metrics.mjs';
import { toml } from './toml.mjs';
import { deadline, until } from './wait.mjs';

const READY = /^ready listen=(127\.0\.0\.1:\d+) admin=(127\.0\.0\.1:\d+)$/;

export class Standalone {
  /** `config` is the content of the config file, less addresses and data folder. */
  static async start(config, { args = [], env = {} } = {}) {
    requireBinary();
    const server = new Standalone(config, args, env);
    await server.launch();
    return server;
  }

  constructor(config, args, env) {
    this.config = config;
    this.args = args;
    this.env = env;
    this.dir = mkdtempSync(path.join(os.tmpdir(), 'throng-test-'));
    // Port 0 the first time; a restarted server must come back where its clients look for it.
    this.listen = '127.0.0.1:0';
    this.admin = '127.0.0.1:0';
    this.stdout = [];
    this.stderr = '';
    this.starts = 0;
    this.expected = false;
  }

  get base() { return `http://${this.listen}`; }
  get wsBase() { return `ws://${this.listen}`; }
  get pid() { return this.child.pid; }

  async launch() {
    const file = path.join(this.dir, 'throng.toml');
    writeFileSync(file, toml({ listen: this.listen, admin_listen: this.admin, data_dir: path.join(this.dir, 'data'), ...this.config }));
    // THRONG_… variables are settings to the server; those of this run are meant for the tests.
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('THRONG_')));
    this.expected = false;
    this.starts += 1;
    const child = start(BINARY, ['standalone', '--config', file, ...this.args], {
      cwd: REPOSITORY,
      env: { RUST_BACKTRACE: '1', ...inherited, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const lines = [];
    this.stdout.push(lines);
    child.stderr.on('data', (part) => { this.stderr = (this.stderr + part).slice(-400_000); });
    child.once('exit', (code, signal) => {
      if (child === this.child && !this.expected) this.died = `server ended by itself: code ${code}, signal ${signal}`;
    });
    const ready = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        if (READY.test(line)) resolve(line);
      });
    });
    const failed = new Promise((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`server did not start: code ${code}, signal ${signal}\n${this.logTail()}`)));
      setTimeout(() => reject(new Error(`no ready line within ${deadline(20_000)} ms; stdout: ${lines.join(' | ')}\n${this.logTail()}`)), deadline(20_000)).unref();
    });
    failed.catch(() => {});
    const [, listen, admin] = READY.exec(await Promise.race([ready, failed]));
    Object.assign(this, { listen, admin });
  }

  /** The end at any moment, as by a power cut of the process. */
  async kill() {
    this.expected = true;
    this.child.kill('SIGKILL');
    await ended(this.child);
  }

  /** Asks the server to drain and end; returns its exit code and signal. */
  async terminate(signal = 'SIGTERM', timeout = 15_000) {
    this.expected = true;
    this.child.kill(signal);
    const late = setTimeout(() => this.child.kill('SIGKILL'), deadline(timeout));
    const how = await ended(this.child);
    clearTimeout(late);
    return how;
  }

  /** Starts again with the same addresses, data and config. */
  async restart() {
    await this.launch();
  }

  async killAndRestart() {
    await this.kill();
    await this.restart();
  }

  /** Ends the server for good and removes its data. */
  async dispose() {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  logTail(lines = 60) {
    return this.stderr.split('\n').slice(-lines).join('\n');
  }

  async adminGet(where) {
    const response = await fetch(`http://${this.admin}${where}`, { signal: AbortSignal.timeout(10_000) });
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

  async untilReady() {
    await until(async () => (await this.adminGet('/readyz')).status === 200, 'readiness');
  }

  /** What must hold of any server at the end of any test. */
  problems() {
    const found = [];
    if (this.died) found.push(`${this.died}\n${this.logTail()}`);
    if (/panicked at/.test(this.stderr)) found.push(`the server panicked:\n${this.logTail()}`);
    for (const lines of this.stdout) {
      if (lines.length > 1) found.push(`more than the ready line on stdout: ${lines.join(' | ')}`);
    }
    return found;
  }
}
