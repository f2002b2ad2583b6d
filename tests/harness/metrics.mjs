// Reading Prometheus text: enough to sum counters over some labels.

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Every sample of the text: `{ name, labels, value }`. */
export function parseMetrics(text) {
  const samples = [];
  for (const line of text.split('\n')) {
    if (!line || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    if (!match) continue;
    const labels = {};
    for (const [, key, raw] of (match[2] ?? '').matchAll(LABEL)) labels[key] = raw;
    samples.push({ name: match[1], labels, value: Number(match[3]) });
  }
  return samples;
}

/** Sum of the samples called `name` whose labels include `wanted`. */
export function sum(samples, name, wanted = {}) {
  return samples
    .filter((s) => s.name === name && Object.entries(wanted).every(([k, v]) => s.labels[k]?.toLowerCase() === v.toLowerCase()))
    .reduce((total, s) => total + s.value, 0);
}
