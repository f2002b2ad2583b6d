// Messages made of others: forwarded, merged, and merged ones too long to travel inside a message.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { joinGroup, publicGroup, readPage } from './support.mjs';

/** Says some texts in one group and brings them as one message into another; resolves with its ID. */
async function bring(client, from, texts, to) {
  const ids = [];
  for (const text of texts) ids.push((await client.say(from, text)).ID);
  return client.inside(async ({ chat, TC }, { ids, to }) => {
    const messageList = ids.map((id) => chat.findMessage(id));
    const message = chat.createMergerMessage({
      to, conversationType: TC.TYPES.CONV_GROUP,
      payload: { messageList, title: 'Minutes', abstractList: ['ann: …'], compatibleText: 'too old a client' },
    });
    const { data } = await chat.sendMessage(message);
    return data.message.ID;
  }, { ids, to });
}

const download = (client, id) => client.inside(async ({ chat }, id) => {
  const message = await chat.downloadMergerMessage(chat.findMessage(id));
  return message.payload.messageList.map(({ ID, from, messageBody }) => ({ ID, from, text: messageBody[0].payload.text }));
}, id);

async function twoGroups(t) {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  for (const id of ['talk', 'news']) {
    await publicGroup(w, id, { Owner_Account: 'ann' });
    await joinGroup(ben, id);
  }
  return { w, ann, ben };
}

test('a short merged message has its list inside', async (t) => {
  const { w, ann, ben } = await twoGroups(t);
  const id = await bring(ann, 'talk', ['one', 'two'], 'news');
  const got = await ben.waitForMessage('news', (m) => m.ID === id, 'the merged message');
  assert.deepEqual([got.type, got.payload.title, got.payload.abstractList], ['TIMRelayElem', 'Minutes', ['ann: …']]);
  assert.deepEqual(got.payload.messageList.map((m) => m.messageBody[0].payload.text), ['one', 'two']);
  assert.equal(ann.requests('save_relay_json_msg').length, 0);
  assert.ok(w);
});

test('a long one leaves its list with the server, and members read it, also later', async (t) => {
  const { w, ann, ben } = await twoGroups(t);
  const texts = ['one', 'two', 'three', 'four'].map((word) => `${word} ${'x'.repeat(4000)}`);
  const id = await bring(ann, 'talk', texts, 'news');
  const got = await ben.waitForMessage('news', (m) => m.ID === id, 'the merged message');
  assert.equal(got.type, 'TIMRelayElem');
  assert.ok(got.payload.downloadKey, 'a key in place of the list');
  // Another group's messages keep no order with this one's.
  await ben.waitForText('talk', texts.at(-1));
  const originals = ben.chats('talk').map((m) => m.ID);
  const list = await download(ben, id);
  assert.deepEqual(list.map((m) => m.text), texts);
  assert.deepEqual(list.map((m) => [m.ID, m.from]), originals.map((ID) => [ID, 'ann']));

  await Promise.all([ann.close(), ben.close()]);
  await w.target.killAndRestart();
  const back = await w.user('ben');
  await readPage(back, 'news');
  assert.deepEqual((await download(back, id)).map((m) => m.text), texts);
});

test('a forwarded message is a message of its own', async (t) => {
  const { ann, ben } = await twoGroups(t);
  const { ID } = await ann.say('talk', 'pass it on');
  await ben.waitForText('talk', 'pass it on');
  await ben.inside(async ({ chat, TC }, id) => {
    const message = chat.createForwardMessage({ to: 'news', conversationType: TC.TYPES.CONV_GROUP, payload: chat.findMessage(id) });
    await chat.sendMessage(message);
  }, ID);
  const got = await ann.waitForText('news', 'pass it on');
  assert.equal(got.from, 'ben');
  assert.notEqual(got.ID, ID);
});
