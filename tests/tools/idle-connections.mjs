// How much memory a connection costs that says nothing: opens raw WebSockets to a fresh server, logs a
// user in on each, waits until the server's memory is steady, and prints what each one added.
//
//   node tools/idle-connections.mjs [CONNECTIONS] [ROOMS_EACH] [tls]      (THRONG_BIN names the server)
//
// With `tls`, NODE_EXTRA_CA_CERTS has to be ../services/gateway/tests/gateway/certificates/first.pem.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CERTIFICATES } from '../harness/certificates.mjs';
import { APP } from '../harness/credentials.mjs';
import { RawClient } from '../harness/raw-client.mjs';
import { Rest } from '../harness/rest.mjs';
import { startTarget } from '../harness/target.mjs';

const [connections, roomsEach] = [Number(process.argv[2] ?? 2000), Number(process.argv[3] ?? 0)];
const WARM_UP = 200;
const AT_ONCE = 50;

const app = { id: APP.id, key: APP.key };
const gateway = process.argv[4] === 'tls' ? { tls: CERTIFICATES } : {};
const target = await startTarget({ gateway, app: [{ ...app, rooms: { rooms_per_session: 10 } }] });
const rest = new Rest(() => target.base, app);

function residentKiB() {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${target.pid}/status`, 'utf8'))[1]);
}

async function steadyKiB() {
  for (let before = residentKiB(); ; ) {
    await sleep(1000);
    const now = residentKiB();
    if (Math.abs(now - before) <= 64) return now;
    before = now;
  }
}

async function open(from, to) {
  for (let at = from; at < to; at += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, to - at) }, (_, index) => at + index);
    await Promise.all(some.map(async (number) => {
      const client = await RawClient.open(target, app);
      const answer = await client.login(`user${number}`);
      if (answer.ErrorCode) throw new Error(JSON.stringify(answer));
      for (const room of rooms) await client.join(room);
      clients.push(client);
    }));
  }
}

const clients = [];
const rooms = [];
try {
  for (let number = 0; number < roomsEach; number += 1) rooms.push(await rest.createRoom(`idle-${number}`));
  // What a server sets up once is not the connections'.
  await open(0, WARM_UP);
  const before = await steadyKiB();
  await open(WARM_UP, WARM_UP + connections);
  const after = await steadyKiB();
  const each = ((after - before) / connections).toFixed(1);
  console.log(`connections=${connections} rooms_each=${roomsEach} ${process.argv[4] ?? 'plain'} before_KiB=${before} after_KiB=${after} each_KiB=${each}`);
} finally {
  for (const client of clients) client.close();
  await target.dispose();
}
