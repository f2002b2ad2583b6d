// The fixture of nearly every test: a fresh server, its clients, and the checks at the end.
import assert from 'node:assert/strict';
import { sign } from './credentials.mjs';
import { RawClient } from './raw-client.mjs';
import { Rest } from './rest.mjs';
import { SdkClient } from './sdk-client.mjs';
import { SteadyClient } from './steady-client.mjs';
import { freshApps, startTarget } from './target.mjs';
import { until } from './wait.mjs';

class World {
  constructor(target, app, otherApp) {
    this.target = target;
    this.app = app;
    // Known to the server if the test names it in `apps`.
    this.otherApp = otherApp;
    this.rest = new Rest(() => target.base, app);
    this.clients = [];
    this.rooms = 0;
  }

  /** Users with the SDK, logged in, in the order of their names. */
  users(...names) {
    return Promise.all(names.map((name) => this.user(name)));
  }

  async user(name, options = {}) {
    const client = await SdkClient.start(this.target, options.app ?? this.app, name, options);
    this.clients.push(client);
    return client;
  }

  /** Somebody who watches without an account. */
  guest(options = {}) {
    return this.user(null, { ...options, login: false });
  }

  async raw(user, options = {}) {
    const client = await RawClient.open(this.target, options.app ?? this.app, options);
    this.clients.push(client);
    if (user) {
      const answer = await client.login(user);
      assert.equal(answer.ErrorCode ?? 0, 0, `login of ${user}: ${JSON.stringify(answer)}`);
    }
    return client;
  }

  /** A user by the raw protocol that comes back by itself, as with the SDK. */
  async steady(user, options) {
    const client = await SteadyClient.start(this.target, this.app, user, options);
    this.clients.push(client);
    return client;
  }

  /** A new live room, made over REST; `fields` as in create_group. */
  room(fields = {}) {
    this.rooms += 1;
    return this.rest.createRoom(`room-${this.rooms}`, fields);
  }

  /** Waits until it is written who is in which live room: that happens behind the answers. */
  membershipsWritten() {
    const waiting = ['throng_gateway_memberships_untold', 'throng_presence_unwritten', 'throng_store_unsynced'];
    return until(async () => {
      // What leaves one is in the next one already.
      for (const name of waiting) if (await this.target.metric(name) > 0) return false;
      return true;
    }, 'memberships that are written');
  }

  sign(user, options) {
    return sign(this.app, user, options);
  }

  problems() {
    return [...this.target.problems(), ...this.clients.flatMap((client) => client.problems())];
  }

  /** Takes everything down; of a test that `failed` the logs stay. */
  async end(failed) {
    await Promise.all(this.clients.map((client) => client.close()));
    const problems = this.problems();
    if (failed || problems.length > 0) console.error(`logs and data of the failed test: ${this.target.dir}`);
    await this.target.dispose({ keep: failed || problems.length > 0 });
    assert.deepEqual(problems, [], 'the server or a client went wrong on the way');
  }
}

/**
 * Starts a server for the test `t` and takes everything down after it.
 * `app` adds settings to the one app (devices, rooms, …); `apps` adds whole apps; `cluster` is for a
 * cluster alone (see cluster.mjs); the rest is top-level config. A function in place of all that gets
 * the app and another one: which they are differs from world to world.
 */
export async function world(t, config = {}) {
  const [main, other] = freshApps();
  const { app = {}, apps = [], serverArgs, serverEnv, cluster, ...rest } = typeof config === 'function' ? config(main, other) : config;
  const target = await startTarget({ ...rest, app: [{ ...main, ...app }, ...apps] }, { args: serverArgs, env: serverEnv, cluster });
  const made = new World(target, main, other);
  t.after(async () => {
    if (process.env.THRONG_TEST_LOGS) console.error(target.stderr);
    await made.end(t.passed === false);
  });
  return made;
}
