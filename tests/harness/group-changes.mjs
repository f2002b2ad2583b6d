// Changes of groups with stored members, by many writers at once, while something happens to the servers; and
// the judgement at the end. Each member of each group has one writer, and so have the profile and the owner of
// each group, groups that come and go, and members by the hundred.
import assert from 'node:assert/strict';
import { checkLists, GroupOracle, TIP } from './group-oracle.mjs';
import { random, textElement } from './rest.mjs';
import { Seeded } from './seeded.mjs';
import { deadline, until } from './wait.mjs';

const TYPES = ['Private', 'Public', 'ChatRoom', 'Community'];
/** Milliseconds between two changes of one writer. */
const PACE = [20, 160];
/** Longer than any gateway holds a request: what is given up is over. */
const ANSWER_TIME = 30_000;
/** Answers that do not say whether it was done: to be asked again. */
const UNKNOWN = new Set([2801, 10002, 10023, 60008, 60020]);
const PAUSE = 50;

export class GroupChanges {
  static async start(w, { seed, users = 4, bulk = 300, sdk = true }) {
    const changes = new GroupChanges(w, seed);
    await changes.#gather(users, bulk, sdk);
    changes.#write();
    return changes;
  }

  constructor(w, seed) {
    Object.assign(this, { w, random: new Seeded(seed) });
    this.groups = [];
    /** Of each kind of change: how often it was acknowledged, and what repetitions were answered. */
    this.counts = new Map();
    this.acknowledged = 0;
    this.repeated = 0;
    this.number = 0;
  }

