// UserSigs are the same thing here and in the official packages: theirs verify here, ours verify there.
// The packages only sign, so "there" means: decoded, their own signing function comes to the same signature.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { inflateSync } from 'node:zlib';
import test, { before } from 'node:test';
import { cliSign, cliVerifies } from '../harness/cli.mjs';
import { APP, OTHER_APP, sign } from '../harness/credentials.mjs';
import { preparePython, python } from '../harness/python.mjs';
import { world } from '../harness/world.mjs';

const require = createRequire(import.meta.url);
const { Api } = require('tls-sig-api-v2');

const USERS = ['ann', 'user_with-all.chars@x', 'x'.repeat(32)];

const decode = (sig) => JSON.parse(inflateSync(Buffer.from(sig.replaceAll('*', '+').replaceAll('-', '/').replaceAll('_', '='), 'base64')));

const PY_SIGN = `
import json, sys, TLSSigAPIv2
q = json.load(sys.stdin)
api = TLSSigAPIv2.TLSSigAPIv2(q["id"], q["key"])
print(json.dumps({u: [api.gen_sig(u, 86400), api.gen_sig_with_userbuf(u, 86400, b"room-7")] for u in q["users"]}))
`;

const PY_CHECK = `
import json, sys, zlib, TLSSigAPIv2
q = json.load(sys.stdin)
api = TLSSigAPIv2.TLSSigAPIv2(q["id"], q["key"])
d = json.loads(zlib.decompress(TLSSigAPIv2.base64_decode_url(q["sig"].encode())))
sig = api._TLSSigAPIv2__hmacsha256(d["TLS.identifier"], d["TLS.time"], d["TLS.expire"], d.get("TLS.userbuf")).decode()
print(json.dumps(sig == d["TLS.sig"] and d["TLS.sdkappid"] == q["id"]))
`;

before(preparePython);

test('signatures of the npm and PyPI packages, with and without userbuf, verify on the command line', async () => {
  const fromPython = await python(PY_SIGN, { ...APP, users: USERS });
  for (const user of USERS) {
    const sigs = [sign(APP, user), sign(APP, user, { userbuf: Buffer.from('room-7') }), ...fromPython[user]];
    for (const sig of sigs) {
      assert.ok(await cliVerifies(APP, user, sig), `${user}: ${sig}`);
      assert.ok(!(await cliVerifies(OTHER_APP, user, sig)), 'another app');
      assert.ok(!(await cliVerifies(APP, `${user.slice(0, 30)}x`, sig)), 'another user');
    }
  }
});

test('our signatures verify in the npm and in the PyPI package', async () => {
  for (const user of USERS) {
    const sig = await cliSign(APP, user, 1000);
    const doc = decode(sig);
    assert.equal(doc['TLS.identifier'], user);
    assert.equal(doc['TLS.sdkappid'], APP.id);
    assert.equal(doc['TLS.expire'], 1000);
    assert.equal(doc['TLS.ver'], '2.0');
    assert.ok(Math.abs(doc['TLS.time'] - Date.now() / 1000) < 30);
    const npm = new Api(APP.id, APP.key)._hmacsha256(user, doc['TLS.time'], doc['TLS.expire'], null);
    assert.equal(npm, doc['TLS.sig']);
    assert.equal(await python(PY_CHECK, { ...APP, sig }), true);
  }
});

test('a signature of the PyPI package opens a session on the server', async (t) => {
  const w = await world(t);
  const { ann } = await python(PY_SIGN, { ...w.app, users: ['ann'] });
  const raw = await w.raw();
  for (const usersig of ann) assert.equal((await raw.login('ann', { usersig })).ErrorCode, 0);
});

test('the command line refuses what is expired, cut off or garbage', async () => {
  const good = sign(APP, 'ann');
  for (const bad of [sign(APP, 'ann', { expire: -5 }), good.slice(0, -8), good.slice(8), 'garbage', 'eJw-', '']) {
    assert.ok(!(await cliVerifies(APP, 'ann', bad)), bad);
  }
  assert.ok(await cliVerifies(APP, 'ann', good));
});
