// The WebSocket that SDKs get in Node: the ws package's, with every frame recorded, and with the faults
// that a test asks for.
import { inflateSync, gunzipSync } from 'node:zlib';
import WebSocket from 'ws';

// Nothing listens here: port 9 of the loopback (discard) is closed on test machines.
const NOWHERE = 'ws://127.0.0.1:9/';

const asBytes = (data) => (Buffer.isBuffer(data) ? data : Buffer.from(data));
const isPacked = (data) => asBytes(data).subarray(0, 4).toString('latin1') === 'COMP';

/** A frame's JSON text, whether plain or compressed. */
export function frameText(data) {
  const bytes = asBytes(data);
  if (!isPacked(bytes)) return bytes.toString('utf8');
  const packed = bytes.subarray(4);
  return (packed[0] === 0x1f ? gunzipSync(packed) : inflateSync(packed)).toString('utf8');
}

/**
 * A WebSocket class whose sockets report to `record({ dir, socket, binary, text })` and obey `faults`:
 * `offline` (new connections fail), `swallow` (a predicate on incoming frames that get lost).
 * It reaches `server` only. With `redirect` it takes any other host for the server, as a name server
 * of one's own would; without, dialling elsewhere is an error.
 */
export function tappedWebSocket(server, redirect, record, faults) {
  const open = new Set();
  let count = 0;

  const address = (url) => {
    if (url.startsWith(`${server}/`)) return url;
    if (!redirect) throw new Error(`the SDK dials ${url} instead of ${server}`);
    const { pathname, search } = new URL(url);
    return `${server}${pathname}${search}`;
  };

  class TappedWebSocket extends WebSocket {
    constructor(url, protocols) {
      super(faults.offline ? NOWHERE : address(url), protocols);
      this.number = count++;
      this.openedAt = null;
      open.add(this);
      super.on('open', () => {
        this.openedAt = Date.now();
        record({ dir: 'open', socket: this.number });
      });
      super.on('close', (code) => {
        open.delete(this);
        record({ dir: 'close', socket: this.number, code });
      });
    }

    emit(event, ...args) {
      if (event === 'message') {
        const [data, binary] = args;
        const text = frameText(data);
        const frame = { dir: 'in', socket: this.number, path: new URL(this.url).pathname, binary, packed: isPacked(data), text };
        if (faults.swallow?.(frame)) {
          record({ ...frame, dir: 'lost' });
          return true;
        }
        record(frame);
      }
      return super.emit(event, ...args);
    }

    send(data, ...rest) {
      record({ dir: 'out', socket: this.number, binary: typeof data !== 'string', text: frameText(data) });
      return super.send(data, ...rest);
    }
  }

  return { TappedWebSocket, open };
}
