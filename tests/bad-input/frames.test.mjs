// Whatever comes through a socket: answered, or closed with a reason; never a panic, never memory growth.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { until } from '../harness/wait.mjs';
import { world } from '../harness/world.mjs';

const json = (value) => Buffer.from(JSON.stringify(value));

const BROKEN = [
  ['no JSON', Buffer.from('hello')],
  ['an empty frame', Buffer.alloc(0)],
  ['half a JSON', Buffer.from('{"head":{"servcmd":"heartbeat.alive","seq":1')],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0x68, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ['a compressed frame', Buffer.concat([Buffer.from('COMP'), gzipSync('{"head":{"servcmd":"heartbeat.alive","seq":1},"body":{}}')])],
  ['COMP and nothing', Buffer.from('COMP')],
  ['an array', json([])],
  ['null', json(null)],
  ['no head', json({ body: {} })],
  ['a head without servcmd', json({ head: { seq: 1 }, body: {} })],
  ['servcmd is a number', json({ head: { servcmd: 5, seq: 1 }, body: {} })],
  ['seq is text', json({ head: { servcmd: 'heartbeat.alive', seq: 'x' }, body: {} })],
  ['a negative seq', json({ head: { servcmd: 'heartbeat.alive', seq: -1 }, body: {} })],
  ['no body', json({ head: { servcmd: 'heartbeat.alive', seq: 1 } })],
  ['a body that is no object', json({ head: { servcmd: 'profile.portrait_get_all', seq: 1 }, body: 'x' })],
  ['very deep', Buffer.from('['.repeat(100_000))],
  ['deep inside the body', Buffer.from(`{"head":{"servcmd":"heartbeat.alive","seq":1},"body":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`)],
  ['a huge number', Buffer.from('{"head":{"servcmd":"heartbeat.alive","seq":1e400},"body":{}}')],
  ['a lone surrogate', Buffer.from('{"head":{"servcmd":"heartbeat.\\ud800","seq":1},"body":{}}')],
  ['a long servcmd', json({ head: { servcmd: `a.${'b'.repeat(50_000)}`, seq: 1 }, body: {} })],
];

for (const path of ['/binfo', '/info']) {
  test(`broken frames on ${path} are answered or the socket is closed with a reason`, async (t) => {
    const w = await world(t);
    for (const [what, bytes] of BROKEN) {
      const raw = await w.raw(null, { path });
      raw.sendRaw(path === '/info' ? bytes.toString('utf8') : bytes);
      // The fence: answered if the socket lived on, closed otherwise; silence would be the fault.
      const fence = raw.request('heartbeat.alive', {}).then(() => 'answered', () => 'closed');
      const outcome = await Promise.race([fence, raw.closed.then(() => 'closed')]);
      if (outcome === 'closed') {
        const { code } = await raw.closed;
        assert.ok(code >= 1001 && code !== 1006, `${what}: closed with ${code}, not by a close frame`);
      }
      raw.close();
    }
    const room = await w.room();
    await w.rest.say(room, 'alive');
  });
}

test('a frame of the other kind on a path does not end the server', async (t) => {
  const w = await world(t);
  const binary = await w.raw();
  binary.sendRaw('{"head":{"servcmd":"heartbeat.alive","seq":1},"body":{}}');
  const text = await w.raw(null, { path: '/info' });
  text.sendRaw(json({ head: { servcmd: 'heartbeat.alive', seq: 1 }, body: {} }));
  assert.ok(await w.raw('ann'));
});

test('a frame over the limit closes with 1009', async (t) => {
  const w = await world(t);
  const raw = await w.raw('ann');
  raw.sendRaw(Buffer.alloc(300 * 1024, 0x61));
  const { code } = await raw.closed;
  assert.equal(code, 1009);
});

test('an endless frame is cut off before it costs memory', async (t) => {
  const w = await world(t);
  const raw = await w.raw('ann');
  const before = w.target.rss();
  raw.sendRaw(Buffer.alloc(64 * 1024 * 1024, 0x61));
  // Whoever is still sending may see a reset before it reads the close frame.
  const { code } = await raw.closed;
  assert.ok([1006, 1009].includes(code), String(code));
  assert.ok(w.target.rss() - before < 16 * 1024 * 1024);
});

