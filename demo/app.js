// The demo live room: the vendor's web SDK against the server that this page came from.
// Top to bottom: state and small helpers, what is shown, what arrives, what is sent, coming in.

const $ = (id) => document.getElementById(id);
const COUNTERS = ['likes', 'gifts'];
const GIFTS = { rose: 'a rose', crown: 'a crown', rocket: 'a rocket' };
const BURST = [['High', 20], ['Normal', 40], ['Lowest', 60]];
const FEED_LENGTH = 200;
const BURST_DATA = 'demo.burst';
const REPORT_DATA = 'demo.burst-report';

const state = { config: null, sdk: null, chat: null, room: null, me: null, online: 0, counters: { likes: 0, gifts: 0 }, unsent: { likes: 0, gifts: 0 } };
const bursts = new Map();

// ---- Showing ---------------------------------------------------------------------------------

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function icon(name, className) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  if (className) svg.setAttribute('class', className);
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#${name}`);
  svg.append(use);
  return svg;
}

function badge(priority) {
  const made = element('span', 'badge', priority);
  made.dataset.priority = priority;
  return made;
}

function face(name, id) {
  const made = element('span', 'face', (name.trim()[0] ?? '?').toUpperCase());
  const hue = [...id].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7);
  made.style.setProperty('--hue', String(hue));
  return made;
}

function addToFeed(line) {
  const feed = $('feed');
  const atEnd = feed.scrollHeight - feed.scrollTop - feed.clientHeight < 60;
  feed.append(line);
  while (feed.children.length > FEED_LENGTH) feed.firstElementChild.remove();
  if (atEnd) feed.scrollTop = feed.scrollHeight;
}

function showTip(text) {
  addToFeed(element('li', 'tip', text));
}

function showComment(from, nick, text, priority) {
  const line = element('li', from === state.me?.userID ? 'mine' : '');
  line.dataset.kind = 'comment';
  const words = element('div', 'words');
  const who = element('div', 'who', nick);
  who.append(badge(priority));
  words.append(who, element('div', 'text', text));
  line.append(face(nick, from), words);
  addToFeed(line);
}

function showGift(nick, gift, priority) {
  const line = element('li', 'gift-line');
  line.dataset.kind = 'gift';
  const words = element('div', 'words');
  words.append(element('b', '', nick), ` sends ${GIFTS[gift] ?? 'a gift'} `, badge(priority));
  line.append(icon(GIFTS[gift] ? gift : 'crown'), words);
  addToFeed(line);
  float(GIFTS[gift] ? gift : 'crown', 'gift');
}

function showLike(nick, priority) {
  const last = $('feed').lastElementChild;
  if (last?.dataset.kind === 'like' && last.dataset.nick === nick) {
    last.dataset.count = String(Number(last.dataset.count) + 1);
    last.querySelector('.times').textContent = ` × ${last.dataset.count}`;
  } else {
    const line = element('li', 'tip');
    Object.assign(line.dataset, { kind: 'like', nick, count: '1' });
    line.append(icon('heart', 'like'), `${nick} likes this`, element('span', 'times'), badge(priority));
    addToFeed(line);
  }
  float('heart', 'like');
}

/** Lets a symbol rise over the stage. */
function float(name, className) {
  const layer = $('hearts');
  if (layer.children.length > 40) return;
  const svg = icon(name, className);
  svg.style.left = `${15 + Math.random() * 70}%`;
  svg.style.setProperty('--sway', `${Math.round(Math.random() * 120 - 60)}px`);
  svg.addEventListener('animationend', () => svg.remove());
  layer.append(svg);
}

function showCounters() {
  for (const key of COUNTERS) {
    $(`count-${key}`).textContent = (state.counters[key] + state.unsent[key]).toLocaleString('en');
  }
}

function showOnline(count) {
  state.online = count;
  $('online').textContent = count.toLocaleString('en');
}

function showConnection(name) {
  $('connection').dataset.state = name;
  $('connection-text').textContent = name;
}

function showNotice(text) {
  $('notice').hidden = !text;
  $('notice').textContent = text ?? '';
}

