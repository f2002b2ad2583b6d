// What is left of a live room's messages: the last 20 for who joins, and the history by REST.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

const texts = (from, to) => Array.from({ length: to - from }, (_, i) => `m${from + i}`);

test('who joins gets the last 20 messages in order, then what is new, nothing twice', async (t) => {
  const w = await world(t);
  const room = await w.room();
  for (const text of texts(0, 30)) await w.rest.say(room, text);
  const ann = await w.user('ann');
  await ann.join(room);
  await w.rest.say(room, 'new');
  await ann.waitForText(room, 'new');
  assert.deepEqual(ann.chats(room).map((m) => m.payload.text), [...texts(10, 30), 'new']);
});

test('the history for joiners survives a kill', async (t) => {
  const w = await world(t);
  const room = await w.room();
  for (const text of texts(0, 25)) await w.rest.say(room, text);
  await w.target.killAndRestart();
  const ann = await w.user('ann');
  await ann.join(room);
  await ann.waitForText(room, 'm24');
  assert.deepEqual(ann.chats(room).map((m) => m.payload.text), texts(5, 25));
});

test('an app that keeps no history gives none', async (t) => {
  const w = await world(t, { app: { rooms: { keep_history: false } } });
  const room = await w.room();
  for (const text of texts(0, 5)) await w.rest.say(room, text);
  const ann = await w.user('ann');
  await ann.join(room);
  await w.rest.say(room, 'new');
  await ann.waitForText(room, 'new');
  assert.deepEqual(ann.chats(room).map((m) => m.payload.text), ['new']);
});

test('REST pages through the history, newest first', async (t) => {
  const w = await world(t);
  const room = await w.room();
  for (const text of texts(0, 25)) await w.rest.say(room, text, { MsgPriority: 'High', CloudCustomData: 'c' });
  const read = [];
  let ReqMsgSeq;
  do {
    const page = await w.rest.group('group_msg_get_simple', { GroupId: room, ReqMsgNumber: 10, ...(ReqMsgSeq ? { ReqMsgSeq } : {}) });
    assert.ok(page.RspMsgList.length <= 10);
    const messages = page.RspMsgList.filter((m) => m.IsPlaceMsg === 0 && m.MsgBody?.[0]?.MsgType === 'TIMTextElem');
    read.push(...messages.map((m) => m.MsgBody[0].MsgContent.Text));
    for (const m of messages) {
      assert.equal(m.MsgPriority, 1);
      assert.equal(m.CloudCustomData, 'c');
    }
    const lowest = Math.min(...page.RspMsgList.map((m) => m.MsgSeq));
    if (page.RspMsgList.length === 0 || lowest <= 1) break;
    ReqMsgSeq = lowest - 1;
  } while (ReqMsgSeq >= 1 && read.length < 25);
  assert.deepEqual(read, texts(0, 25).reverse());
});