test('an unknown command and a known one without permission have their codes, and the socket lives on', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  const cases = [
    ['no_such_service.no_such_command', {}, [60009, 10003]],
    ['group_open_http_svc.no_such_command', {}, [60009, 10003]],
    ['im_open_login_svc.kick', { UserID: 'ben' }, [60010, 70403, 60009, 10007]],
    ['im_open_login_svc.account_import', { UserID: 'ben' }, [60010, 70403, 60009]],
    ['group_open_http_svc.send_broadcast_msg', { Random: 1, MsgBody: [] }, [10007, 60010, 60009]],
    ['group_open_http_svc.destroy_group', { GroupId: room }, [10007]],
    ['group_open_http_svc.destroy_group', { GroupId: 'no-such-room' }, [10010, 10015]],
    ['group_open_http_svc.apply_join_group', { GroupId: 'no-such-room' }, [10010, 10015]],
    ['group_open_http_svc.apply_join_group', {}, [10004]],
    ['group_open_http_svc.apply_join_group', { GroupId: 5 }, [10004]],
    ['group_open_http_svc.send_group_msg', { ...ann.sendBody(room, 'x'), From_Account: 'somebody-else' }, [10004, 10007, 10019, 70013, 0]],
  ];
  for (const [servcmd, body, codes] of cases) {
    const answer = await ann.request(servcmd, body);
    assert.ok(codes.includes(answer.ErrorCode), `${servcmd} ${JSON.stringify(body)}: expected ${codes}, got ${JSON.stringify(answer)}`);
  }
  // Whatever a client says in From_Account, it speaks as itself.
  await ann.join(room);
  await ann.request('group_open_http_svc.send_group_msg', ann.sendBody(room, 'as whom?', { From_Account: 'ben' }));
  await w.rest.say(room, 'fence');
  await ann.waitForText(room, 'fence');
  assert.ok(ann.items().every(({ item }) => item.From_Account !== 'ben'));
});

test('requests without any credentials reach nothing', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const raw = await w.raw();
  for (const head of [{}, { identifier: 'administrator', usersig: '' }, { a2: 'x', tinyid: '1' }, { identifier: 'ann', usersig: w.sign('ben') }]) {
    const answer = await raw.request('group_open_http_svc.destroy_group', { GroupId: room }, head);
    assert.notEqual(answer.ErrorCode ?? 0, 0, JSON.stringify(head));
  }
  await w.rest.say(room, 'still there');
});

test('a flood of broken frames and sockets leaves the memory bounded and the server well', async (t) => {
  const w = await world(t);
  const flood = async (n) => {
    for (let i = 0; i < n; i += 1) {
      const raws = await Promise.all(Array.from({ length: 10 }, () => w.raw().catch(() => null)));
      for (const [j, raw] of raws.entries()) {
        if (!raw) continue;
        for (let k = 0; k < 20; k += 1) raw.sendRaw(BROKEN[(i + j + k) % BROKEN.length][1]);
        raw.sendRaw(Buffer.from(JSON.stringify({ head: raw.head(`svc${i}.cmd${j}`, { identifier: `stranger-${i}-${j}`, usersig: 'x' }), body: { GroupId: `ghost-${i}-${j}` } })));
      }
      await Promise.all(raws.filter(Boolean).map((raw) => Promise.race([raw.closed, raw.request('heartbeat.alive', {}).catch(() => {})])));
      for (const raw of raws) raw?.close();
      w.clients.length = 0;
    }
  };
  await flood(5);
  const warm = w.target.rss();
  await flood(25);
  const grown = w.target.rss() - warm;
  assert.ok(grown < 48 * 1024 * 1024, `grew by ${Math.round(grown / 1024 / 1024)} MiB`);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  await w.rest.say(room, 'well');
  await ann.waitForText(room, 'well');
});

test('a client that stops reading is closed or loses room messages, and others are not slowed down', async (t) => {
  const w = await world(t, { app: { rooms: { messages_per_second: 100_000 } } });
  const room = await w.room();
  const [stuck, ann] = [await w.raw('stuck'), await w.raw('ann')];
  await stuck.join(room);
  await ann.join(room);
  stuck.socket.pause();
  const before = w.target.rss();
  const big = 'x'.repeat(10_000);
  for (let i = 0; i < 60; i += 1) {
    await Promise.all(Array.from({ length: 10 }, (_, j) => ann.say(room, `${i}-${j} ${big}`)));
  }
  await w.rest.say(room, 'fence');
  await ann.waitForText(room, 'fence');
  await until(() => w.target.rss() - before < 64 * 1024 * 1024, 'bounded memory');
});
