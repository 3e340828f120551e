/**
 * Reads Prometheus' text format as strictly as `promtool check metrics` does: throws on what a scraper would refuse or a reviewer would send
 * back (names, HELP and TYPE once and before the samples, escaped labels, whole histograms, no series twice).
 */
export interface Family {
  name: string;
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*/;

export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: Family | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = /^# HELP (\S+) (.*)$/.exec(line);
    if (help?.[1]) {
      if (families.has(help[1])) throw new Error(`${help[1]} has HELP twice`);
      current = { name: help[1], type: '', help: help[2] ?? '', samples: [] };
      families.set(help[1], current);
      continue;
    }
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (type?.[1]) {
      if (current?.name !== type[1] || current.type !== '') throw new Error(`TYPE without HELP before it: ${line}`);
      current.type = type[2] ?? '';
      continue;
    }
    if (line.startsWith('#')) throw new Error(`neither HELP nor TYPE: ${line}`);
    const sample = parseSample(line);
    const base = sample.name.replace(/_(bucket|sum|count)$/, '');
    const owner = families.get(sample.name) ?? families.get(base);
    if (!owner || owner !== current || owner.type === '') throw new Error(`a sample outside of its family: ${line}`);
    if (owner.name !== sample.name && !['histogram', 'summary'].includes(owner.type))
      throw new Error(`no such sample: ${line}`);
    const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(key)) throw new Error(`a series twice: ${line}`);
    seen.add(key);
    owner.samples.push(sample);
  }
  for (const family of families.values()) check(family);
  return families;
}

function check({ name, type, help, samples }: Family): void {
  if (help === '') throw new Error(`${name} has no HELP`);
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`counter ${name} does not end with _total`);
  if (type !== 'counter' && name.endsWith('_total')) throw new Error(`${name} is no counter`);
  for (const { value } of samples) {
    if (Number.isNaN(value) && name.startsWith('davit_')) throw new Error(`${name} is not a number`);
    if (type === 'counter' && value < 0) throw new Error(`counter ${name} is negative`);
  }
  if (type !== 'histogram') return;
  const groups = new Map<string, { le: number; n: number }[]>();
  for (const sample of samples.filter((one) => one.name.endsWith('_bucket'))) {
    const { le = '', ...rest } = sample.labels;
    const key = JSON.stringify(rest);
    groups.set(key, [...(groups.get(key) ?? []), { le: le === '+Inf' ? Infinity : Number(le), n: sample.value }]);
  }
  for (const buckets of groups.values()) {
    if (buckets.at(-1)?.le !== Infinity) throw new Error(`${name} has no bucket +Inf`);
    for (const [i, bucket] of buckets.entries()) {
      const before = buckets[i - 1];
      if (before && (before.le >= bucket.le || before.n > bucket.n))
        throw new Error(`${name} has buckets that do not grow`);
    }
  }
}

function parseSample(line: string): Family['samples'][number] {
  let rest = line;
  const take = (pattern: RegExp): string => {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined) throw new Error(`cannot be read: ${line}`);
    rest = rest.slice(found.length);
    return found;
  };
  const name = take(metricName);
  const labels: Record<string, string> = {};
  if (rest.startsWith('{')) {
    take(/^\{/);
    while (!rest.startsWith('}')) {
      const label = take(labelName);
      if (label in labels) throw new Error(`label ${label} twice: ${line}`);
      take(/^=/);
      const quoted = take(/^"(?:[^"\\\n]|\\["\\n])*"/);
      labels[label] = quoted
        .slice(1, -1)
        .replace(/\\(.)/g, (_all, escaped: string) => (escaped === 'n' ? '\n' : escaped));
      if (!rest.startsWith('}')) take(/^,/);
    }
    take(/^\}/);
  }
  const value = take(/^ \S+/).trim();
  if (rest !== '') throw new Error(`something behind the value: ${line}`);
  const known: Record<string, number> = { '+Inf': Infinity, '-Inf': -Infinity, NaN: Number.NaN };
  const parsed = known[value] ?? Number(value);
  if (!(value in known) && Number.isNaN(parsed)) throw new Error(`not a value: ${line}`);
  return { name, labels, value: parsed };
}

/** The one value of a series with (at least) these labels; 0 for a counter nobody counted and undefined for everything else. */
export function valueOf(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const found = (family?.samples ?? []).filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  if (found.length > 1) throw new Error(`${name} ${JSON.stringify(labels)} names ${found.length} series`);
  return found[0]?.value;
}
