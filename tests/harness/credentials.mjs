// The apps that tests use, and signatures for their users, made by the official generator package so
// that the server is never checked against itself.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Api } = require('tls-sig-api-v2');

export const ADMIN = 'administrator';

/** The app of a test that needs only one. */
export const APP = Object.freeze({ id: 1400000001, key: 'a-key-for-tests-only-0123456789abcdef' });
/** Another app on the same server. */
export const OTHER_APP = Object.freeze({ id: 1400000002, key: 'another-key-for-tests-only-fedcba98' });

/** A UserSig of `user`; `app.key` signs. */
export function sign(app, user, { expire = 86_400, userbuf = null } = {}) {
  return new Api(app.id, app.key).genSig(user, expire, userbuf);
}
