// Reading protobuf by hand: enough to take apart the few messages that tests look into.

/** The fields of a message by number; of each a list of what came: BigInt for numbers, Buffer for the rest. */
export function fields(bytes) {
  const found = new Map();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length) => bytes.subarray(at, at += length);
  const read = { 0: varint, 1: () => take(8), 2: () => take(Number(varint())), 5: () => take(4) };
  while (at < bytes.length) {
    const tag = Number(varint());
    const list = found.get(tag >> 3) ?? [];
    list.push(read[tag & 7]());
    found.set(tag >> 3, list);
  }
  return {
    text: (number) => found.get(number)?.at(-1).toString() ?? '',
    number: (number) => Number(found.get(number)?.at(-1) ?? 0),
    texts: (number) => (found.get(number) ?? []).map(String),
    messages: (number) => (found.get(number) ?? []).map(fields),
  };
}
