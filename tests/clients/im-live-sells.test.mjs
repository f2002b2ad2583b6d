// The vendor's live-selling component runs a room through our server. It has no option for a server's
// address: its TIM is wrapped by the one line that adds it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

// Runs inside the client's thread: makes the component and keeps it for later calls.
function startComponent({ TC, require, create, emit }, { roomID, userName, userSig }) {
  const TIM = { ...TC, create: (options) => TC.create({ ...options, proxyServer: create.proxyServer }) };
  const TLS = require('im-live-sells');
  const tls = new TLS({ SDKAppID: create.SDKAppID, roomID, userName, userSig, TIM });
  globalThis.tls = tls;
  for (const name of [...Object.values(TLS.EVENT), 'LIKE_IT', 'room_status', 'ANNOUNCE']) {
    tls.on(name, (data) => emit(`tls:${name}`, data));
  }
}

const call = (client, method, ...args) => client.inside(async (_, [name, list]) => globalThis.tls[name](...list), [method, args]);
const event = (client, name, matches = () => true) => client.waitForEvent(`tls:${name}`, matches, `the component's event ${name}`);

async function component(w, sdk, userName, roomID) {
  const client = await w.user(userName, { sdk, login: false, createNow: false, browser: true });
  await client.inside(startComponent, { roomID, userName, userSig: w.sign(userName) });
  await event(client, 'SDK_READY');
  return client;
}

// Its own dependency is the older package; the newer one is what its users wrap today.
for (const sdk of ['chat', 'tim-js-sdk']) {
  test(`im-live-sells with ${sdk}: join, comment, like, gift, buy, announcements, room status, leave`, async (t) => {
    const w = await world(t);
    const owner = await w.user('host');
    await owner.call('updateMyProfile', { nick: 'The host' });
    const room = await w.room({ Owner_Account: 'host', AppDefinedData: [{ Key: 'room_status', Value: 'on' }] });
    await owner.join(room);

    const viewer = await component(w, sdk, 'viewer', room);
    const joined = await call(viewer, 'joinRoom', { getOwnerInfo: true, roomID: room });
    assert.equal(joined.groupInfo.ownerID, 'host');
    assert.equal(joined.groupInfo.ownerInfo.nick, 'The host');
    const buyer = await component(w, sdk, 'buyer', room);
    await call(buyer, 'joinRoom', { getOwnerInfo: true, roomID: room });
    await event(viewer, 'JOIN_GROUP', (d) => d.userID === 'buyer');

    await call(viewer, 'sendMessage', 'nice stream');
    await event(buyer, 'MESSAGE', (d) => d.message === 'nice stream' && d.userID === 'viewer');
    await call(viewer, 'like', 'LIKE_IT', 'level 3');
    const like = await event(buyer, 'LIKE_IT', (d) => d.extension === 'level 3');
    assert.equal(like.data.userID, 'viewer');
    await call(viewer, 'sendGift', 'rocket');
    await event(buyer, 'SEND_GIFT', (d) => d.extension === 'rocket');
    await call(buyer, 'useCoupon', 'ten percent');
    await event(viewer, 'USE_COUPON', (d) => d.extension === 'ten percent');

    await w.rest.group('modify_group_base_info', { GroupId: room, AppDefinedData: [{ Key: 'room_status', Value: 'paused' }] });
    await event(viewer, 'room_status', (d) => d.value === 'paused');
    await w.rest.group('modify_group_base_info', { GroupId: room, Notification: 'Sale at nine' });
    await event(viewer, 'NOTIFACATION', (d) => d.notification === 'Sale at nine');
    await w.rest.group('send_group_system_notification', { GroupId: room, Content: '{"type":"ANNOUNCE","msg":"hello"}' });
    await event(viewer, 'ANNOUNCE', (d) => d.msg === 'hello');

    const info = await call(viewer, 'getRoomInfo');
    assert.equal(info.ownerInfo.nick, 'The host');
    await call(buyer, 'exitRoom');
    await event(viewer, 'EXIT_GROUP', (d) => d.userID === 'buyer');
  });
}
