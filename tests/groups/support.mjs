// What the tests of groups with stored members share.
import assert from 'node:assert/strict';

/** Makes a Public group over REST that everybody may join; returns its ID. */
export function publicGroup(w, id, fields = {}) {
  return w.rest.createRoom(id, { Type: 'Public', Name: 'Chess club', ApplyJoinOption: 'FreeAccess', ...fields });
}

/** Joins as the SDK does. */
export const joinGroup = (client, group) => client.call('joinGroup', { groupID: group, type: 'Public' });

/** What an SDK's message, tip or history entry is about. */
export const label = (message) => message.payload.text ?? `tip ${message.payload.operationType}`;

/** All messages that the app's server can read of a group, the oldest first, page by page. */
export async function history(w, group, pageSize = 20) {
  const found = [];
  for (let ReqMsgSeq; ;) {
    const page = await w.rest.group('group_msg_get_simple', { GroupId: group, ReqMsgNumber: pageSize, ...(ReqMsgSeq ? { ReqMsgSeq } : {}) });
    found.unshift(...page.RspMsgList.toReversed());
    const lowest = found[0]?.MsgSeq ?? 1;
    if (page.RspMsgList.length === 0 || lowest === 1) return found;
    ReqMsgSeq = lowest - 1;
  }
}

/** Numbers run 1, 2, 3 … without a gap. */
export function assertDense(messages) {
  assert.deepEqual(messages.map((m) => m.MsgSeq), messages.map((_, i) => i + 1), 'numbers without a gap');
}

/** A conversation of the SDK's list. */
export async function conversation(client, group) {
  const { conversationList } = await client.call('getConversationList');
  return conversationList.find((c) => c.conversationID === `GROUP${group}`);
}

/** All messages that the SDK finds by paging back, the oldest first. */
export async function pageBack(client, group) {
  const found = [];
  for (let nextReqMessageID; ;) {
    const page = await client.call('getMessageList', { conversationID: `GROUP${group}`, nextReqMessageID });
    found.unshift(...page.messageList);
    if (page.isCompleted || page.messageList.length === 0) return found;
    nextReqMessageID = page.nextReqMessageID;
  }
}
