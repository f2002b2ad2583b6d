// Waiting on conditions. Tests never sleep for a fixed time: they wait until something is so, or fail
// with the name of what did not happen.

// A slow machine may need more: THRONG_TEST_PATIENCE multiplies every deadline.
const PATIENCE = Number(process.env.THRONG_TEST_PATIENCE ?? 1);

/** Milliseconds that a wait of nominally `ms` may take on this machine. */
export const deadline = (ms) => ms * PATIENCE;

/**
 * Polls `condition` until it returns something truthy, and returns that.
 * `what` names the condition in the failure.
 */
export async function until(condition, what, { timeout = 10_000, every = 15 } = {}) {
  const end = Date.now() + deadline(timeout);
  let last;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) {
      throw new Error(`waited ${deadline(timeout)} ms in vain for: ${what}${last ? ` (last error: ${last.message})` : ''}`);
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/** A list that grows while the test runs, and in which one can wait for an entry. */
export class Journal {
  constructor(name) {
    this.name = name;
    this.entries = [];
    this.waiting = new Set();
    this.closed = null;
  }

  push(entry) {
    this.entries.push(entry);
    for (const waiter of [...this.waiting]) waiter.offer(entry);
  }

  /** Fails everyone who waits, now and later: the source of entries is gone. */
  close(reason) {
    this.closed ??= reason;
    for (const waiter of [...this.waiting]) waiter.fail(new Error(`${this.name}: ${reason}`));
  }

  /** Number of entries so far: pass it as `from` to look only at what comes later. */
  get mark() {
    return this.entries.length;
  }

  since(mark) {
    return this.entries.slice(mark);
  }

  /** The first entry at or after `from` that matches, now or in the future. */
  waitFor(matches, what, { from = 0, timeout = 10_000 } = {}) {
    const found = this.entries.slice(from).find(matches);
    if (found !== undefined) return Promise.resolve(found);
    if (this.closed) return Promise.reject(new Error(`${this.name}: ${this.closed}`));
    return new Promise((resolve, reject) => {
      const settle = (act, value) => {
        clearTimeout(timer);
        this.waiting.delete(waiter);
        act(value);
      };
      const waiter = {
        offer: (entry) => {
          let hit = false;
          try {
            hit = matches(entry);
          } catch (error) {
            return settle(reject, error);
          }
          if (hit) settle(resolve, entry);
        },
        fail: (error) => settle(reject, error),
      };
      const timer = setTimeout(
        () => settle(reject, new Error(`${this.name}: waited ${deadline(timeout)} ms in vain for: ${what}`)),
        deadline(timeout),
      );
      this.waiting.add(waiter);
    });
  }
}
