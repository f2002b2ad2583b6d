// The table of the five types (type-table.md), each cell with each role: clients by their own connections, who may
// with the SDK where it has the call, and the app's server over REST.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { textElement } from '../harness/rest.mjs';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

const GROUP = 'group_open_http_svc';
const ROLES = ['stranger', 'member', 'admin', 'owner', 'app'];
const CLIENTS = ROLES.slice(0, -1);

/**
 * What is done to `g` by `me` as a command, and with the SDK. Commands that only app servers send name what clients
 * have in their place. `needs`: who has to be there.
 */
const ACTIONS = {
  'change the name': {
    command: (g) => ['modify_group_base_info', { GroupId: g, Name: 'new' }],
    sdk: (g) => ['updateGroupProfile', { groupID: g, name: 'new' }],
  },
  'change the join option': {
    command: (g) => ['modify_group_base_info', { GroupId: g, ApplyJoinOption: 'DisableApply' }],
    sdk: (g) => ['updateGroupProfile', { groupID: g, joinOption: 'DisableApply' }],
  },
  'mute all': {
    command: (g) => ['modify_group_base_info', { GroupId: g, ShutUpAllMember: 'On' }],
    sdk: (g) => ['updateGroupProfile', { groupID: g, muteAllMembers: true }],
  },
  'change custom fields': {
    command: (g) => ['modify_group_base_info', { GroupId: g, AppDefinedData: [{ Key: 'k', Value: 'v' }] }],
    sdk: (g) => ['updateGroupProfile', { groupID: g, groupCustomField: [{ key: 'k', value: 'v' }] }],
  },
  'add a member': {
    command: (g) => ['add_group_member', { GroupId: g, MemberList: [{ Member_Account: 'new' }] }],
    sdk: (g) => ['addGroupMember', { groupID: g, userIDList: ['new'] }],
  },
  'add a member where that is free': {
    prepare: (w, g) => w.rest.group('modify_group_base_info', { GroupId: g, InviteJoinOption: 'FreeAccess' }),
    command: (g) => ['add_group_member', { GroupId: g, MemberList: [{ Member_Account: 'new' }] }],
    sdk: (g) => ['addGroupMember', { groupID: g, userIDList: ['new'] }],
  },
  'remove a member': {
    command: (g) => ['delete_group_member', { GroupId: g, MemberToDel_Account: ['other'], Reason: '' }],
    sdk: (g) => ['deleteGroupMember', { groupID: g, userIDList: ['other'], reason: '' }],
  },
  'remove an admin': {
    command: (g) => ['delete_group_member', { GroupId: g, MemberToDel_Account: ['helper'], Reason: '' }],
    sdk: (g) => ['deleteGroupMember', { groupID: g, userIDList: ['helper'], reason: '' }],
  },
  'remove the owner': {
    command: (g) => ['delete_group_member', { GroupId: g, MemberToDel_Account: ['owner'], Reason: '' }],
  },
  'mute a member': {
    command: (g) => ['modify_group_member_info', { GroupId: g, Member_Account: 'other', ShutUpTime: 60 }],
    sdk: (g) => ['setGroupMemberMuteTime', { groupID: g, userID: 'other', muteTime: 60 }],
  },
  'mute an admin': {
    command: (g) => ['modify_group_member_info', { GroupId: g, Member_Account: 'helper', ShutUpTime: 60 }],
    sdk: (g) => ['setGroupMemberMuteTime', { groupID: g, userID: 'helper', muteTime: 60 }],
  },
  'ban a member': {
    command: (g) => ['ban_group_member', { GroupId: g, Members_Account: ['other'], Duration: 60, Description: '' }],
  },
  'ban an admin': {
    command: (g) => ['ban_group_member', { GroupId: g, Members_Account: ['helper'], Duration: 60, Description: '' }],
  },
  'make a member an admin': {
    command: (g) => ['modify_group_member_info', { GroupId: g, Member_Account: 'other', Role: 'Admin' }],
    sdk: (g) => ['setGroupMemberRole', { groupID: g, userID: 'other', role: 'Admin' }],
  },
  "change a member's name card": {
    command: (g) => ['modify_group_member_info', { GroupId: g, Member_Account: 'other', NameCard: 'Otto' }],
    sdk: (g) => ['setGroupMemberNameCard', { groupID: g, userID: 'other', nameCard: 'Otto' }],
  },
  "change an admin's name card": {
    command: (g) => ['modify_group_member_info', { GroupId: g, Member_Account: 'helper', NameCard: 'Hal' }],
    sdk: (g) => ['setGroupMemberNameCard', { groupID: g, userID: 'helper', nameCard: 'Hal' }],
  },
  'list the members': {
    command: (g) => ['get_group_member_info', { GroupId: g, Limit: 10, Offset: 0 }],
    sdk: (g) => ['getGroupMemberList', { groupID: g }],
  },
  write: { command: (g, me) => ['send_group_msg', message(g, me)] },
  'write while all are muted': {
    refused: 10017,
    prepare: (w, g) => w.rest.group('modify_group_base_info', { GroupId: g, MuteAllMember: 'On' }),
    command: (g, me) => ['send_group_msg', message(g, me)],
  },
  'give the group away': {
    command: (g) => ['change_group_owner', { GroupId: g, NewOwner_Account: 'other' }],
    sdk: (g) => ['changeGroupOwner', { groupID: g, newOwnerID: 'other' }],
  },
  'dismiss the group': {
    command: (g) => ['destroy_group', { GroupId: g }],
    sdk: (g) => ['dismissGroup', g],
  },
};

