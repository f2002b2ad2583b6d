// Apps whose users agree before somebody else takes them into a group.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

const asking = (t) => world(t, { app: { groups: { invite_consent: true } } });
const found = (client) => client.call('createGroup', { type: 'Public', groupID: 'club', name: 'Chess club', inviteOption: 'FreeAccess' });
const groups = async (client) => (await client.call('getGroupList')).groupList.map((g) => g.groupID);
const pending = async (client) => (await client.call('getGroupApplicationList')).applicationList;

/** Decides about the invitation that came as a notice, as the SDK does it. */
async function decide(client, handleAction, handleMessage) {
  const message = await client.waitForNotice(12);
  return client.call('callExperimentalAPI', 'handleGroupInvitation', { message, handleAction, handleMessage });
}

test('who is invited agrees, or does not, and the inviter hears of it', async (t) => {
  const w = await asking(t);
  const [ann, ben, cleo] = await w.users('ann', 'ben', 'cleo');
  await found(ann);
  const added = await ann.call('addGroupMember', { groupID: 'club', userIDList: ['ben', 'cleo'] });
  assert.deepEqual([added.successUserIDList, added.failureUserIDList], [[], []]);
  const notice = await ben.waitForNotice(12);
  assert.deepEqual([notice.payload.operatorID, notice.payload.groupProfile.groupID, await groups(ben)], ['ann', 'club', []]);
  await cleo.waitForNotice(12);

  await decide(ben, 'Agree', 'gladly');
  const accepted = await ann.waitForNotice(13);
  assert.deepEqual([accepted.payload.operatorID, accepted.payload.handleMessage], ['ben', 'gladly']);
  const tip = await ann.waitForTip('club', 1);
  assert.deepEqual(tip.payload.userIDList, ['ben']);
  await until(async () => (await groups(ben)).includes('club'), 'the group in the list of who agreed');
  await ben.say('club', 'hello');
  await ann.waitForText('club', 'hello');

  await decide(cleo, 'Reject', 'no time');
  const refused = await ann.waitForNotice(14);
  assert.deepEqual([refused.payload.operatorID, refused.payload.handleMessage, await groups(cleo)], ['cleo', 'no time', []]);
  const raw = await w.raw('cleo');
  await raw.fails(10024, 'group_open_http_svc.handle_invite_join_group', { GroupId: 'club', Inviter_Account: 'ann', HandleMsg: 'Agree' });
});

test('who was away finds the invitation among the applications, also after a kill', async (t) => {
  const w = await asking(t);
  const ann = await w.user('ann');
  await (await w.user('ben')).close();
  await found(ann);
  await ann.call('addGroupMember', { groupID: 'club', userIDList: ['ben'] });
  assert.deepEqual(await pending(ann), [], 'nothing to decide for the owner');
  await w.target.killAndRestart();
  const ben = await w.user('ben');
  const [application] = await until(async () => {
    const list = await pending(ben);
    return list.length === 1 && list;
  }, 'the invitation in the list');
  assert.deepEqual([application.applicant, application.groupID, application.applicationType], ['ann', 'club', 1]);
  await ben.call('handleGroupApplication', { handleAction: 'Agree', handleMessage: '', application });
  await until(async () => (await groups(ben)).includes('club'), 'the group in the list');
  assert.deepEqual(await pending(ben), []);
});
