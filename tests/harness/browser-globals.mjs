// The few browser globals without which the older packages don't load in Node.

/** Puts a minimal `window`, `localStorage`, `navigator` and `document` in place. */
export function fakeBrowser() {
  const store = new Map();
  const localStorage = {
    getItem: (key) => store.get(key) ?? null,
    setItem: (key, value) => store.set(key, String(value)),
    removeItem: (key) => store.delete(key),
    clear: () => store.clear(),
    key: (index) => [...store.keys()][index] ?? null,
    get length() { return store.size; },
  };
  const navigator = { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/120', platform: 'Linux x86_64', language: 'en', cookieEnabled: true, onLine: true };
  const window = {
    navigator,
    localStorage,
    location: { href: 'http://127.0.0.1/', host: '127.0.0.1', hostname: '127.0.0.1', protocol: 'http:' },
    addEventListener() {},
    removeEventListener() {},
  };
  globalThis.window = window;
  globalThis.localStorage = localStorage;
  globalThis.navigator ??= navigator;
  globalThis.document ??= { cookie: '', charset: 'UTF-8', createElement: () => ({}), addEventListener() {}, removeEventListener() {} };
}
