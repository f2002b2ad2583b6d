// One's own profile: set by the SDK or by REST, seen by others and by one's other devices.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('what the SDK sets is what REST and another user read', async (t) => {
  const w = await world(t);
  const [ann, ben] = await w.users('ann', 'ben');
  await ann.call('updateMyProfile', { nick: 'Ann 安', avatar: 'https://cdn.example/a.png', gender: 'Gender_Type_Female', birthday: 19990101, level: 5, role: 6, selfSignature: 'hi' });

  const [seen] = await ben.call('getUserProfile', { userIDList: ['ann'] });
  assert.equal(seen.nick, 'Ann 安');
  assert.equal(seen.avatar, 'https://cdn.example/a.png');
  assert.equal(seen.birthday, 19990101);
  assert.equal(seen.level, 5);

  const rest = await w.rest.ok('profile/portrait_get', { To_Account: ['ann'], TagList: ['Tag_Profile_IM_Nick', 'Tag_Profile_IM_Level'] });
  const items = Object.fromEntries(rest.UserProfileItem[0].ProfileItem.map((p) => [p.Tag, p.Value]));
  assert.deepEqual(items, { Tag_Profile_IM_Nick: 'Ann 安', Tag_Profile_IM_Level: 5 });
});

test('a change over REST is pushed to the user, and new messages carry the new nickname', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await Promise.all([ann.join(room), ben.join(room)]);
  await w.rest.ok('profile/portrait_set', { From_Account: 'ann', ProfileItem: [{ Tag: 'Tag_Profile_IM_Nick', Value: 'Renamed' }] });
  await ann.waitForEvent('onProfileUpdated', (list) => list.some((p) => p.userID === 'ann' && p.nick === 'Renamed'), 'the pushed profile');
  await ann.say(room, 'hello');
  const message = await ben.waitForText(room, 'hello');
  assert.equal(message.nick, 'Renamed');
});

test('a wrong tag or value is refused with the field in the text', async (t) => {
  const w = await world(t);
  const set = (Tag, Value) => w.rest.post('profile/portrait_set', { From_Account: 'ann', ProfileItem: [{ Tag, Value }] });
  await w.raw('ann');
  assert.equal((await set('Tag_Profile_IM_Nope', 'x')).ErrorCode, 40009);
  assert.equal((await set('Tag_Profile_IM_Nick', 'n'.repeat(501))).ErrorCode, 40601);
  assert.equal((await set('Tag_Profile_IM_Level', 'five')).ErrorCode, 40610);
  assert.equal((await set('Tag_Profile_IM_Gender', 'Gender_Type_Robot')).ErrorCode, 40605);
});
