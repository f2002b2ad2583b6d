// A message sent twice is one message: same sender, room and Random within five minutes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { textElement } from '../harness/rest.mjs';
import { world } from '../harness/world.mjs';

test('the second send gets the first answer, and the room sees one message', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = [await w.raw('ann'), await w.raw('ben')];
  await ann.join(room);
  await ben.join(room);
  const body = ann.sendBody(room, 'once', { Random: 777 });
  const first = await ann.ok('group_open_http_svc.send_group_msg', body);
  const second = await ann.ok('group_open_http_svc.send_group_msg', body);
  assert.deepEqual([second.MsgSeq, second.MsgTime], [first.MsgSeq, first.MsgTime]);
  const third = await ben.ok('group_open_http_svc.send_group_msg', ben.sendBody(room, 'by another sender', { Random: 777 }));
  assert.notEqual(third.MsgSeq, first.MsgSeq);
  await ben.waitForText(room, 'by another sender');
  assert.deepEqual(ben.texts(room), ['once', 'by another sender']);
});

test('over REST as well, and over a kill for stored messages', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const send = () => w.rest.group('send_group_msg', { GroupId: room, Random: 4242, MsgBody: [textElement('once')] });
  const first = await send();
  assert.equal((await send()).MsgSeq, first.MsgSeq);
  await w.target.killAndRestart();
  assert.equal((await send()).MsgSeq, first.MsgSeq, 'the duplicate check survives the kill');
});
