// Chance that can be repeated: the same seed makes the same numbers.

export class Seeded {
  constructor(seed) {
    this.state = seed | 0;
  }

  /** From 0 up to, not including, 1. */
  next() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  }

  /** From `low` up to, not including, `high`. */
  between(low, high) {
    return low + this.next() * (high - low);
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }
}

/** A new seed, for who was given none. */
export const newSeed = () => Math.floor(Math.random() * 2 ** 31);
