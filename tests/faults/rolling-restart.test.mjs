// Every process is ended in order and started again, one by one, under talk: no send fails at its
// sender, and nothing is lost.
import assert from 'node:assert/strict';
import { faultTest } from '../harness/faults.mjs';

faultTest('a rolling restart of every service', async (t, { begin, report }) => {
  const { target, traffic } = await begin({ gateway: { drain_window: 1 } });
  for (const process of target.processes) {
    const at = Date.now();
    const exit = await process.terminate('SIGTERM', 25_000);
    const ended = Date.now();
    assert.deepEqual(exit, { code: 0, signal: null }, `the end of ${process.name}`);
    await process.restart();
    await process.untilReady(20_000);
    const back = Date.now();
    const everybody = await traffic.everybodyHears(at);
    await traffic.flows(10);
    report({ process: process.name, end: ended - at, start: back - ended, everybody });
  }
  report(await traffic.judge());
}, { timeout: 300_000 });
