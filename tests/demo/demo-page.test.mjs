// The demo live room in a real browser.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { browser } from '../harness/chromium.mjs';
import { REPOSITORY } from '../harness/binary.mjs';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

const SDK = path.join(REPOSITORY, 'tests/node_modules/@tencentcloud/chat/index.js');
const ROOM = 'demo';
// `make screenshot` names a file; nothing is written otherwise.
const SCREENSHOT = process.env.THRONG_SCREENSHOT;

const server = (t, demo = {}) => world(t, (app) => ({ gateway: { demo: { app: app.id, room: ROOM, sdk_path: SDK, ...demo } } }));

/** Opens the page as somebody new and comes in by the entrance. */
async function visitor(chromium, w, name, { room, viewport = { width: 1280, height: 800 } } = {}) {
  const context = await chromium.newContext({ viewport });
  const page = await context.newPage();
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy/.test(message.text())) page.errors.push(message.text());
  });
  await page.goto(`${w.target.base}/${room ? `#${room}` : ''}`);
  await page.fill('#name', name);
  await page.click('#entrance button');
  await page.waitForSelector('body[data-state="room"]');
  return page;
}

const feedHas = (page, text) => page.waitForSelector(`#feed li:has-text(${JSON.stringify(text)})`);

test('two people chat, like, send gifts and see each other come and go', async (t) => {
  const w = await server(t);
  const chromium = await browser(t);
  const ann = await visitor(chromium, w, 'Ann');
  const ben = await visitor(chromium, w, 'Ben 本');
  await feedHas(ann, 'Ben 本 came in');
  await ann.waitForFunction(() => document.getElementById('online').textContent === '2');

  await ann.fill('#text', 'Hello everybody!');
  await ann.click('#composer button');
  await feedHas(ben, 'Hello everybody!');
  assert.equal(await ben.getAttribute('#feed li[data-kind="comment"] .badge', 'data-priority'), 'Normal');
  await ben.fill('#text', '<b>not bold</b>');
  await ben.press('#text', 'Enter');
  await feedHas(ann, '<b>not bold</b>');
  assert.equal(await ann.locator('#feed .text b').count(), 0, 'text is text');

  await ben.click('[data-like]');
  await ben.click('[data-like]');
  await ann.waitForSelector('#feed li[data-kind="like"] .badge[data-priority="Lowest"]');
  await ben.click('[data-gift="rocket"]');
  await ann.waitForSelector('#feed li[data-kind="gift"] .badge[data-priority="High"]');
  await ann.waitForFunction(() => document.getElementById('count-likes').textContent === '2' && document.getElementById('count-gifts').textContent === '1');

  const late = await visitor(chromium, w, 'Cat', { room: ROOM, viewport: { width: 390, height: 780 } });
  await feedHas(late, 'Hello everybody!');
  await late.waitForFunction(() => document.getElementById('count-likes').textContent === '2');
  const overflow = await late.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, 'no sideways scrolling on a phone');
  await late.close();

  for (const page of [ann, ben]) assert.deepEqual(page.errors, []);
});

test('a burst shows what was dropped, by priority, to the viewer and to the sender', async (t) => {
  const w = await server(t);
  const chromium = await browser(t);
  const ann = await visitor(chromium, w, 'Ann');
  const ben = await visitor(chromium, w, 'Ben');
  await feedHas(ann, 'Ben came in');
  await ann.waitForFunction(() => document.getElementById('online').textContent === '2');
  await ann.click('#burst');

  const arrived = async (page) => {
    await page.waitForFunction(() => [...document.querySelectorAll('#burst-table .arrived')].length === 3 && [...document.querySelectorAll('#burst-table .arrived')].every((cell) => /^\d+$/.test(cell.textContent)), null, { timeout: 20_000 });
    return page.$$eval('#burst-table tbody tr', (rows) => Object.fromEntries(rows.map((row) => [row.dataset.priority, Number(row.querySelector('.arrived').textContent)])));
  };
  // On a slow machine the page shows a part first, and the rest when it came.
  let seen;
  await until(async () => {
    seen = await arrived(ben);
    const dropped = await w.target.metric('throng_group_router_room_messages_dropped_total');
    return dropped > 0 && seen.High + seen.Normal + seen.Lowest + dropped === 120;
  }, 'each message of the burst to be seen or counted as dropped', { timeout: 30_000 });
  assert.equal(seen.High, 20, 'no gift is lost');
  await until(async () => isDeepStrictEqual(await arrived(ann), seen), 'the sender to be told what the viewer saw', { timeout: 30_000 });
});

