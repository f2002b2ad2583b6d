// The first thing any app does: the unmodified SDK logs in and says SDK_READY.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { until } from '../harness/wait.mjs';

// What the SDK asks in the burst after its login (client-protocol 01, 2.1).
const BURST = ['portrait_get_all', 'black_list_get', 'page_get', 'get_joined_group_list', 'getmsg', 'friend_get',
  'group_get', 'pendency_get', 'fetch_config', 'get_contact_group', 'fetch_imsdk_purchase_bitsv2'];

test('login resolves, SDK_READY fires and the whole login burst is answered without error', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');

  assert.equal(await ann.call('isReady'), true);
  assert.equal(await ann.call('getLoginUser'), 'ann');

  const [login] = ann.answers('wslogin');
  assert.ok(login.body.A2Key.length > 0);
  assert.match(login.body.TinyId, /^\d{1,19}$/);
  assert.ok(login.body.InstId >= 1);
  assert.ok(login.body.HelloInterval > 0);
  assert.ok(Math.abs(login.body.TimeStamp - Date.now() / 1000) < 30);
  assert.match(login.body.PurchaseBits, /^1{64}$/);

  for (const command of BURST) {
    await ann.waitForFrame((f) => f.dir === 'in' && f.head.servcmd?.endsWith(`.${command}`), `the answer to ${command}`);
    const [answer] = ann.answers(command);
    assert.equal(answer.body.ErrorCode ?? answer.body.int32_error_code ?? 0, 0, `${command}: ${JSON.stringify(answer.body)}`);
  }
  assert.deepEqual(ann.rejections, [], 'no request of the burst was refused');
});

test('every request is answered with the same servcmd and seq', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  await ann.waitForFrame((f) => f.dir === 'in' && f.head.servcmd?.endsWith('.fetch_imsdk_purchase_bitsv2'), 'the last answer of the burst');
  const silent = new Set(['ws_msg_push_ack']);
  await until(() => ann.frames.entries
    .filter((f) => f.dir === 'out' && !silent.has(f.head.servcmd.split('.')[1]))
    .every((out) => ann.frames.entries.some((f) => f.dir === 'in' && f.head.seq === out.head.seq && f.head.servcmd === out.head.servcmd)),
  'an answer to every request');
});

test('the account keeps its TinyId over logins, and another account has another', async (t) => {
  const w = await world(t);
  const [first, second, other] = [await w.raw('ann'), await w.raw('ann'), await w.raw('ben')];
  assert.equal(first.session.tinyId, second.session.tinyId);
  assert.notEqual(first.session.tinyId, other.session.tinyId);
  assert.notEqual(first.session.instId, second.session.instId, 'two instances of one account');
});

test('logout, then a login as somebody else on the same socket', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  await ann.call('logout');
  assert.equal(await ann.call('isReady'), false);
  const sockets = ann.frames.entries.filter((f) => f.dir === 'open').length;
  await ann.call('login', { userID: 'ben', userSig: w.sign('ben') });
  assert.equal(await ann.call('getLoginUser'), 'ben');
  assert.equal(ann.frames.entries.filter((f) => f.dir === 'open').length, sockets);
});

test('an SDK that is taken down is offline', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  const state = async () => (await w.rest.ok('openim/query_online_status', { To_Account: ['ann'] })).QueryResult[0].Status;
  await until(async () => await state() === 'Online', 'ann online');
  await ann.call('destroy');
  await until(async () => await state() === 'Offline', 'ann offline');
});