function setMuted(muted) {
  showNotice(muted ? 'All are muted: only the host and the moderators may speak.' : null);
  $('text').placeholder = muted ? 'Muted by the host' : 'Say something nice';
}

function setEnabled(enabled) {
  for (const control of document.querySelectorAll('main button, #text')) control.disabled = !enabled;
}

function card(id) {
  for (const one of ['entrance', 'missing', 'ended']) $(one).hidden = one !== id;
}

function showEnd(title, text) {
  setEnabled(false);
  $('ended-title').textContent = title;
  $('ended-text').textContent = text;
  card('ended');
  document.body.dataset.state = 'ended';
}

function showBurst(rows, text) {
  $('burst-text').textContent = text;
  $('burst-table').hidden = false;
  $('burst-table').tBodies[0].replaceChildren(...rows.map(([priority, sent, arrived]) => {
    const row = element('tr');
    const name = element('td');
    name.append(badge(priority));
    const known = arrived !== null;
    row.append(name, element('td', 'sent', sent), element('td', 'arrived', known ? arrived : '…'), element('td', 'dropped', known ? sent - arrived : '…'));
    row.dataset.priority = priority;
    return row;
  }));
}

// ---- What arrives -----------------------------------------------------------------------------

const nickOf = (message) => message.nick || message.from;

function onTip(message) {
  const { payload } = message;
  const names = () => (payload.memberList ?? []).map((m) => m.nick || m.userID).filter(Boolean);
  switch (payload.operationType) {
    case 1: showTip(`${names().join(', ') || nickOf(message) || payload.operatorID} came in`); break;
    case 2: showTip(`${nickOf(message) || payload.operatorID} left`); break;
    case 6: onProfile(payload.newGroupProfile ?? {}); break;
    case 7: showTip('A member was muted or unmuted'); break;
    case 10: showTip(`${(payload.userIDList ?? []).join(', ')} was removed`); break;
    default:
  }
  refreshOnline();
}

function onProfile(profile) {
  if (profile.groupName) $('room-name').textContent = profile.groupName;
  if (profile.notification) showTip(`Notice: ${profile.notification}`);
  if (profile.muteAllMembers !== undefined) {
    setMuted(profile.muteAllMembers);
    showTip(profile.muteAllMembers ? 'The host muted everybody' : 'Everybody may speak again');
  }
}

function onSystemNotice({ payload }) {
  switch (payload.operationType) {
    case 4: return showEnd('You are out', 'The server has lost track of you in this room.');
    case 5: return showEnd('The show is over', 'The room was closed.');
    case 21: return showEnd('You were removed', payload.reason || 'A moderator removed you from this room.');
    case 255: return showTip(`Announcement: ${payload.userDefinedField}`);
    default: return undefined;
  }
}

function onCustom(message) {
  const { data, extension } = message.payload;
  if (data === BURST_DATA) return countBurst(message, JSON.parse(extension));
  if (data === REPORT_DATA) return onReport(message, JSON.parse(extension));
  if (data === 'like') return showLike(nickOf(message), message.priority);
  if (data === 'gift') return showGift(nickOf(message), extension, message.priority);
  return undefined;
}

function onMessages({ data }) {
  for (const message of data) {
    if (message.type === 'TIMGroupSystemNoticeElem') onSystemNotice(message);
    else if (message.to !== state.room && !message.isBroadcastMessage) continue;
    else if (message.type === 'TIMGroupTipElem') onTip(message);
    else if (message.type === 'TIMTextElem') showComment(message.from, nickOf(message), message.payload.text, message.priority);
    else if (message.type === 'TIMCustomElem') {
      try {
        onCustom(message);
      } catch {
        // Somebody else's custom message in this room.
      }
    }
  }
}

