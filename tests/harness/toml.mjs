// Just enough TOML writing for a server's config: one line a top-level key, everything below it inline.

function value(v) {
  if (typeof v === 'string') return JSON.stringify(v);
  if (typeof v === 'number' || typeof v === 'boolean') return String(v);
  if (Array.isArray(v)) return `[${v.map(value).join(', ')}]`;
  const pairs = Object.entries(v).filter(([, x]) => x !== undefined);
  return `{ ${pairs.map(([k, x]) => `${k} = ${value(x)}`).join(', ')} }`;
}

/** The object as TOML text; undefined values are left out. */
export function toml(config) {
  return Object.entries(config)
    .filter(([, v]) => v !== undefined)
    .map(([k, v]) => `${k} = ${value(v)}\n`)
    .join('');
}
