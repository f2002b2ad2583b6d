// What every frame to a client must be, checked on every frame of every test. Each rule is a trap of the
// SDK (client-protocol 01, sections 1.2 and 4.1; 02, sections 1.2, 3.2 and 8): a frame that breaks one
// makes the client throw, drop the whole frame, or go wrong quietly.

const PAYLOADS = ['C2cMsgArray', 'C2cNotifyMsgArray', 'GroupMsgArray', 'GroupTips', 'FriendListMod', 'ProfileDataMod',
  'RecentContactMod', 'C2cMsgModNotifys', 'C2cMsgInfo', 'GroupMsgModNotifys', 'UserStatusList', 'MsgExtensionNotify',
  'MsgReactionNotifyList', 'MsgReactionNotify', 'FollowChangeList'];
const C2C_ONLY_ON_MSG_PUSH = ['C2cMsgArray', 'C2cNotifyMsgArray', 'C2cMsgInfo', 'C2CReadAllMsg'];
const POLLABLE = new Set([3, 4, 5, 6, 17, 20, 100]);

function* lintItem(item, key, pushed) {
  const info = item.GroupInfo;
  if (pushed && !info) yield `${key} item without GroupInfo: the SDK throws`;
  if (pushed && info && !info.GroupId) yield `${key} item without GroupInfo.GroupId: a ghost group appears`;
  if (pushed && info && !info.GroupType) yield `${key} item without GroupInfo.GroupType: the room is taken for an ordinary group`;
  if (key === 'GroupMsgArray') {
    if (!/^\d+$/.test(String(item.TinyId ?? ''))) yield 'message without TinyId digits: message ids differ between clients';
    if (typeof item.TinyId !== 'string') yield 'TinyId must be a string: numbers above 2^53 lose digits';
    if (!Number.isInteger(item.MsgClientTime)) yield 'message without MsgClientTime: message ids differ between clients';
    if (!Number.isInteger(item.MsgRandom)) yield 'message without MsgRandom';
    if (!Number.isInteger(item.MsgSeq) || item.MsgSeq < 1) yield 'message without MsgSeq';
    if (!Array.isArray(item.MsgBody) || item.MsgBody.length === 0) yield 'message without elements';
  }
  if (key === 'GroupTips' && item.MsgBody?.OpType === 3 && item.MsgBody?.MemberExtraInfo && !item.MsgBody?.MsgMemberInfo) {
    yield 'tip 3 with a reason but without MsgMemberInfo: the SDK throws';
  }
  if (key === 'GroupTips' && item.MsgBody?.OpType === 7 && !item.MsgBody?.MsgMemberInfo) yield 'tip 7 without MsgMemberInfo';
  if (key === 'GroupTips' && item.MsgBody?.OpType === 6 && !item.MsgBody?.MsgGroupNewInfo) yield 'tip 6 without MsgGroupNewInfo';
  if (key === 'GroupTips' && [16, 17].includes(item.MsgBody?.OpType)) {
    if (!item.MsgBody.MsgOperatorMemberExtraInfo) yield 'tip 16 or 17 without MsgOperatorMemberExtraInfo: the SDK throws';
    if (item.MsgBody.OpType === 16 && !item.MsgBody.PinnedMsg?.MsgBody?.length) yield 'tip 16 without the message: the SDK throws';
    if (item.MsgBody.OpType === 17 && !item.MsgBody.SdkGroupMessageId) yield 'tip 17 without SdkGroupMessageId: the SDK throws';
  }
}

/** What changed about messages has to name them as clients do, or nobody finds them. */
function* lintAboutMessages(entry) {
  const reactions = [...(entry.MsgReactionNotifyList ?? []), ...(entry.MsgReactionNotify ? [entry.MsgReactionNotify] : [])];
  const receipts = (entry.GroupTips ?? []).flatMap((item) => item?.MsgBody?.GroupMsgReceiptList ?? []);
  const extensions = entry.MsgExtensionNotify ? [{ ...(entry.MsgExtensionNotify.ExtensionGroupMsgInfo ?? entry.MsgExtensionNotify.ExtensionC2cMsgInfo), TinyId: entry.MsgExtensionNotify.TinyId }] : [];
  const named = [...reactions.map((r) => r.GroupMsgInfo ?? r.C2CMsgInfo ?? {}), ...receipts, ...extensions];
  for (const id of named) {
    if (!/^\d+$/.test(id.TinyId ?? '') || typeof id.TinyId !== 'string') yield 'news of a message without TinyId digits';
    if (!Number.isInteger(id.MsgClientTime) || !Number.isInteger(id.MsgRandom)) yield 'news of a message without MsgClientTime or MsgRandom';
  }
}

function* lintPush(head, body) {
  const known = ['im_open_push.msg_push', 'im_open_push.multi_msg_push_ws', 'im_open_status.stat_forceoffline'];
  if (!known.includes(head.servcmd)) return;
  if (!Array.isArray(body.EventArray)) return yield 'push without EventArray';
  for (const entry of body.EventArray) {
    const keys = PAYLOADS.filter((key) => key in entry);
    yield* lintAboutMessages(entry);
    if (keys.length > 1) yield `one EventArray entry with ${keys.join(' and ')}: only the first is handled`;
    if (head.servcmd !== 'im_open_push.msg_push' && head.servcmd !== 'im_open_status.stat_forceoffline') {
      for (const key of C2C_ONLY_ON_MSG_PUSH) if (key in entry) yield `${key} on ${head.servcmd}: dropped silently`;
    }
    for (const key of ['GroupMsgArray', 'GroupTips']) {
      const items = entry[key] ?? [];
      if (!Array.isArray(items)) yield `${key} is no array`;
      else if (entry.Event !== 12) for (const item of items) yield* lintItem(item, key, true);
    }
  }
}

function* lintAnswer(head, body) {
  for (const info of body.GroupInfo ?? []) {
    if (Array.isArray(info.MemberList) && info.MemberList.length === 0 && head.servcmd.endsWith('get_group_self_member_info')) {
      yield 'MemberList: [] in a profile: the SDK throws';
    }
  }
  if (head.servcmd.endsWith('.alive') && body.ErrorCode === 60002) yield '60002 on a heartbeat: the SDK never reconnects again';
  for (const item of body.RspMsgList ?? []) {
    const event = item.Event ?? item.E;
    if (head.servcmd.includes('long_polling') || head.servcmd.endsWith('apply_join_group')) {
      if (!POLLABLE.has(event)) yield `polled item with Event ${event}`;
    }
    if (event === 3) yield* lintItem(item, 'GroupMsgArray', false);
    if (event === 4 || event === 6) yield* lintItem(item, 'GroupTips', true);
  }
}

/** The faults of one frame that a client got; `frame` has path, binary and text, `parsed` its JSON or null. */
export function lintIncoming(frame, parsed) {
  const cut = frame.text.length > 800 ? `${frame.text.slice(0, 800)}…` : frame.text;
  const faults = [];
  if (frame.path === '/binfo' && !frame.binary) faults.push('text frame on /binfo: not understood');
  if (frame.path === '/info' && frame.binary) faults.push('binary frame on /info: not understood');
  if (!parsed) {
    faults.push('not JSON');
  } else if (typeof parsed.head?.servcmd !== 'string' || parsed.body === null || typeof parsed.body !== 'object') {
    faults.push('head.servcmd must be a string and body an object: the SDK throws');
  } else if (!parsed.head.seq) {
    faults.push(...lintPush(parsed.head, parsed.body));
  } else {
    faults.push(...lintAnswer(parsed.head, parsed.body));
  }
  return faults.map((fault) => `${fault}\n    ${cut}`);
}
