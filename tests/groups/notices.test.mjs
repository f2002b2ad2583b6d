// What an app's server says to the members of a group that stores them: to all, or to some.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';
import { history } from './support.mjs';

test('a system notification reaches all members or the named ones, and is no message of the group', async (t) => {
  const w = await world(t);
  const [ann, ben, cleo] = await w.users('ann', 'ben', 'cleo');
  for (const [id, Type] of [['work', 'Private'], ['club', 'Public'], ['meet', 'ChatRoom'], ['@TGS#_town', 'Community']]) {
    await w.rest.createRoom(id, { Type, Name: 'g', Owner_Account: 'ann', MemberList: [{ Member_Account: 'ben' }] });
    const before = (await history(w, id)).length;
    const marks = new Map([ann, ben, cleo].map((client) => [client, client.events.mark]));
    const notify = (Content, fields) => w.rest.group('send_group_system_notification', { GroupId: id, Content, ...fields });
    const hears = (client, text) => client.waitForMessage(undefined, (m) => m.payload?.userDefinedField === text, `${text} at ${client.name}`, { from: marks.get(client) });
    await notify(`some of ${id}`, { ToMembers_Account: ['ben', 'cleo'] });
    await notify(`all of ${id}`);
    for (const client of [ann, ben]) assert.equal((await hears(client, `all of ${id}`)).payload.operationType, 255);
    await hears(ben, `some of ${id}`);
    const texts = (client) => client.received(undefined, { from: marks.get(client) }).map((m) => m.payload?.userDefinedField).filter(Boolean);
    assert.deepEqual(texts(ann), [`all of ${id}`]);
    assert.deepEqual(texts(ben), [`some of ${id}`, `all of ${id}`]);
    assert.deepEqual(texts(cleo), [], 'who is no member hears nothing');
    assert.equal((await history(w, id)).length, before);
  }
});
