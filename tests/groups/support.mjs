// What the tests of groups with stored members share.
import assert from 'node:assert/strict';
import { until } from '../harness/wait.mjs';

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

/**
 * What the SDK has of a group's texts, in order. After a kill the next owner tells the newest again; what came by
 * push is in no page.
 */
export async function textsSeen(client, group) {
  const pages = await pageBack(client, group);
  const all = [...pages, ...client.chats(group)].filter((m) => typeof m.payload.text === 'string');
  return [...new Map(all.map((m) => [m.sequence, m.payload.text])).entries()].sort(([a], [b]) => a - b).map(([, text]) => text);
}

/** Calls a method of the SDK with options in which `message`, or `messageList`, stands for these messages. */
export function about(client, method, ids, options = {}) {
  return client.inside(async ({ chat }, { method, ids, options }) => {
    const found = [ids].flat().map((id) => chat.findMessage(id));
    if (found.some((message) => !message)) throw new Error(`${method}: not all of ${ids} are here`);
    const result = await chat[method]({ ...options, ...(Array.isArray(ids) ? { messageList: found } : { message: found[0] }) });
    return result?.data;
  }, { method, ids, options });
}

/**
 * Has the SDK read a page of a group after a login. What it reads before its list of conversations is
 * there goes to the caller, but now and then findMessage() never learns of it.
 */
export async function readPage(client, group) {
  await until(async () => (await client.call('getConversationList')).isSyncCompleted, `the conversations of ${client.name}`);
  return client.call('getMessageList', { conversationID: `GROUP${group}` });
}

/** A field of a message that the SDK has: after a kill it may have come by push, and is then in no list. */
export function found(client, id, field) {
  return client.inside(({ chat }, { id, field }) => chat.findMessage(id)?.[field], { id, field });
}

/** Waits until the newest event of a kind that is about something says what is expected. */
export function newest(client, event, matches, what) {
  return until(() => matches(client.events.entries.findLast((e) => e.name === event)?.data), `${what} at ${client.name}`);
}
