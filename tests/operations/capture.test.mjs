// What a gateway writes down of the vendor's SDK: who did what when, and nothing by which they could be known.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { scratchFolder } from '../harness/scratch.mjs';
import { onlyStandalone } from '../harness/target.mjs';
import { world } from '../harness/world.mjs';

test('a capture has the commands, the numbers and the reconnects of SDK users, and no names or texts', onlyStandalone('its files'), async (t) => {
  const directory = scratchFolder('capture');
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const w = await world(t, { gateway: { drain_window: 0.2, capture: { directory } } });
  const [alice, benjamin] = await w.users('alice', 'benjamin');
  const room = await w.room();
  for (const user of [alice, benjamin]) await user.join(room);
  await alice.say(room, 'the first secret', { priority: 'High' });
  await benjamin.say(room, 'gr\u00fcn');
  await alice.cut();
  await alice.say(room, 'the last secret');
  await benjamin.waitForText(room, 'the last secret');
  const numbers = benjamin.chats(room).map((message) => message.sequence);
  await benjamin.call('quitGroup', room);
  assert.deepEqual(await w.target.terminate(), { code: 0, signal: null });

  const [file, ...others] = readdirSync(directory);
  assert.deepEqual(others, []);
  const text = readFileSync(path.join(directory, file), 'utf8');
  for (const hidden of ['alice', 'benjamin', room, 'secret', 'gr\u00fcn', '127.0.0.1', w.app.key, w.sign('alice').slice(0, 40)]) {
    assert.ok(!text.includes(hidden), `${hidden} is in the capture`);
  }
  const [header, ...records] = text.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(header.throng_capture, 1);
  assert.equal(records.at(-1).what, 'end');
  const sends = records.filter((record) => record.message).sort((a, b) => a.message.seq - b.message.seq);
  const [first, second, third] = sends;
  assert.equal(sends.length, 3);
  assert.deepEqual([first.user === third.user, first.user === second.user, first.line === third.line], [true, false, false]);
  assert.deepEqual(sends.map(({ message }) => message.elements), [16, 5, 15].map((bytes) => [{ type: 'TIMTextElem', bytes }]));
  assert.equal(first.message.priority, 'High');
  assert.ok(sends.every((send) => send.took > 0 && send.group === first.group));
  // What is repeated on a new line may come before the gateway knows again where its sender sits.
  assert.deepEqual([first.live, second.live], [true, true]);
  const heard = sends.map(({ message }) => message.seq).filter((seq) => numbers.includes(seq));
  assert.deepEqual(heard, numbers, 'the numbers that a member was told');
  const names = (name) => records.filter((record) => record.name === name);
  assert.equal(names('group_open_http_svc.quit_group').length, 1);
  assert.deepEqual(names('im_open_status.wslogin').map(({ again }) => again ?? false).sort(), [false, false, true]);
  assert.equal(records.filter(({ what }) => what === 'close').length, 3);
});
