// Groups above `audience_size`: presence is told once who is in, and messages name nobody. For the SDK there
// is no difference; here the limit is so low that three members are many.
import assert from 'node:assert/strict';
import test from 'node:test';
import { onlyCluster } from '../harness/target.mjs';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';
import { joinGroup, publicGroup, textsSeen } from './support.mjs';

const LARGE = { group_router: { audience_size: 2 }, app: { devices: { web_instances: 3 } } };

const deliveries = (w, way) => w.target.metric('throng_group_router_audience_deliveries_total', { way });
const texts = (client, group) => client.heard(group).map((m) => m.text);

async function community(w, ...clients) {
  const [owner, ...others] = clients;
  await publicGroup(w, 'large', { Owner_Account: owner.user });
  for (const client of others) await joinGroup(client, 'large');
}

test('messages, tips and mentions come to all who are in, and to nobody else', async (t) => {
  const w = await world(t, LARGE);
  const [ana, ben, cleo, dan] = await w.users('ana', 'ben', 'cleo', 'dan');
  await community(w, ana, ben, cleo);
  await ana.say('large', 'one');
  for (const client of [ben, cleo]) await client.waitForText('large', 'one');

  await joinGroup(dan, 'large');
  for (const client of [ana, ben, cleo]) await client.waitForMessage('large', (m) => m.type === 'TIMGroupTipElem' && m.payload.userIDList.includes('dan'), `dan's coming at ${client.name}`);
  await ben.say('large', 'two');
  for (const client of [ana, cleo, dan]) await client.waitForText('large', 'two');

  await cleo.call('setMessageRemindType', { groupID: 'large', messageRemindType: 'Discard' });
  await ana.say('large', 'not for cleo');
  for (const client of [ben, dan]) await client.waitForText('large', 'not for cleo');
  await cleo.call('setMessageRemindType', { groupID: 'large', messageRemindType: 'AcceptNotNotify' });
  await ana.say('large', 'for cleo again');
  for (const client of [ben, cleo, dan]) await client.waitForText('large', 'for cleo again');
  assert.deepEqual(texts(cleo, 'large'), ['one', 'two', 'for cleo again']);

  await w.rest.group('delete_group_member', { GroupId: 'large', MemberToDel_Account: ['dan'] });
  await dan.waitForNotice(4);
  await ben.waitForTip('large', 3);
  await ana.mention('large', 'without dan', ['ben', '__kImSDK_MesssageAtALL__']);
  for (const client of [ben, cleo]) await client.waitForText('large', 'without dan');
  await ben.call('quitGroup', 'large');
  await cleo.waitForTip('large', 2);
  await ana.say('large', 'without ben');
  await cleo.waitForText('large', 'without ben');

  assert.deepEqual(texts(dan, 'large'), ['two', 'not for cleo', 'for cleo again']);
  assert.deepEqual(texts(ben, 'large'), ['one', 'not for cleo', 'for cleo again', 'without dan']);
  await w.rest.group('destroy_group', { GroupId: 'large' });
  await cleo.waitForNotice(5);
  assert.ok(await deliveries(w, 'audience') >= 8, 'they went to the audience');
  assert.equal(await deliveries(w, 'names'), 0, 'no message named all members');
});

test('every device of a member gets it, and who comes back finds what it missed', async (t) => {
  const w = await world(t, LARGE);
  const [ana, ben, cleo] = await w.users('ana', 'ben', 'cleo');
  await community(w, ana, ben, cleo);
  await ana.say('large', 'one');
  await ben.waitForText('large', 'one');
  const phone = await w.user('ben');
  await ana.say('large', 'two');
  for (const client of [ben, phone, cleo]) await client.waitForText('large', 'two');
  // What one device says comes to the other one.
  await phone.say('large', 'three');
  for (const client of [ana, ben, cleo]) await client.waitForText('large', 'three');

  await cleo.settledSocket();
  await cleo.setOffline(true);
  await cleo.cut();
  await ana.say('large', 'four');
  for (const client of [ben, phone]) await client.waitForText('large', 'four');
  await cleo.setOffline(false);
  await until(async () => (await textsSeen(cleo, 'large')).includes('four'), 'what cleo missed');
  await ana.say('large', 'five');
  for (const client of [ben, phone, cleo]) await client.waitForText('large', 'five');
  assert.deepEqual(await textsSeen(cleo, 'large'), ['one', 'two', 'three', 'four', 'five']);
  assert.equal(await deliveries(w, 'names'), 0);
});

test('after a kill the group is told anew', async (t) => {
  const w = await world(t, LARGE);
  const clients = await w.users('ana', 'ben', 'cleo');
  const [ana, ben, cleo] = clients;
  await community(w, ...clients);
  await ana.say('large', 'before');
  for (const client of [ben, cleo]) await client.waitForText('large', 'before');
  const marks = clients.map((client) => client.frames.mark);
  await w.target.killAndRestart();
  await Promise.all(clients.map((client, i) => client.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'im_open_status.wslogin' && f.head.seq, 'a login after the kill', { from: marks[i] })));
  await ana.say('large', 'after');
  for (const client of [ben, cleo]) await until(async () => (await textsSeen(client, 'large')).includes('after'), `what ${client.name} is told`);
  await until(async () => await deliveries(w, 'audience') > 0, 'the audience');
});

test('a presence node that is killed costs no message', onlyCluster(), async (t) => {
  const w = await world(t, { ...LARGE, cluster: { presence: 3 } });
  const clients = await w.users('ana', 'ben', 'cleo', 'dan', 'eve');
  const [ana, ...others] = clients;
  await community(w, ...clients);
  await ana.say('large', 'before');
  for (const client of others) await client.waitForText('large', 'before');
  await w.target.process('presence', 1).kill();
  const during = [];
  for (let i = 0; i < 6; i++) {
    during.push(`during ${i}`);
    await ana.say('large', during.at(-1));
  }
  for (const client of others) for (const text of during) await client.waitForText('large', text);
  // By then it goes by the audience again, told to those that are left.
  let tries = 0;
  await until(async () => {
    const before = await deliveries(w, 'audience');
    await ana.say('large', `then ${tries += 1}`);
    return until(async () => await deliveries(w, 'audience') > before, 'a delivery', { timeout: 2_000 }).catch(() => false);
  }, 'deliveries to the audience', { timeout: 30_000 });
  await w.target.process('presence', 1).restart();
  await ana.say('large', 'after');
  for (const client of others) {
    await client.waitForText('large', 'after');
    const seen = texts(client, 'large');
    assert.deepEqual([...new Set(seen)], seen, `${client.name} shows nothing twice`);
    assert.deepEqual(seen.filter((text) => !text.startsWith('then')), ['before', ...during, 'after']);
  }
});
