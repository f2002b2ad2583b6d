// What a large group costs: makes one by import, as a migration would, reads it back after a kill, brings members
// online, and lets them talk. Prints a line a step: time, and the server's memory and processor time.
//
//   node tools/large-groups.mjs [MEMBERS] [ONLINE] [TYPE]      (THRONG_BIN names the server)
import { readFileSync } from 'node:fs';
import { APP } from '../harness/credentials.mjs';
import { RawClient } from '../harness/raw-client.mjs';
import { Rest } from '../harness/rest.mjs';
import { startTarget } from '../harness/target.mjs';
import { until } from '../harness/wait.mjs';

const [members, online] = [Number(process.argv[2] ?? 6000), Number(process.argv[3] ?? 200)];
const type = process.argv[4] ?? 'Public';
// Below the limit of a second.
const MESSAGES = 30;
/** Members who are not imported. */
const JOINS = 50;
const GROUP = 'group_open_http_svc';

const app = { id: APP.id, key: APP.key };
const target = await startTarget({ app: [app] });
const rest = new Rest(() => target.base, app);
const GroupId = type === 'Community' ? '@TGS#_large' : 'large';
const names = Array.from({ length: members }, (_, i) => `user${i}`);
const clients = [];

const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${target.pid}/status`, 'utf8'))[1]);
const processorMs = () => {
  const [, , , , , , , , , , , , , user, system] = readFileSync(`/proc/${target.pid}/stat`, 'utf8').replace(/\(.*\)/, 'x').split(' ').map(Number);
  return (user + system) * 10;
};

/** Runs a step; what it returns is printed beside its cost. */
async function step(what, run) {
  const [began, cpu] = [performance.now(), processorMs()];
  const found = await run();
  const ms = performance.now() - began;
  console.log(`${what.padEnd(44)} ${ms.toFixed(0).padStart(8)} ms  ${String(processorMs() - cpu).padStart(7)} ms CPU  ${(field('VmRSS') / 1024).toFixed(0).padStart(5)} MiB  ${found ?? ''}`);
}

const parts = (list, size) => Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));

/** Repeats what is refused for coming too often. */
async function paced(call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!/60011|60007|60018/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const quantile = (list, q) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))];
const ms = (list) => `p50 ${quantile(list, 0.5).toFixed(1)} ms, p99 ${quantile(list, 0.99).toFixed(1)} ms`;

try {
  await step(`${members} accounts`, async () => {
    for (const part of parts(names, 100)) {
      await paced(() => rest.ok('im_open_login_svc/multiaccount_import', { AccountList: part.map((UserID) => ({ UserID })) }));
    }
  });
  await step(`import of the group and its members`, async () => {
    await rest.group('import_group', { Type: type, GroupId, Name: 'Large', Owner_Account: 'user0', ApplyJoinOption: 'FreeAccess' });
    let added = 0;
    for (const part of parts(names.slice(0, -JOINS), 300)) {
      const { MemberList } = await paced(() => rest.group('import_group_member', { GroupId, MemberList: part.map((Member_Account) => ({ Member_Account })) }));
      added += MemberList.filter((m) => m.Result !== 0).length;
    }
    return `${added} in`;
  });
  await step('kill, restart', () => target.killAndRestart());
  await step('first request to the group', async () => { await rest.group('get_group_info', { GroupIdList: [GroupId] }); });
  await step(`${online} of them online`, async () => {
    for (const part of parts(names.slice(0, online), 50)) {
      await Promise.all(part.map(async (user) => {
        const client = await RawClient.open(target, app);
        const answer = await client.login(user);
        if (answer.ErrorCode) throw new Error(JSON.stringify(answer));
        clients.push(client);
      }));
    }
  });
  const [speaker] = clients;
  await step('pages of 100 members, from begin to end', async () => {
    const times = [];
    for (let Offset = 0; Offset < members; Offset += Math.ceil(members / 40 / 100) * 100) {
      const began = performance.now();
      const where = type === 'Community' ? { Next: String(Offset) } : { Offset };
      await speaker.ok(`${GROUP}.get_group_member_info`, { GroupId, Limit: 100, ...where });
      times.push(performance.now() - began);
    }
    return ms(times);
  });
  await step(`${JOINS} join, one after the other`, async () => {
    const times = [];
    for (const user of names.slice(-JOINS)) {
      const client = await RawClient.open(target, app);
      await client.login(user);
      const began = performance.now();
      await client.ok(`${GROUP}.apply_join_group`, { GroupId });
      times.push(performance.now() - began);
      client.close();
    }
    return ms(times);
  });
  await step('how many are online, and the same again', async () => {
    const times = [];
    let counted;
    for (let i = 0; i < 2; i += 1) {
      const began = performance.now();
      counted = await speaker.ok(`${GROUP}.get_online_member_num`, { GroupId });
      times.push((performance.now() - began).toFixed(1));
    }
    return `${counted.OnlineMemberNum}: ${times.join(' and ')} ms`;
  });
  await step(`${MESSAGES} messages to all who are online`, async () => {
    const marks = clients.map((client) => client.frames.mark);
    const times = [];
    for (let i = 0; i < MESSAGES; i += 1) {
      const began = performance.now();
      await speaker.ok(`${GROUP}.send_group_msg`, speaker.sendBody(GroupId, `message ${i}`));
      times.push(performance.now() - began);
    }
    const heard = (client, from) => JSON.stringify(client.frames.since(from)).includes(`message ${MESSAGES - 1}`);
    await until(() => clients.slice(1).every((client, i) => heard(client, marks[i + 1])), 'the last message at everybody');
    return `answers ${ms(times)}`;
  });
  const first = (await rest.group('group_msg_get_simple', { GroupId, ReqMsgNumber: 1 })).RspMsgList[0].MsgSeq;
  await step('all who are online report that they have read', async () => {
    await Promise.all(clients.map((client) => client.ok(`${GROUP}.msg_read_report`, { GroupId, MsgReadedSeq: first })));
  });
  if (type !== 'Community') {
    const answer = await speaker.ok(`${GROUP}.send_group_msg`, speaker.sendBody(GroupId, 'who reads?', { NeedReadReceipt: 1 }));
    const MsgSeqList = [{ MsgSeq: answer.MsgSeq }];
    await step('and send a receipt', async () => {
      const answers = await Promise.all(clients.slice(1).map((client) => client.request(`${GROUP}.group_msg_receipt`, { GroupId, MsgSeqList })));
      const counted = await speaker.request(`${GROUP}.get_group_msg_receipt`, { GroupId, MsgSeqList });
      const refused = answers.find((one) => one.ErrorCode);
      return refused ? JSON.stringify(refused) : JSON.stringify(counted.GroupMsgReceiptList);
    });
    await step('pages of 100 who have not read', async () => {
      const times = [];
      let Cursor = '';
      let listed = 0;
      do {
        const began = performance.now();
        const page = await speaker.ok(`${GROUP}.get_group_msg_receipt_detail`, { GroupId, MsgSeq: answer.MsgSeq, Flag: 1, Num: 100, Cursor });
        times.push(performance.now() - began);
        listed += page.UnreadList?.length ?? 0;
        Cursor = page.IsFinish === 1 ? '' : page.Cursor;
      } while (Cursor !== '');
      return `${listed} listed, ${ms(times)}`;
    });
  }
} finally {
  for (const client of clients) client.close();
  await target.dispose();
}
