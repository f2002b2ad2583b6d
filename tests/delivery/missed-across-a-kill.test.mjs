// What a member misses around a kill of the server, step by step: said before it, said after it, sent
// during it. (The SDK neither joins again nor asks for what it missed.)
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

async function room(t) {
  const w = await world(t, { app: { rooms: { messages_per_second: 1000 } } });
  const id = await w.room();
  const [ann, ben] = [await w.raw('ann'), await w.raw('ben')];
  await ann.join(id);
  await ben.join(id);
  await ann.say(id, 'both are here');
  await ben.waitForText(id, 'both are here');
  // Joins are not answered on disk; these tests are not about the moment in between.
  await w.membershipsWritten();
  const back = async (client) => {
    const again = await w.raw(null, { instance: client.instance, session: client.session });
    const login = await again.relogin();
    assert.equal(login.ErrorCode ?? 0, 0, JSON.stringify(login));
    return again;
  };
  return { w, id, ann, ben, back };
}

async function says(client, id, prefix) {
  for (let i = 0; i < 5; i += 1) {
    const answer = await client.say(id, `${prefix} ${i}`);
    assert.equal(answer.ErrorCode, 0, JSON.stringify(answer));
  }
}

const expected = (prefix) => Array.from({ length: 5 }, (_, i) => `${prefix} ${i}`);

test('messages acknowledged just before the kill reach a member whose line was dead', async (t) => {
  const { w, id, ann, ben, back } = await room(t);
  ben.close();
  await ben.closed;
  await says(ann, id, 'before');
  await w.target.killAndRestart();
  const again = await back(ben);
  await again.waitForText(id, 'before 4');
  assert.deepEqual(again.texts(id).filter((x) => x.startsWith('before')), expected('before'));
});

test('messages sent after the restart reach a member that comes back later', async (t) => {
  const { w, id, ann, ben, back } = await room(t);
  await w.target.killAndRestart();
  await says(await back(ann), id, 'after');
  const again = await back(ben);
  await again.waitForText(id, 'after 4');
  assert.deepEqual(again.texts(id).filter((x) => x.startsWith('after')), expected('after'));
});

test('after two kills in a row nothing of the time between is missing', async (t) => {
  const { w, id, ann, ben, back } = await room(t);
  ben.close();
  await says(ann, id, 'first');
  await w.target.killAndRestart();
  await says(await back(ann), id, 'second');
  await w.target.killAndRestart();
  await says(await back(ann), id, 'third');
  const again = await back(ben);
  await again.waitForText(id, 'third 4');
  const got = again.texts(id).filter((x) => x !== 'both are here');
  assert.deepEqual(got, [...expected('first'), ...expected('second'), ...expected('third')]);
});

test('a send that was pending when the server died is good on the next one, before the re-login', async (t) => {
  const { w, id, ann, ben, back } = await room(t);
  const frame = { head: ann.head('group_open_http_svc.send_group_msg'), body: ann.sendBody(id, 'pending') };
  await w.target.killAndRestart();
  const again = await w.raw(null, { instance: ann.instance, session: ann.session });
  const answer = await again.exchange(frame);
  assert.equal(answer.ErrorCode, 0, JSON.stringify(answer));
  const ben2 = await back(ben);
  await ben2.waitForText(id, 'pending');
});

test('a polling guest goes on with its old key after the kill', async (t) => {
  const { w, id, ann, back } = await room(t);
  const guest = await w.raw();
  const service = 'group_open_long_polling_http_noauth_svc.get_msg';
  const { LongPollingKey } = await guest.ok('group_open_http_noauth_svc.apply_join_group', { GroupId: id, WebPushFlag: 1 });
  await ann.say(id, 'for the first poll');
  const { Key, NextSeq } = await guest.ok(service, { USP: 1, StartSeq: 0, HoldTime: 90, Key: LongPollingKey, DownsizeFlag: 0 });
  await w.target.killAndRestart();
  await says(await back(ann), id, 'after');
  const again = await w.raw();
  const items = [];
  let cursor = { Key, NextSeq };
  while (!items.some((i) => i.MsgBody?.[0]?.MsgContent?.Text === 'after 4')) {
    cursor = await again.ok(service, { USP: 1, StartSeq: cursor.NextSeq, HoldTime: 90, Key: cursor.Key, DownsizeFlag: 0 }, {}, { timeout: 15_000 });
    items.push(...(cursor.RspMsgList ?? []));
  }
  assert.deepEqual(items.filter((i) => i.Event === 3).map((i) => i.MsgBody[0].MsgContent.Text).filter((x) => x.startsWith('after')), expected('after'));
});
