// One SDK instance in a thread of its own: its globals, its module state and its crashes stay here.
// The test talks to it by messages (see sdk-client.mjs).
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { fakeBrowser } from './browser-globals.mjs';
import { tappedWebSocket } from './tapped-websocket.mjs';

const require = createRequire(import.meta.url);
const { sdk, create, browser, server, redirect } = workerData;

const post = (kind, value) => parentPort.postMessage({ kind, at: Date.now(), ...value });

// SDKs drop many of their inner promises: a refused request ends as an unhandled rejection with a code.
// Anything else (a TypeError in a frame handler, above all) is a crash, and fails the test.
process.on('unhandledRejection', (reason) => {
  const code = reason?.code;
  if (typeof code === 'number') post('rejection', { code, message: String(reason.message) });
  else post('crash', { what: 'unhandled rejection', stack: String(reason?.stack ?? reason) });
});
process.on('uncaughtException', (error) => {
  post('crash', { what: 'uncaught exception', stack: String(error?.stack ?? error) });
});

// The SDKs log a lot, and an error in a callback of the app's only to the console.
const logged = [];
for (const level of ['log', 'info', 'warn', 'debug', 'error']) {
  console[level] = (...parts) => {
    logged.push(`${level}: ${parts.map(String).join(' ')}`);
    if (logged.length > 500) logged.shift();
  };
}

const faults = { offline: false, swallow: null };
const { TappedWebSocket, open } = tappedWebSocket(server, redirect, (frame) => post('frame', frame), faults);
globalThis.WebSocket = TappedWebSocket;
if (browser) fakeBrowser();

const module = require(sdk);
const TC = module.default ?? module;
const messages = new Map();

/** What of an SDK's value can travel between threads. */
function plain(value) {
  if (value === undefined) return undefined;
  const seen = new WeakSet();
  return JSON.parse(JSON.stringify(value, (key, v) => {
    if (typeof v === 'function' || key.startsWith('_')) return undefined;
    if (v instanceof Map) return [...v];
    if (v && typeof v === 'object') {
      if (seen.has(v)) return undefined;
      seen.add(v);
    }
    return v;
  }) ?? 'null');
}

function remember(list) {
  for (const message of list) if (message?.ID) messages.set(message.ID, message);
}

function watch(chat) {
  for (const name of Object.values(TC.EVENT)) {
    chat.on(name, (event) => {
      if (Array.isArray(event.data)) remember(event.data);
      post('event', { name, data: plain(event.data) });
    });
  }
}

/** The SDK object as it is, saying which of its methods did what they promised. */
function counted(chat) {
  const used = new Set();
  const note = (method) => {
    if (used.has(method)) return;
    used.add(method);
    post('used', { method });
  };
  const wrap = (method, fn) => (...args) => {
    const result = fn.apply(chat, args);
    if (typeof result?.then === 'function') result.then(() => note(method), () => {});
    else note(method);
    return result;
  };
  return new Proxy(chat, {
    get(target, name) {
      const value = target[name];
      return typeof value === 'function' ? wrap(name, value) : value;
    },
  });
}

let chat = null;
function makeChat(extra = {}) {
  chat = counted(TC.create({ ...create, ...extra }));
  chat.setLogLevel(4);
  watch(chat);
  return chat;
}
if (workerData.createNow) makeChat();

const makers = {
  text: (fields) => chat.createTextMessage(fields),
  at: (fields) => chat.createTextAtMessage(fields),
  custom: (fields) => chat.createCustomMessage(fields),
  face: (fields) => chat.createFaceMessage(fields),
  location: (fields) => chat.createLocationMessage(fields),
};

const commands = {
  async call({ method, args }) {
    const result = await chat[method](...args);
    if (result?.data?.message) remember([result.data.message]);
    return plain(result?.data === undefined ? result : result.data);
  },
  async send({ type, fields, options }) {
    const message = makers[type](fields);
    remember([message]);
    post('sending', { id: message.ID, random: message.random });
    const { data } = await chat.sendMessage(message, options);
    return plain(data.message);
  },
  async onMessage({ method, messageId, args }) {
    const message = messages.get(messageId);
    if (!message) throw new Error(`no message ${messageId} here`);
    const result = await chat[method](message, ...args);
    return plain(result?.data ?? result);
  },
  async inside({ source, arg }) {
    // Test code that needs the SDK object itself, sent as text.
    const fn = (0, eval)(`(${source})`);
    return plain(await fn({ chat, TC, require, create, makeChat, emit: (name, data) => post('event', { name, data: plain(data) }) }, arg));
  },
  cut() {
    for (const socket of open) socket.terminate();
  },
  setOffline({ offline }) {
    faults.offline = offline;
    if (offline) for (const socket of open) socket.terminate();
  },
  swallow({ servcmd, count }) {
    let left = count;
    faults.swallow = servcmd && ((frame) => left > 0 && JSON.parse(frame.text).head?.servcmd === servcmd && left-- > 0);
  },
  log: () => logged,
};

parentPort.on('message', async ({ id, command, ...args }) => {
  try {
    post('answer', { id, ok: true, value: await commands[command](args) });
  } catch (error) {
    const known = typeof error?.code === 'number' || typeof error?.code === 'string';
    post('answer', { id, ok: false, error: { code: error?.code, message: String(error?.message ?? error), data: plain(error?.data), stack: known ? undefined : String(error?.stack) } });
  }
});
post('up', {});
