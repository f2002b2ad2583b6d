// Invitations among the members of a group: custom messages of which the SDK makes events.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { joinGroup, publicGroup } from './support.mjs';

const EVENTS = ['NEW_INVITATION_RECEIVED', 'INVITEE_ACCEPTED', 'INVITEE_REJECTED', 'INVITATION_CANCELLED', 'INVITATION_TIMEOUT', 'INVITATION_MODIFIED'];

async function three(t) {
  const w = await world(t);
  const clients = await w.users('ann', 'ben', 'cleo');
  await publicGroup(w, 'club', { Owner_Account: 'ann' });
  await joinGroup(clients[1], 'club');
  await joinGroup(clients[2], 'club');
  for (const client of clients) {
    await client.inside(({ chat, TC, emit }, names) => {
      for (const name of names) chat.addSignalingListener(TC.TSignaling[name], (event) => emit(name, event.data));
    }, EVENTS);
  }
  return { w, clients };
}

/** Invites members of the group; resolves with the invitation's ID. */
const invite = (client, options) => client.inside(
  async ({ chat }, options) => (await chat.inviteInGroup({ groupID: 'club', data: 'call', ...options })).inviteID, options);

const heard = (client, name, inviteID) => client.waitForEvent(name, (data) => data.inviteID === inviteID, `${name} at ${client.name}`);

test('one accepts, one rejects; all hear of both', async (t) => {
  const { clients: [ann, ben, cleo] } = await three(t);
  const inviteID = await invite(ann, { inviteeList: ['ben', 'cleo'], timeout: 30 });
  for (const client of [ben, cleo]) {
    const { data } = await heard(client, 'NEW_INVITATION_RECEIVED', inviteID);
    assert.deepEqual([data.inviter, data.groupID, data.inviteeList, data.data], ['ann', 'club', ['ben', 'cleo'], 'call']);
  }
  await ben.call('accept', { inviteID, data: 'yes' });
  // A client forgets an invitation once nobody's answer is open, as it sees it.
  for (const client of [ann, cleo]) {
    assert.equal((await heard(client, 'INVITEE_ACCEPTED', inviteID)).data.invitee, 'ben');
  }
  await cleo.call('reject', { inviteID, data: 'no' });
  for (const client of [ann, ben]) {
    assert.equal((await heard(client, 'INVITEE_REJECTED', inviteID)).data.invitee, 'cleo');
  }
});

test('an invitation is changed, then cancelled', async (t) => {
  const { clients: [ann, ben] } = await three(t);
  const inviteID = await ann.inside(({ chat }) => new Promise((resolve, reject) => {
    chat.inviteInGroupSync(
      { groupID: 'club', inviteeList: ['ben'], data: 'call', timeout: 30 },
      (answer) => resolve(answer.inviteID), reject,
    );
  }));
  await heard(ben, 'NEW_INVITATION_RECEIVED', inviteID);
  await ann.call('modifyInvitation', { inviteID, data: 'video' });
  assert.equal((await heard(ben, 'INVITATION_MODIFIED', inviteID)).data.data, 'video');
  await ann.call('cancel', { inviteID, data: 'sorry' });
  assert.equal((await heard(ben, 'INVITATION_CANCELLED', inviteID)).data.inviter, 'ann');
});

test('an invitation that nobody answers times out at both ends', async (t) => {
  const { clients: [ann, ben] } = await three(t);
  const inviteID = await invite(ann, { inviteeList: ['ben'], timeout: 1 });
  await heard(ben, 'NEW_INVITATION_RECEIVED', inviteID);
  for (const client of [ben, ann]) {
    assert.deepEqual((await heard(client, 'INVITATION_TIMEOUT', inviteID)).data.inviteeList, ['ben']);
  }
});