// A burst from somebody else: count what of it gets here, show it once nothing more comes, and tell the
// sender; if more comes after all, again. In a big room only a few tell.
function countBurst(message, { id }) {
  let burst = bursts.get(id);
  if (!burst) {
    burst = { from: nickOf(message), got: {}, tells: Math.random() < 5 / Math.max(state.online, 5) };
    bursts.set(id, burst);
    setTimeout(() => bursts.delete(id), 60_000);
  }
  burst.got[message.priority] = (burst.got[message.priority] ?? 0) + 1;
  clearTimeout(burst.timer);
  burst.timer = setTimeout(() => {
    const rows = BURST.map(([priority, sent]) => [priority, sent, burst.got[priority] ?? 0]);
    showBurst(rows, `What arrived here of ${burst.from}'s burst:`);
    if (burst.tells) sendCustom(REPORT_DATA, JSON.stringify({ id, got: burst.got }), 'High');
  }, 1500);
  const sum = Object.values(burst.got).reduce((a, b) => a + b, 0);
  if (sum === 1) showTip(`A burst of messages from ${burst.from}`);
}

function onReport(message, { id, got }) {
  if (id !== state.burst) return;
  showBurst(BURST.map(([priority, sent]) => [priority, sent, Number(got[priority]) || 0]), `What arrived at ${nickOf(message)}:`);
}

async function refreshOnline() {
  try {
    const { data } = await state.chat.getGroupOnlineMemberCount(state.room);
    showOnline(data.memberCount);
  } catch {
    // The next one will tell.
  }
}

// ---- What is sent -----------------------------------------------------------------------------

async function send(message) {
  try {
    await state.chat.sendMessage(message);
    return true;
  } catch (error) {
    if (error.code === 10017) showTip('You are muted');
    else showTip(`Not sent: ${error.message || error.code}`);
    return false;
  }
}

const target = () => ({ to: state.room, conversationType: state.sdk.TYPES.CONV_GROUP });

function sendCustom(data, extension, priority) {
  return send(state.chat.createCustomMessage({ ...target(), priority, payload: { data, description: '', extension } }));
}

async function say(text) {
  const sent = await send(state.chat.createTextMessage({ ...target(), priority: 'Normal', payload: { text } }));
  if (sent) showComment(state.me.userID, state.me.nick, text, 'Normal');
}

async function like() {
  if (!await sendCustom('like', '', 'Lowest')) return;
  showLike(state.me.nick, 'Lowest');
  count('likes');
}

async function give(gift) {
  if (!await sendCustom('gift', gift, 'High')) return;
  showGift(state.me.nick, gift, 'High');
  count('gifts');
}

// Counters are shared through the server; many clicks make one call.
function count(key) {
  state.unsent[key] += 1;
  showCounters();
}

async function flushCounters() {
  for (const key of COUNTERS) {
    const value = state.unsent[key];
    if (value === 0) continue;
    state.unsent[key] = 0;
    state.counters[key] += value;
    try {
      await state.chat.increaseGroupCounter({ groupID: state.room, key, value });
    } catch {
      state.counters[key] -= value;
      state.unsent[key] += value;
    }
  }
  showCounters();
}

async function sendBurst() {
  $('burst').disabled = true;
  state.burst = crypto.randomUUID?.() ?? String(Math.random());
  showBurst(BURST.map(([priority, sent]) => [priority, sent, null]), state.online > 1
    ? 'Sent. Waiting for somebody to report what arrived…'
    : 'Sent, but nobody watches: open this room in a second window to see what arrives.');
  const extension = JSON.stringify({ id: state.burst });
  // Mixed, so that no priority is served for having come first.
  const order = BURST.flatMap(([priority, n]) => Array(n).fill(priority)).sort(() => Math.random() - 0.5);
  await Promise.all(order.map((priority) => sendCustom(BURST_DATA, extension, priority)));
  $('burst').disabled = document.body.dataset.state !== 'room';
}

// ---- Coming in --------------------------------------------------------------------------------

function loadSdk() {
  return new Promise((resolve, reject) => {
    const script = element('script');
    script.src = '/demo/sdk.js';
    script.onload = () => (globalThis.TencentCloudChat ? resolve(globalThis.TencentCloudChat) : reject(new Error('no SDK in /demo/sdk.js')));
    script.onerror = () => reject(new Error('no /demo/sdk.js'));
    document.head.append(script);
  });
}

async function fetchJson(url, options) {
  const response = await fetch(url, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `${url}: ${response.status}`);
  return answer;
}

/** One user per browser tab. */
function userId() {
  let id = sessionStorage.getItem('userID');
  if (!id) {
    id = `guest-${Math.random().toString(36).slice(2, 10)}`;
    sessionStorage.setItem('userID', id);
  }
  return id;
}

