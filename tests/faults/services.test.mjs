// The other services die one at a time and are started again some seconds later: who talks notices at
// most a pause, and who comes back meanwhile is let in in the end.
import assert from 'node:assert/strict';
import { faultTest, lasts } from '../harness/faults.mjs';

for (const role of ['history', 'presence', 'callback', 'directory']) {
  faultTest(`kill -9 of ${role}`, async (t, { chance, begin, report }) => {
    const { w, target, traffic } = await begin();
    const at = Date.now();
    await target.process(role).kill();
    // Somebody's line breaks just now.
    const [unlucky] = traffic.clients.filter((client) => client.line);
    unlucky.line.close();
    await lasts(chance.between(1_000, 4_000));
    await target.process(role).restart();
    const restarted = Date.now();
    const speaks = await traffic.speaks(restarted);
    const everybody = await traffic.everybodyHears(restarted);
    await traffic.flows();
    const late = await w.raw('late');
    assert.equal((await late.join(traffic.groups[0].id)).ErrorCode ?? 0, 0, 'newcomers are let in');
    report({ down: restarted - at, speaks, everybody, silence: traffic.silence(at), ...await traffic.judge() });
  });
}
