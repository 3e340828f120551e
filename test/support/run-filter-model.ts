import type { Json } from '../../domain/extended-json.js';
import type { RunKey, RunOrder, TextColumn } from '../../domain/run-filter-keys.js';
import type { RunFilter, RunTest } from '../../domain/run-filter.js';

/** A run as the filter language sees it; the plain reading of the rules that the store has to agree with. */
export interface ModelRun {
  id: number;
  text: Partial<Record<TextColumn, string>>;
  tags: string[];
  createdAt: Date;
  heartbeatAt: Date;
  /** Plain values: NaN as the text, infinities as numbers. */
  config: Record<string, unknown>;
  summary: Record<string, unknown>;
}

export function matches(run: ModelRun, filter: RunFilter | undefined): boolean {
  if (!filter) return true;
  switch (filter.is) {
    case 'and':
      return filter.of.every((each) => matches(run, each));
    case 'or':
      return filter.of.some((each) => matches(run, each));
    case 'not':
      return !matches(run, filter.of);
    case 'test':
      return holds(run, filter.key, filter.test);
  }
}

function holds(run: ModelRun, key: RunKey, test: RunTest): boolean {
  if (key.kind === 'tags') return tagsHold(run.tags, test);
  const value = valueOf(run, key);
  // A column is never null; what is empty there is not there.
  const given = key.kind === 'text' && value === '' ? undefined : value;
  const is = (want: Json) => (key.kind === 'text' && want === '' ? given === undefined : equal(given, want));
  switch (test.op) {
    case 'eq':
      return is(test.value);
    case 'in':
    case 'all':
      return test.values.some(is);
    case 'exists':
      return given !== undefined;
    case 'regex':
      return (
        typeof value === 'string' &&
        new RegExp(test.source.replace(/^\(\?i\)/, ''), test.ignoreCase ? 'i' : '').test(value)
      );
    case 'contains':
      return typeof value === 'string'
        ? value.includes(test.value)
        : Array.isArray(value) && value.some((each) => each === test.value);
    default: {
      if (typeof given !== typeof test.value || given === 'NaN') return false;
      const [left, right] = [given as number | string, test.value];
      switch (test.op) {
        case 'gt':
          return left > right;
        case 'gte':
          return left >= right;
        case 'lt':
          return left < right;
        case 'lte':
          return left <= right;
      }
    }
  }
}

function tagsHold(tags: string[], test: RunTest): boolean {
  const has = (value: Json) =>
    value === null ? tags.length === 0 : tags.includes(typeof value === 'string' ? value : JSON.stringify(value));
  switch (test.op) {
    case 'eq':
      return Array.isArray(test.value)
        ? test.value.every(has) && tags.every((tag) => (test.value as Json[]).includes(tag))
        : has(test.value);
    case 'in':
      return test.values.some(has);
    case 'all':
      return test.values.every(has);
    case 'exists':
      return tags.length > 0;
    case 'regex':
      return tags.some((tag) => new RegExp(test.source, test.ignoreCase ? 'i' : '').test(tag));
    case 'contains':
      return tags.includes(test.value);
    default:
      return false;
  }
}

function equal(have: unknown, want: Json): boolean {
  if (want === null) return have === undefined || have === null;
  return canonical(have) === canonical(want);
}
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

function valueOf(run: ModelRun, key: Exclude<RunKey, { kind: 'tags' }>): unknown {
  switch (key.kind) {
    case 'text':
      return run.text[key.column] ?? '';
    case 'time':
      return (key.column === 'created_at' ? run.createdAt : run.heartbeatAt).toISOString();
    case 'number':
      return (run.heartbeatAt.getTime() - run.createdAt.getTime()) / 1000;
    case 'config':
    case 'summary': {
      const root = key.kind === 'config' ? run.config : run.summary;
      const literal = root[key.path.join('.')];
      if (literal !== undefined) return literal;
      return key.path.reduce<unknown>(
        (at, part) =>
          typeof at === 'object' && at !== null && !Array.isArray(at)
            ? (at as Record<string, unknown>)[part]
            : undefined,
        root,
      );
    }
  }
}

/** The order that the store must give; ties by id, in the same direction. */
export function inOrder(runs: readonly ModelRun[], order: RunOrder): ModelRun[] {
  const sign = order.descending ? -1 : 1;
  const rank = (value: unknown) => (typeof value === 'string' ? 0 : typeof value === 'number' ? 1 : 2);
  const compare = (a: unknown, b: unknown): number => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;
  };
  const sortable = (run: ModelRun) => {
    const value = valueOf(run, order.key);
    return value === '' && order.key.kind === 'text'
      ? null
      : ['string', 'number', 'boolean'].includes(typeof value) && value !== 'NaN'
        ? value
        : null;
  };
  return [...runs].sort((a, b) => {
    const [left, right] = [sortable(a), sortable(b)];
    if (left === null || right === null) return left === right ? sign * (a.id - b.id) : left === null ? 1 : -1;
    return sign * (compare(left, right) || a.id - b.id);
  });
}
