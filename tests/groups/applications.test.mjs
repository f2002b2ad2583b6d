// Groups that one enters with somebody's leave: applications, invitations, and who decides about them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';
import { publicGroup } from './support.mjs';

const guarded = (w, id, fields = {}) => publicGroup(w, id, { ApplyJoinOption: 'NeedPermission', Owner_Account: 'ana', ...fields });
const apply = (client, groupID, applyMessage) => client.call('joinGroup', { groupID, type: 'Public', applyMessage });
const pending = async (client) => (await client.call('getGroupApplicationList')).applicationList;
const groups = async (client) => (await client.call('getGroupList')).groupList.map((g) => g.groupID);

/** Decides about the application that the SDK lists. */
async function decide(client, handleAction, applicant, handleMessage = '') {
  const application = await until(async () => (await pending(client)).find((a) => a.applicant === applicant), `the application of ${applicant}`);
  return client.call('handleGroupApplication', { handleAction, handleMessage, application });
}

test('an application is agreed to: the applicant is in, and everybody hears of it', async (t) => {
  const w = await world(t);
  const [ana, ben] = await w.users('ana', 'ben');
  await guarded(w, 'club');
  assert.equal((await apply(ben, 'club', 'I play, too')).status, 'WaitAdminApproval');
  const notice = await ana.waitForNotice(1);
  assert.deepEqual([notice.payload.operatorID, notice.payload.handleMessage], ['ben', 'I play, too']);
  // Asking once more changes nothing.
  assert.equal((await apply(ben, 'club', 'please')).status, 'WaitAdminApproval');
  const [application, ...others] = await pending(ana);
  assert.deepEqual([application.applicant, application.groupID, application.note, others], ['ben', 'club', 'I play, too', []]);
  const raw = await w.raw('ben');
  await raw.fails(10007, 'group_open_http_svc.send_group_msg', raw.sendBody('club', 'too early'));
  await raw.fails(10007, 'group_open_http_svc.handle_apply_join_group', { GroupId: 'club', Applicant_Account: 'ben', HandleMsg: 'Agree' });

  await decide(ana, 'Agree', 'ben', 'welcome');
  const accepted = await ben.waitForNotice(2);
  assert.deepEqual([accepted.payload.operatorID, accepted.payload.handleMessage], ['ana', 'welcome']);
  await ana.waitForTip('club', 1);
  await until(async () => (await groups(ben)).includes('club'), 'the group in the list of who applied');
  await ben.say('club', 'hello');
  await ana.waitForText('club', 'hello');
  assert.deepEqual(await pending(ana), []);
  const owner = await w.raw('ana');
  await owner.fails(10024, 'group_open_http_svc.handle_apply_join_group', { GroupId: 'club', Applicant_Account: 'ben', HandleMsg: 'Agree' });
});

test('an application is refused, and may be made again', async (t) => {
  const w = await world(t);
  const [ana, ben] = await w.users('ana', 'ben');
  await guarded(w, 'club');
  await apply(ben, 'club', 'first');
  await decide(ana, 'Reject', 'ben', 'not now');
  const refused = await ben.waitForNotice(3);
  assert.equal(refused.payload.handleMessage, 'not now');
  assert.deepEqual(await groups(ben), []);
  assert.equal((await apply(ben, 'club', 'second')).status, 'WaitAdminApproval');
  await until(async () => (await pending(ana)).find((a) => a.note === 'second'), 'the second application');
});

test('who may decide has the open applications, also after a kill; who may no more has none', async (t) => {
  const w = await world(t);
  const [ana, ben, cleo, dan] = await w.users('ana', 'ben', 'cleo', 'dan');
  await guarded(w, 'club', { MemberList: [{ Member_Account: 'cleo', Role: 'Admin' }, { Member_Account: 'dan' }] });
  await apply(ben, 'club', 'hello');
  await until(async () => (await pending(cleo)).length === 1, 'the application at an admin');
  assert.deepEqual(await pending(dan), []);
  await w.rest.group('modify_group_member_info', { GroupId: 'club', Member_Account: 'dan', Role: 'Admin' });
  await w.rest.group('modify_group_member_info', { GroupId: 'club', Member_Account: 'cleo', Role: 'Member' });
  await dan.waitForNotice(9);
  await cleo.waitForNotice(10);
  await w.target.killAndRestart();
  const raws = {};
  for (const user of ['ana', 'cleo', 'dan']) raws[user] = await w.raw(user);
  const waiting = (user) => raws[user].ok('group_open_http_svc.get_pendency', { StartTime: 0, Limit: 20, Handle_Account: user });
  for (const [user, number] of [['ana', 1], ['cleo', 0], ['dan', 1]]) {
    const { PendencyList, NextStartTime } = await waiting(user);
    assert.deepEqual([user, PendencyList.length, NextStartTime], [user, number, 0]);
  }
  // Taken in over REST, there is nothing left to decide.
  await w.rest.group('add_group_member', { GroupId: 'club', MemberList: [{ Member_Account: 'ben' }] });
  for (const user of ['ana', 'dan']) assert.deepEqual((await waiting(user)).PendencyList, []);
});

test('applications come in pages, the newest first', async (t) => {
  const w = await world(t);
  const ana = await w.raw('ana');
  await guarded(w, 'club');
  const applicants = Array.from({ length: 7 }, (_, i) => `user-${i}`);
  for (const user of applicants) {
    const raw = await w.raw(user);
    await raw.ok('group_open_http_svc.apply_join_group', { GroupId: 'club', ApplyMsg: user });
  }
  const listed = [];
  let StartTime = 0;
  do {
    const page = await ana.ok('group_open_http_svc.get_pendency', { StartTime, Limit: 3, Handle_Account: 'ana' });
    listed.push(...page.PendencyList.map((p) => p.From_Account));
    StartTime = page.NextStartTime;
  } while (StartTime !== 0);
  assert.deepEqual(listed, applicants.toReversed());
  assert.deepEqual((await ana.ok('million_group_open_http_svc.get_pendency', { StartTime: 0, Limit: 3 })).PendencyList, []);
});

test('a member brings somebody in with the leave of the owner', async (t) => {
  const w = await world(t);
  const [ana, ben, cleo] = await w.users('ana', 'ben', 'cleo');
  await guarded(w, 'club', { InviteJoinOption: 'NeedPermission', MemberList: [{ Member_Account: 'ben' }] });
  await until(async () => (await groups(ben)).includes('club'), 'the group in the list');
  const raw = await w.raw('ben');
  const added = await raw.ok('group_open_http_svc.add_group_member', { GroupId: 'club', MemberList: [{ Member_Account: 'cleo' }, { Member_Account: 'nobody-knows' }] });
  assert.deepEqual(added.MemberList.map((m) => m.Result), [3, 0]);
  await ana.waitForNotice(1);
  const owner = await w.raw('ana');
  const { PendencyList: [entry] } = await owner.ok('group_open_http_svc.get_pendency', { StartTime: 0, Limit: 20 });
  assert.deepEqual([entry.From_Account, entry.To_Account, entry.PendencyType], ['ben', 'cleo', 2]);
  await decide(ana, 'Agree', 'ben');
  await ben.waitForNotice(13);
  await cleo.waitForNotice(7);
  const tip = await ana.waitForTip('club', 1);
  assert.deepEqual(tip.payload.userIDList, ['cleo']);
});
