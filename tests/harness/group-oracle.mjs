// Keeps what was asked of groups with stored members and what came of it, and judges what the groups, the
// lists of users, the histories and the SDK have of it. Each thing has one writer, who asks again until it
// is answered: so what must be is known, whatever died in between.
import assert from 'node:assert/strict';
import { until } from './wait.mjs';

export const TIP = { JOINED: 1, QUIT: 2, REMOVED: 3, ADMIN_SET: 4, ADMIN_REVOKED: 5, PROFILE: 6 };

/** One group as it has to be. `silent`: nobody is told there who comes and goes. */
export class GroupOracle {
  constructor(id, type, owner) {
    Object.assign(this, { id, type, owner, silent: type === 'ChatRoom' });
    /** What each member is: `{ role, card, team }`. */
    this.members = new Map();
    this.profile = { Name: 'Group' };
    this.muted = new Set();
    this.alive = true;
    /** What tips tell of each user, and of the profile, in order. */
    this.tips = new Map();
    /** Acknowledged messages: text to `{ seq, recalled }`. */
    this.said = new Map();
  }

  joined(user, { silently = false } = {}) {
    this.members.set(user, { role: 'Member', card: '', team: '' });
    if (!silently && !this.silent) this.told(user, TIP.JOINED);
  }

  left(user, op) {
    this.members.delete(user);
    if (!this.silent) this.told(user, op);
  }

  /** A tip that has to be there, about a user or, without one, the profile. */
  told(user, op, value) {
    this.tips.set(user, [...(this.tips.get(user) ?? []), value === undefined ? `${op}` : `${op} ${value}`]);
  }

  /** Who is in, and as what; who owns it, and what it is called; who is muted. */
  async checkGroup(rest) {
    const { GroupInfo: [info] } = await rest.post('group_open_http_svc/get_group_info', { GroupIdList: [this.id] });
    if (!this.alive) return assert.equal(info.ErrorCode, 10010, `${this.id} was dismissed: ${JSON.stringify(info)}`);
    assert.equal(info.ErrorCode, 0, `${this.id}: ${JSON.stringify(info)}`);
    const profile = Object.fromEntries(Object.keys(this.profile).map((field) => [field, info[field]]));
    assert.deepEqual(profile, this.profile, `profile of ${this.id}`);
    assert.equal(info.Owner_Account, this.owner, `owner of ${this.id}`);
    assert.equal(info.MemberNum, this.members.size, `MemberNum of ${this.id}`);
    const stored = await storedMembers(rest, this.id);
    assert.deepEqual(stored.map(([user]) => user).sort(), [...this.members.keys()].sort(), `members of ${this.id}`);
    for (const [user, found] of stored) {
      const { role, ...rest } = this.members.get(user);
      assert.deepEqual(found, { role: user === this.owner ? 'Owner' : role, ...rest }, `${user} in ${this.id}`);
    }
    const { MutedAccountList } = await rest.group('get_group_muted_account', { GroupId: this.id });
    assert.deepEqual(MutedAccountList.map((entry) => entry.Member_Account).sort(), [...this.muted].sort(), `who is muted in ${this.id}`);
  }

  /**
   * Numbers from 1 on without a hole, each message once under its number, each tip that has to be, and no
   * other. What tips say is shown to members alone: `member` was one from the beginning.
   */
  async checkHistory(rest, member) {
    if (!this.alive) return;
    const stored = await storedHistory(rest, this.id);
    assert.deepEqual(stored.map((m) => m.MsgSeq), stored.map((_, i) => i + 1), `numbers of ${this.id}`);
    const { GroupInfo: [{ NextMsgSeq }] } = await rest.group('get_group_info', { GroupIdList: [this.id] });
    assert.equal(NextMsgSeq, stored.length + 1, `NextMsgSeq of ${this.id}`);
    const texts = stored.filter((m) => textOf(m) !== undefined);
    const places = stored.filter((m) => m.IsPlaceMsg === 2).map((m) => m.MsgSeq);
    const said = [...this.said].filter(([, { recalled }]) => !recalled).map(([text, { seq }]) => `${seq} ${text}`);
    assert.deepEqual(texts.map((m) => `${m.MsgSeq} ${textOf(m)}`).sort(), said.sort(), `messages of ${this.id}`);
    const recalled = [...this.said.values()].filter((m) => m.recalled).map((m) => m.seq);
    assert.deepEqual(places, recalled.sort((a, b) => a - b), `recalled messages of ${this.id}`);
    const told = new Map();
    for (const tip of await storedTips(member, this.id, stored.length)) {
      for (const [about, what] of meaning(tip)) told.set(about, [...(told.get(about) ?? []), what]);
    }
    for (const about of new Set([...told.keys(), ...this.tips.keys()])) {
      assert.deepEqual(told.get(about) ?? [], this.tips.get(about) ?? [], `tips of ${this.id} about ${about}`);
    }
  }