  async #gather(users, bulk, sdk) {
    const chance = () => this.random.next();
    this.founders = ['founder-0', 'founder-1'];
    this.crowd = Array.from({ length: bulk }, (_, i) => `crowd-${i}`);
    const names = Array.from({ length: users }, (_, i) => `user-${i}`);
    this.clients = await Promise.all([...names, ...this.founders].map((name) => this.w.steady(name, { random: chance })));
    this.users = this.clients.slice(0, users);
    this.decider = this.clients[users];
    for (let from = 0; from < bulk; from += 50) {
      const AccountList = this.crowd.slice(from, from + 50).map((UserID) => ({ UserID }));
      // A database that has just started may take longer than a request may.
      await until(() => this.w.rest.ok('im_open_login_svc/multiaccount_import', { AccountList }), 'accounts', { timeout: 40_000 });
    }
    for (const type of TYPES) this.#add(await this.#make(type.toLowerCase(), type));
    this.guarded = this.#add(await this.#make('guarded', 'Public', { ApplyJoinOption: 'NeedPermission' }));
    this.closed = this.#add(await this.#make('closed', 'Public', { ApplyJoinOption: 'DisableApply' }));
    this.filled = this.#add(await this.#make('filled', 'Community'));
    if (!sdk) return;
    this.sdk = await this.w.user('sdk');
    this.watched = this.groups.filter((group) => group.type !== 'Private' && ![this.guarded, this.closed].includes(group));
    for (const group of this.watched) {
      // It asks a lot after each join, and limits itself.
      await until(() => this.sdk.call('joinGroup', { groupID: group.id, type: group.type }), `${group.id} joined`, { every: 200 });
      group.joined('sdk');
    }
  }

  #add(group) {
    this.groups.push(group);
    return group;
  }

  /** A group of the two founders, in which something was said: before that some tell nothing. */
  async #make(name, type, fields = { ApplyJoinOption: 'FreeAccess' }) {
    const id = `${type === 'Community' ? '@TGS#_' : ''}${name}`;
    const group = new GroupOracle(id, type, this.founders[0]);
    await this.#create(group, fields, this.founders.slice(1));
    await this.#say(group, `first of ${name}`);
    return group;
  }

  async #create(group, fields, members) {
    const body = { Type: group.type, Name: 'Group', GroupId: group.id, Owner_Account: group.owner, MemberList: members.map((user) => ({ Member_Account: user })), ...(group.type === 'Private' ? {} : fields) };
    await this.#rest('create_group', body, { done: [10021] });
    for (const user of [group.owner, ...members]) group.joined(user, { silently: true });
  }

  #write() {
    this.writing = true;
    const writers = [];
    for (const group of this.groups.filter((group) => ![this.closed, this.filled].includes(group))) {
      writers.push(this.#writer(() => this.#changeProfile(group)));
      if (group !== this.guarded) writers.push(this.#writer(() => this.#changeOwner(group)));
      for (const client of this.users) {
        const own = { said: [] };
        writers.push(this.#writer(() => this.#changeMember(group, client, own)));
      }
    }
    writers.push(this.#writer(() => this.#refused(this.random.pick(this.users))));
    for (const type of TYPES) writers.push(this.#writer(() => this.#comeAndGo(type)));
    writers.push(this.#writer(() => this.#fill()));
    this.writers = writers;
  }

  async #writer(change) {
    while (this.writing) {
      await change();
      await pause(this.random.between(...PACE));
    }
  }

  /** Asks until there is an answer; `done`: what a repetition is answered where the first one was carried out. */
  async #ask(what, send, { done = [], refused = [] } = {}) {
    const end = Date.now() + deadline(60_000);
    const count = this.counts.get(what) ?? { times: 0, repeats: new Map() };
    this.counts.set(what, count);
    for (let attempt = 1; ; attempt += 1) {
      const answer = await send().catch((error) => ({ ErrorCode: error.code > 0 ? error.code : 2801, ErrorInfo: error.message }));
      const code = answer.ErrorCode ?? 0;
      if (UNKNOWN.has(code)) {
        assert.ok(Date.now() < end, `${what} has no answer: ${JSON.stringify(answer)}`);
        await pause(PAUSE);
        continue;
      }
      const known = code === 0 || done.includes(code) || refused.includes(code);
      if (!known) throw new Error(`${what}, attempt ${attempt}, was answered ${JSON.stringify(answer)}`);
      if (attempt > 1 || done.includes(code)) {
        count.repeats.set(code, (count.repeats.get(code) ?? 0) + 1);
        this.repeated += 1;
      }
      count.times += 1;
      this.acknowledged += 1;
      return { ...answer, ErrorCode: code };
    }
  }

  #rest(command, body, options) {
    return this.#ask(command, () => this.w.rest.post(`group_open_http_svc/${command}`, body, {}, { timeout: ANSWER_TIME }), options);
  }

  #raw(client, command, body, options) {
    return this.#ask(command, () => client.request(`group_open_http_svc.${command}`, body, ANSWER_TIME), options);
  }

  next(prefix) {
    this.number += 1;
    return `${prefix} ${this.number}`;
  }

  async #say(group, text, client) {
    const body = { GroupId: group.id, Random: random(), MsgBody: [textElement(text)] };
    const answer = client
      ? await this.#raw(client, 'send_group_msg', client.line.sendBody(group.id, text, { Random: body.Random }))
      : await this.#rest('send_group_msg', { ...body, From_Account: group.owner });
    group.said.set(text, { seq: answer.MsgSeq, recalled: false });
    return answer.MsgSeq;
  }

  async #changeProfile(group) {
    const Name = this.next('name');
    await this.#rest('modify_group_base_info', { GroupId: group.id, Name });
    group.profile.Name = Name;
    group.told('name', TIP.PROFILE, Name);
  }

  async #changeOwner(group) {
    const owner = this.founders.find((user) => user !== group.owner);
    await this.#rest('change_group_owner', { GroupId: group.id, NewOwner_Account: owner });
    group.owner = owner;
    group.told('owner', TIP.PROFILE, owner);
  }

  async #changeMember(group, client, own) {
    const { user } = client;
    if (!group.members.has(user)) return this.#enter(group, client);
    const GroupId = group.id;
    const member = group.members.get(user);
    const changes = [
      async () => {
        await this.#raw(client, 'quit_group', { GroupId });
        group.left(user, TIP.QUIT);
      },
      async () => {
        await this.#rest('delete_group_member', { GroupId, MemberToDel_Account: [user] });
        group.left(user, TIP.REMOVED);
      },
      async () => {
        const NameCard = this.next('card');
        await this.#rest('modify_group_member_info', { GroupId, Member_Account: user, NameCard });
        member.card = NameCard;
      },
      async () => {
        const team = this.next('team');
        await this.#rest('modify_group_member_info', { GroupId, Member_Account: user, AppMemberDefinedData: [{ Key: 'team', Value: team }] });
        member.team = team;
      },
      async () => {
        if (group.muted.has(user)) return;
        own.said.push(await this.#say(group, this.next(`said by ${user}`), client));
      },
      async () => {
        const MsgSeq = own.said.pop();
        if (MsgSeq === undefined) return;
        await this.#rest('group_msg_recall', { GroupId, MsgSeqList: [{ MsgSeq }] }, { done: [10032] });
        for (const message of group.said.values()) if (message.seq === MsgSeq) message.recalled = true;
      },
    ];
    if (group.type !== 'Private') {
      changes.push(
        async () => {
          const admin = member.role !== 'Admin';
          await this.#rest('modify_group_member_info', { GroupId, Member_Account: user, Role: admin ? 'Admin' : 'Member' });
          member.role = admin ? 'Admin' : 'Member';
          group.told(user, admin ? TIP.ADMIN_SET : TIP.ADMIN_REVOKED);
        },
        async () => {
          const mutes = !group.muted.has(user);
          await this.#rest('forbid_send_msg', { GroupId, Members_Account: [user], MuteTime: mutes ? 3600 : 0 });
          group.muted[mutes ? 'add' : 'delete'](user);
        },
      );
    }
    return this.random.pick(changes)();
  }

  async #enter(group, client) {
    const { user } = client;
    const GroupId = group.id;
    const ways = [async () => {
      const { MemberList: [{ Result }] } = await this.#rest('add_group_member', { GroupId, MemberList: [{ Member_Account: user }] });
      assert.ok([1, 2].includes(Result), `${user} was added to ${GroupId} with ${Result}`);
      group.joined(user);
    }];
    if (group === this.guarded) ways.push(() => this.#apply(group, client));
    else if (group.type !== 'Private') {
      ways.push(async () => {
        const { JoinedStatus } = await this.#raw(client, 'apply_join_group', { GroupId });
        assert.equal(JoinedStatus, 'JoinedSuccess');
        group.joined(user);
      });
    }
    return this.random.pick(ways)();
  }

  async #apply(group, client) {
    const { user } = client;
    const { JoinedStatus } = await this.#raw(client, 'apply_join_group', { GroupId: group.id, ApplyMsg: 'please' });
    assert.equal(JoinedStatus, 'WaitAdminApproval');
    const agreed = this.random.next() < 0.7;
    await this.#raw(this.decider, 'handle_apply_join_group', { GroupId: group.id, Applicant_Account: user, HandleMsg: agreed ? 'Agree' : 'Reject', ApprovalMsg: '', MsgKey: 0 }, { done: [10024] });
    if (agreed) group.joined(user);
  }

  /** What has to be refused, whatever dies. */
  async #refused(client) {
    const attempts = [
      ['apply_join_group', { GroupId: this.closed.id }],
      ['add_group_member', { GroupId: this.closed.id, MemberList: [{ Member_Account: client.user }] }],
      ['destroy_group', { GroupId: this.closed.id }],
      ['delete_group_member', { GroupId: this.closed.id, MemberToDel_Account: [this.founders[1]] }],
    ];
    const [command, body] = this.random.pick(attempts);
    const { ErrorCode } = await this.#raw(client, command, body, { refused: [10007] });
    assert.equal(ErrorCode, 10007, `${command} by a stranger`);
  }

  /** A group is made with members, grows, and mostly ends. */
  async #comeAndGo(type) {
    const id = `${type === 'Community' ? '@TGS#_' : ''}${type.toLowerCase()}-${this.number += 1}`;
    const group = new GroupOracle(id, type, this.founders[0]);
    const some = (count) => {
      const from = Math.floor(this.random.between(0, this.crowd.length - count));
      return this.crowd.slice(from, from + count);
    };
    await this.#create(group, { ApplyJoinOption: 'FreeAccess' }, [...some(60), this.founders[1]]);
    this.#add(group);
    await this.#say(group, `first of ${id}`);
    await this.#addAll(group, some(100));
    if (this.random.next() < 0.3) return;
    await this.#rest('destroy_group', { GroupId: id }, { done: [10010] });
    group.alive = false;
  }

  /** Members by the hundred come, told of or imported, and go. */
  async #fill() {
    const group = this.filled;
    const GroupId = group.id;
    const absent = this.crowd.filter((user) => !group.members.has(user));
    if (absent.length > 0 && this.random.next() < 0.5) return this.#addAll(group, absent);
    if (absent.length > 0) {
      await this.#rest('import_group_member', { GroupId, MemberList: absent.map((user) => ({ Member_Account: user })) });
      for (const user of absent) group.joined(user, { silently: true });
      return undefined;
    }
    for (let from = 0; from < this.crowd.length; from += 100) {
      const users = this.crowd.slice(from, from + 100);
      await this.#rest('delete_group_member', { GroupId, MemberToDel_Account: users });
      for (const user of users) group.left(user, TIP.REMOVED);
    }
    return undefined;
  }

  async #addAll(group, users) {
    const absent = users.filter((user) => !group.members.has(user));
    const { MemberList } = await this.#rest('add_group_member', { GroupId: group.id, MemberList: users.map((user) => ({ Member_Account: user })) });
    assert.ok(MemberList.every(({ Result }) => Result === 1 || Result === 2), JSON.stringify(MemberList));
    for (const user of absent) group.joined(user);
  }

  /** Resolves when so many more changes were acknowledged. */
  async flows(count = 50) {
    const goal = this.acknowledged + count;
    const failed = Promise.all(this.writers).then(() => new Promise(() => {}));
    await Promise.race([failed, until(() => this.acknowledged >= goal, `${count} more acknowledged changes`, { timeout: 30_000, every: 20 })]);
  }

  /** Ends the writing; every change has its answer. */
  async stop() {
    this.writing = false;
    await Promise.all(this.writers);
  }

  /** Ends the writing and holds what was acknowledged against what is there; `connected`: no line was cut. */
  async judge({ connected = false } = {}) {
    await this.stop();
    const { rest } = this.w;
    const users = [...this.users.map((client) => client.user), ...this.founders, ...this.crowd, ...(this.sdk ? ['sdk'] : [])];
    // Each tells of its own part of one cause.
    const found = [];
    const note = (error) => found.push(error.message);
    await checkLists(rest, this.groups, users).catch(note);
    for (const group of this.groups) {
      await group.checkGroup(rest).catch(note);
      await group.checkHistory(rest, this.decider).catch(note);
    }
    const { PendencyList } = await this.decider.request('group_open_http_svc.get_pendency', { StartTime: 0, Limit: 20 });
    if (PendencyList.length > 0) found.push(`decided, and still in the list: ${JSON.stringify(PendencyList)}`);
    for (const group of this.watched ?? []) await group.checkSdk(rest, this.sdk, { connected }).catch(note);
    assert.deepEqual(found, []);
    const broken = (await this.w.target.metrics()).filter((s) => s.name === 'throng_invariant_violations_total' && s.value > 0);
    assert.deepEqual(broken, [], 'an invariant was broken');
    return { acknowledged: this.acknowledged, repeated: this.repeated, groups: this.groups.length, gone: this.groups.filter((group) => !group.alive).length };
  }

  /** What repetitions were answered, a line each. */
  describeRepeats() {
    const codes = (repeats) => [...repeats].map(([code, times]) => `${code} (${times})`).join(', ');
    return [...this.counts].filter(([, { repeats }]) => repeats.size > 0).map(([what, { repeats }]) => `${what}: ${codes(repeats)}`).sort().join('; ');
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