function makeChat() {
  const { sdk, config } = state;
  const proxyServer = config.proxyServer ?? `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}`;
  const chat = sdk.create({ SDKAppID: config.sdkAppId, proxyServer });
  chat.setLogLevel(2);
  chat.on(sdk.EVENT.MESSAGE_RECEIVED, onMessages);
  chat.on(sdk.EVENT.NET_STATE_CHANGE, ({ data }) => showConnection(data.state));
  chat.on(sdk.EVENT.KICKED_OUT, ({ data }) => showEnd('Signed out', `The session ended: ${data.type}`));
  chat.on(sdk.EVENT.GROUP_COUNTER_UPDATED, ({ data }) => {
    if (data.groupID !== state.room || !(data.key in state.counters)) return;
    state.counters[data.key] = data.value;
    showCounters();
  });
  return chat;
}

function whenReady() {
  if (state.chat.isReady()) return Promise.resolve();
  return new Promise((resolve) => state.chat.on(state.sdk.EVENT.SDK_READY, resolve));
}

async function joinOrMake(room) {
  try {
    return await state.chat.joinGroup({ groupID: room, type: state.sdk.TYPES.GRP_AVCHATROOM });
  } catch (error) {
    if (error.code !== 10010 && error.code !== 10015) throw error;
    await state.chat.createGroup({ groupID: room, name: room, type: state.sdk.TYPES.GRP_AVCHATROOM });
    return state.chat.joinGroup({ groupID: room, type: state.sdk.TYPES.GRP_AVCHATROOM });
  }
}

async function enter(name, room) {
  const userID = userId();
  state.chat ??= makeChat();
  const { userSig } = await fetchJson('/demo/usersig', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: userID }),
  });
  await state.chat.login({ userID, userSig });
  await whenReady();
  showConnection('connected');
  await state.chat.updateMyProfile({ nick: name });
  state.me = { userID, nick: name };
  state.room = room;
  location.hash = room;
  $('feed').replaceChildren();
  const { data } = await joinOrMake(room);
  $('room-name').textContent = data.group?.name || room;
  $('room-id').textContent = `Room ${room} · you are ${name}`;
  setMuted(Boolean(data.group?.muteAllMembers));
  setEnabled(true);
  document.body.dataset.state = 'room';
  $('text').focus();
  await Promise.allSettled([refreshOnline(), readCounters()]);
}

async function readCounters() {
  const { data } = await state.chat.getGroupCounters({ groupID: state.room });
  for (const key of COUNTERS) state.counters[key] = Number(data.counters?.[key] ?? 0);
  showCounters();
}

function showEntrance() {
  $('name').value = sessionStorage.getItem('name') ?? '';
  $('room').value = decodeURIComponent(location.hash.slice(1)) || state.config.room || 'demo';
  card('entrance');
  document.body.dataset.state = 'entrance';
  $('name').focus();
}

$('entrance').addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = event.submitter ?? $('entrance').querySelector('button');
  const name = $('name').value.trim();
  if (!name) return;
  button.disabled = true;
  $('entrance-error').textContent = '';
  try {
    sessionStorage.setItem('name', name);
    await enter(name, $('room').value.trim());
  } catch (error) {
    $('entrance-error').textContent = `That did not work: ${error.message || error.code}`;
  } finally {
    button.disabled = false;
  }
});

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text) return;
  $('text').value = '';
  say(text);
});

$('actions').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.gift) give(button.dataset.gift);
  else like();
});

$('burst').addEventListener('click', sendBurst);
$('again').addEventListener('click', () => location.reload());
window.addEventListener('hashchange', () => {
  if (document.body.dataset.state === 'room' && decodeURIComponent(location.hash.slice(1)) !== state.room) location.reload();
});
setInterval(() => document.body.dataset.state === 'room' && flushCounters(), 1000);
setInterval(() => document.body.dataset.state === 'room' && refreshOnline(), 15_000);

try {
  state.config = await fetchJson('/demo/config.json');
  state.sdk = await loadSdk();
  showEntrance();
} catch (error) {
  card('missing');
  document.body.dataset.state = 'missing';
  console.error(error);
}
