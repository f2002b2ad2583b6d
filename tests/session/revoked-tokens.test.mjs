// Requests are good by the token in their head, before the login of their connection. The token of a session
// that is over is good for nothing, on any connection and through a restart.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { until } from '../harness/wait.mjs';

/** What a client that never logs in again gets for its commands. */
async function actingWithoutLogin(w, { instance, session }, room) {
  const raw = await w.raw(null, { instance, session });
  const codes = [];
  for (const [servcmd, body] of [
    ['group_open_http_svc.send_group_msg', raw.sendBody(room, 'still here')],
    ['group_open_http_svc.apply_join_group', { GroupId: room, WebPushFlag: 1 }],
    ['profile.portrait_set', { From_Account: session.user, ProfileItem: [{ Tag: 'Tag_Profile_IM_Nick', Value: 'x' }] }],
    ['im_open_status.wshello', {}],
  ]) {
    codes.push((await raw.request(servcmd, body)).ErrorCode ?? 0);
  }
  codes.push((await raw.relogin()).ErrorCode ?? 0);
  return codes;
}

const REFUSED = [1002, 1002, 1002, 1002, 1002];

test('after a kick by the REST API, also when the server was restarted since', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  const issued = Math.floor(Date.now() / 1000);
  await until(() => Math.floor(Date.now() / 1000) > issued, 'the next second');
  await w.rest.ok('im_open_login_svc/kick', { UserID: 'ann' });
  await ann.waitForPush((f) => f.head.servcmd === 'im_open_status.stat_forceoffline', 'the kick');
  await ann.fails(1002, 'group_open_http_svc.send_group_msg', ann.sendBody(room, 'still here'));
  assert.deepEqual(await actingWithoutLogin(w, ann, room), REFUSED);
  await w.target.kill();
  await w.target.restart();
  assert.deepEqual(await actingWithoutLogin(w, ann, room), REFUSED);
});

test('after a logout', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.ok('im_open_status.wslogout', { wslogout_type: 0 });
  assert.deepEqual(await actingWithoutLogin(w, ann, room), REFUSED);
});

test('after another login took its place', async (t) => {
  const w = await world(t, { app: { devices: { web_instances: 1 } } });
  const room = await w.room();
  const first = await w.raw('ann');
  await w.raw('ann');
  assert.deepEqual(await actingWithoutLogin(w, first, room), REFUSED);
});
