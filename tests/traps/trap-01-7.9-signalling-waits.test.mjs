// Trap 01-7.9: a bare OK instead of Cookie and SyncFlag, or instead of the config, leaves signalling waiting.
import assert from 'node:assert/strict';
import test from 'node:test';
import { world } from '../harness/world.mjs';

test('the unread sync completes: a cookie, SyncFlag 2 and a list', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  const isSync = (f) => f.dir === 'in' && f.head.servcmd === 'openim.getmsg' && f.body.SyncFlag === 2;
  const { body } = await ann.waitForFrame(isSync, 'the last answer of the unread sync');
  assert.ok(body.Cookie.length > 0);
  assert.ok(Array.isArray(body.MsgList));
});

test('the conversation list completes and the config parses', async (t) => {
  const w = await world(t);
  const ann = await w.user('ann');
  const page = await ann.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'recentcontact.page_get', 'the conversation page');
  assert.equal(page.body.CompleteFlag, 1);
  assert.ok(Array.isArray(page.body.SessionItem));
  const config = await ann.waitForFrame((f) => f.dir === 'in' && f.head.servcmd === 'im_sdk_config_mgr.fetch_config', 'the config');
  assert.equal(config.body.int32_error_code, 0);
  for (const value of Object.values(JSON.parse(config.body.str_json_config))) assert.equal(typeof value, 'string');
  await ann.waitForEvent('onServerConfigUpdated', () => true, 'the SDK took the config');
});