test('muting everybody and the end of the room are shown', async (t) => {
  const w = await server(t);
  const chromium = await browser(t);
  const ann = await visitor(chromium, w, 'Ann', { room: 'side-room' });
  await w.rest.group('modify_group_base_info', { GroupId: 'side-room', MuteAllMember: 'On' });
  await ann.waitForSelector('#notice:has-text("muted")');
  await w.rest.group('modify_group_base_info', { GroupId: 'side-room', MuteAllMember: 'Off' });
  await ann.waitForSelector('#notice', { state: 'hidden' });
  await w.rest.group('destroy_group', { GroupId: 'side-room' });
  await ann.waitForSelector('#ended-title:has-text("over")');
});

test('without the SDK the page says how to install it', async (t) => {
  const w = await server(t, { sdk_path: '/nonexistent/sdk.js' });
  const chromium = await browser(t);
  const page = await chromium.newPage();
  await page.goto(`${w.target.base}/`);
  await page.waitForSelector('#missing:has-text("make demo")');
  assert.equal((await fetch(`${w.target.base}/demo/sdk.js`)).status, 404);
});

test('signatures are for the demo app\'s ordinary users only', async (t) => {
  const w = await server(t);
  const ask = (body, headers = { 'content-type': 'application/json' }) => fetch(`${w.target.base}/demo/usersig`, { method: 'POST', headers, body });
  assert.equal((await ask('{"user":"administrator"}')).status, 403);
  assert.equal((await ask('{"user":""}')).status, 400);
  assert.equal((await ask('nonsense')).status, 400);
  const { userSig } = await (await ask('{"user":"ann"}')).json();
  const raw = await w.raw();
  assert.equal((await raw.login('ann', { usersig: userSig })).ErrorCode, 0);
});

test('a server without a demo app has no demo page', async (t) => {
  const w = await world(t);
  for (const where of ['/', '/demo/app.js', '/demo/config.json']) {
    assert.equal((await fetch(w.target.base + where)).status, 404, where);
  }
});

test('the screenshot of the docs', { skip: !SCREENSHOT && 'only for "make screenshot"' }, async (t) => {
  const w = await server(t);
  await w.rest.createRoom(ROOM, { Name: 'Friday night kitchen' });
  const chromium = await browser(t);
  const ann = await visitor(chromium, w, 'Ann');
  const others = [];
  for (const name of ['Ben', 'Carla', 'Dmitri', 'Emi']) others.push(await visitor(chromium, w, name));
  const [ben, carla, dmitri, emi] = others;
  const say = async (page, text) => {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
    await feedHas(ann, text);
  };
  await say(ben, 'Is that the same pan as last week?');
  await say(carla, 'It smells good from here');
  await carla.click('[data-gift="rose"]');
  await say(ann, 'Which oven setting do you use?');
  for (let i = 0; i < 6; i += 1) await dmitri.click('[data-like]');
  await ben.click('#burst');
  await ann.waitForFunction(() => document.querySelectorAll('#burst-table .arrived').length === 3 && !document.querySelector('#burst-table').textContent.includes('…'), null, { timeout: 20_000 });
  await emi.click('[data-gift="rocket"]');
  await say(emi, 'Best stream of the week');
  for (let i = 0; i < 5; i += 1) await emi.click('[data-like]');
  await ann.waitForFunction(() => document.querySelectorAll('#hearts svg').length >= 3 && document.getElementById('count-likes').textContent === '11');
  await ann.screenshot({ path: SCREENSHOT });
});