  /**
   * What the SDK of somebody who was in all the while showed: each tip and each message of others once, those
   * that it missed while its line was down perhaps not; and that it sees the group as it is.
   */
  async checkSdk(rest, client, { connected }) {
    const shown = () => client.received(this.id).filter((m) => m.sequence > 0);
    if (connected) await this.#checkShown(await storedHistory(rest, this.id), client, shown);
    // A moment after it came in, the SDK forgets what it knows of a group: the tip about itself.
    const own = shown()[0]?.sequence;
    const numbers = shown().map((m) => m.sequence).filter((seq) => seq !== own);
    const twice = shown().filter((m) => numbers.indexOf(m.sequence) !== numbers.lastIndexOf(m.sequence)).map((m) => `${m.sequence} ${m.ID} at ${new Date(m.at).toISOString().slice(11, -1)}: ${JSON.stringify(m.payload).slice(0, 80)}`);
    assert.deepEqual(twice, [], `${client.name} was shown twice of ${this.id}`);
    const { group } = await client.call('getGroupProfile', { groupID: this.id });
    assert.deepEqual([group.ownerID, group.memberCount, group.name], [this.owner, this.members.size, this.profile.Name], `${this.id} at ${client.name}`);
    const listed = [];
    for (let offset = 0; ; offset += 15) {
      const { memberList, offset: next } = await client.call('getGroupMemberList', { groupID: this.id, count: 15, offset });
      listed.push(...memberList.map((m) => m.userID));
      if (memberList.length < 15 || next === 0) break;
    }
    assert.deepEqual([...new Set(listed)].sort(), [...this.members.keys()].sort(), `members of ${this.id} at ${client.name}`);
  }

  async #checkShown(stored, client, shown) {
    const since = Math.min(...shown().map((m) => m.sequence));
    const owed = stored.filter((m) => m.MsgSeq >= since && m.IsPlaceMsg !== 2).map((m) => m.MsgSeq);
    const missing = () => {
      const seen = new Set(shown().map((m) => m.sequence));
      return owed.filter((seq) => !seen.has(seq));
    };
    await until(() => missing().length === 0, `all of ${this.id} at ${client.name}`, { timeout: 15_000, every: 100 })
      .catch((error) => { throw new Error(`${error.message}; it lacks ${missing()}`); });
  }
}

/** Every user's own list, and the app's, name the groups that there are, and no other. */
export async function checkLists(rest, groups, users) {
  const alive = groups.filter((group) => group.alive);
  for (const user of users) {
    const { GroupIdList, TotalCount } = await rest.group('get_joined_group_list', { Member_Account: user, WithNoActiveGroups: 1 });
    const expected = alive.filter((group) => group.members.has(user)).map((group) => group.id).sort();
    assert.deepEqual(GroupIdList.map((entry) => entry.GroupId).sort(), expected, `groups of ${user}`);
    assert.equal(TotalCount, expected.length, `number of groups of ${user}`);
  }
  const { GroupIdList, TotalCount } = await rest.group('get_appid_group_list', { Limit: 1000 });
  assert.deepEqual(GroupIdList.map((entry) => entry.GroupId).sort(), alive.map((group) => group.id).sort(), 'groups of the app');
  assert.equal(TotalCount, alive.length);
}

/** All members by pages: their names with what they are. */
async function storedMembers(rest, id) {
  const found = [];
  for (let Offset = 0; ;) {
    const page = await rest.group('get_group_member_info', { GroupId: id, Limit: 40, Offset });
    found.push(...page.MemberList.map((m) => [m.Member_Account, { role: m.Role, card: m.NameCard, team: m.AppMemberDefinedData?.find((f) => f.Key === 'team')?.Value ?? '' }]));
    if (page.MemberList.length < 40) return found;
    Offset += page.MemberList.length;
  }
}

/** Everything that the history has, the oldest first. */
async function storedHistory(rest, id) {
  const found = [];
  for (let ReqMsgSeq; ;) {
    const page = await rest.group('group_msg_get_simple', { GroupId: id, ReqMsgNumber: 20, WithRecalledMsg: 1, ...(ReqMsgSeq ? { ReqMsgSeq } : {}) });
    found.unshift(...page.RspMsgList.toReversed());
    const lowest = found[0]?.MsgSeq ?? 1;
    if (page.RspMsgList.length === 0 || lowest === 1) return found;
    ReqMsgSeq = lowest - 1;
  }
}

/** Bodies of all tips up to a number, the oldest first. */
async function storedTips(member, id, head) {
  const found = [];
  for (let last = 0; last < head; last += 15) {
    const page = await member.request('group_open_http_svc.group_msg_get', { GroupId: id, ReqMsgSeq: Math.min(last + 15, head), ReqMsgNumber: Math.min(15, head - last), WithRecalledMsg: 1 });
    const tips = page.RspMsgList.filter((m) => m.MsgSeq > last && m.IsSystemMsg === 1);
    found.push(...tips.toSorted((a, b) => a.MsgSeq - b.MsgSeq).map((m) => m.MsgBody));
  }
  return found;
}

const textOf = (message) => message.MsgBody?.[0]?.MsgContent?.Text;

/** Whom a tip is about, and what it says; '' is the profile. */
function* meaning(tip) {
  if (tip.OpType === TIP.PROFILE) {
    const { Owner_Account: owner, GroupName: name } = tip.MsgGroupNewInfo;
    if (owner) yield ['owner', `${TIP.PROFILE} ${owner}`];
    if (name) yield ['name', `${TIP.PROFILE} ${name}`];
  } else if (tip.OpType === TIP.QUIT) {
    yield [tip.Operator_Account, `${tip.OpType}`];
  } else if (tip.OpType <= TIP.ADMIN_REVOKED) {
    for (const user of tip.List_Account) yield [user, `${tip.OpType}`];
  }
}