let random = 1;
const message = (GroupId, me) => ({ GroupId, Random: random++, MsgBody: [textElement('hi')], ...(me ? { From_Account: me } : {}) });

/** The lines of the table: action, and for each type who may and the code of the others. */
function table() {
  const lines = readFileSync(new URL('type-table.md', import.meta.url), 'utf8').split('\n').filter((line) => line.startsWith('|'));
  const cells = (line) => line.split('|').slice(1, -1).map((cell) => cell.trim());
  const [, ...types] = cells(lines[0]);
  return lines.slice(2).flatMap((line) => {
    const [action, ...columns] = cells(line);
    return columns.map((cell, i) => {
      const [least, code] = cell.split(' ');
      return { action, type: types[i], least, code: code ? Number(code) : undefined };
    });
  }).filter((cell) => cell.least !== '–');
}

const may = (least, role) => least !== 'nobody' && ROLES.indexOf(role) >= ROLES.indexOf(least);
const hasAdmins = (type) => type !== 'Private';

/** A group in which everybody is what its name says; the clients know of it. */
async function makeGroup(w, clients, type, id, action) {
  const GroupId = type === 'Community' ? `@TGS#_${id}` : id;
  const live = type === 'AVChatRoom';
  const admin = hasAdmins(type) ? { Role: 'Admin' } : {};
  const MemberList = [{ Member_Account: 'admin', ...admin }, { Member_Account: 'helper', ...admin }, { Member_Account: 'member' }, { Member_Account: 'other' }];
  await w.rest.group('create_group', { Type: type, Name: 'n', GroupId, Owner_Account: 'owner', ...(live ? {} : { MemberList }) });
  if (live) {
    await w.rest.live('modify_admin', { GroupId, CommandType: 1, Admin_Account: ['admin', 'helper'] });
    for (const role of ['member', 'admin', 'owner']) await clients[role].raw.ok(`${GROUP}.apply_join_group`, { GroupId, WebPushFlag: 1 });
  }
  await action.prepare?.(w, GroupId);
  return GroupId;
}

/** Until the SDK knows the group that was made behind its back. It asks for profiles eight times a second at most (2996). */
async function knows(w, client, type, groupID) {
  if (type === 'AVChatRoom') {
    const join = () => client.join(groupID).catch((error) => (error.code === 2996 ? false : Promise.reject(error)));
    return until(join, `${client.user} in ${groupID}`);
  }
  await w.rest.say(groupID, 'hello');
  await until(async () => (await client.call('getGroupList')).groupList.some((g) => g.groupID === groupID), `${groupID} in the list of ${client.user}`);
  // It refuses by itself what its own role does not let it do.
  const role = client.user[0].toUpperCase() + client.user.slice(1);
  const hasRole = async () => (await client.call('getGroupProfile', { groupID })).group.selfInfo.role === role;
  if (!(client.user === 'admin' && !hasAdmins(type))) await until(hasRole, `${client.user} is ${role} of ${groupID}`);
  return true;
}

for (const type of ['Private', 'Public', 'ChatRoom', 'AVChatRoom', 'Community']) {
  test(`who may do what in groups of type ${type}`, async (t) => {
    const w = await world(t);
    await w.rest.ok('im_open_login_svc/multiaccount_import', { AccountList: ['new', 'other', 'helper'].map((UserID) => ({ UserID })) });
    const clients = {};
    for (const role of CLIENTS) clients[role] = { sdk: await w.user(role), raw: await w.raw(role, { path: '/info' }) };
    let cases = 0;
    for (const { action: name, least, code } of table().filter((cell) => cell.type === type)) {
      const action = ACTIONS[name];
      assert.ok(action, `an action of the table: ${name}`);
      // Those who may not leave no trace, and share a group; each who may gets one of its own.
      const shared = await makeGroup(w, clients, type, `${type}-${cases}-x`, action);
      for (const role of ROLES) {
        cases += 1;
        const what = `${name}, ${type}, by ${role}`;
        if (may(least, role)) {
          const group = await makeGroup(w, clients, type, `${type}-${cases}`, action);
          const [command, body] = action.command(group, role === 'app' ? undefined : role);
          if (role === 'app') await w.rest.group(command, body);
          else if (action.sdk && (type !== 'Private' || command !== 'destroy_group')) {
            await knows(w, clients[role].sdk, type, group);
            const [method, options] = action.sdk(group);
            await clients[role].sdk.call(method, options).catch((error) => assert.fail(`${what}: ${error}`));
          } else {
            const answer = await clients[role].raw.request(`${GROUP}.${command}`, body);
            assert.equal(answer.ErrorCode, 0, `${what}: ${JSON.stringify(answer)}`);
          }
        } else {
          const [command, body] = action.command(shared, role === 'app' ? undefined : role);
          const path = `${GROUP}${role === 'app' ? '/' : '.'}${command}`;
          const answer = role === 'app' ? await w.rest.post(path, body) : await clients[role].raw.request(path, body);
          // Strangers of a live room are no strangers to its rules.
          const outside = role === 'stranger' && type !== 'AVChatRoom';
          const expected = code ?? (outside ? 10007 : action.refused ?? 10007);
          assert.equal(answer.ErrorCode, expected, `${what}: ${JSON.stringify(answer)}`);
        }
      }
    }
    t.diagnostic(`${cases} cases`);
  });
}
