import { DavitError } from './errors.js';
import type { Json } from './extended-json.js';
import type { RunKey } from './run-filter-keys.js';
import type { RunTest } from './run-filter.js';

/** Checks that a test means something for its key, and brings its values into the form in which the key has them: times as ISO texts in UTC. */
export function within(key: RunKey, name: string, test: RunTest): RunTest {
  switch (key.kind) {
    case 'config':
    case 'summary':
      if (test.op === 'all') throw refuse('$all', name);
      return test;
    case 'tags':
      if (test.op === 'gt' || test.op === 'gte' || test.op === 'lt' || test.op === 'lte')
        throw refuse(`$${test.op}`, name);
      return test;
    case 'text':
      if (test.op === 'all') throw refuse('$all', name);
      return test;
    case 'time':
      return withValues(test, name, (value) => (value === null ? null : timeOf(value, name)));
    case 'number':
      return withValues(test, name, (value) => (value === null ? null : numberOf(value, name)));
  }
}

function withValues(test: RunTest, name: string, convert: (value: Json) => Json): RunTest {
  switch (test.op) {
    case 'eq':
      return { op: 'eq', value: convert(test.value) };
    case 'in':
      return { op: 'in', values: test.values.map(convert) };
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return { op: test.op, value: convert(test.value) as number | string };
    case 'exists':
      return test;
    case 'all':
    case 'regex':
    case 'contains':
      throw refuse(`$${test.op}`, name);
  }
}

const refuse = (operator: string, name: string) =>
  new DavitError('invalid-request', `"${operator}" cannot be used with "${name}".`);

function numberOf(value: Json, name: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number))
    throw new DavitError(
      'invalid-request',
      `"${name}" needs a number of seconds, not ${JSON.stringify(value).slice(0, 100)}.`,
    );
  return number;
}

/** ISO 8601, where no zone means UTC, as the client shows times; or seconds (or milliseconds) since 1970. */
function timeOf(value: Json, name: string): string {
  let date: Date | undefined;
  if (typeof value === 'number') date = new Date(Math.abs(value) > 1e11 ? value : value * 1000);
  else if (
    typeof value === 'string' &&
    /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i.test(value)
  ) {
    const [, day = '', clock = '', zone = ''] = /^(\S{10})(?:[T ](.*?))?\s*(Z|[+-]\d{2}:?\d{2})?$/i.exec(value) ?? [];
    date = new Date(`${day}T${(clock || '00:00').replace(',', '.')}${zone.toUpperCase() || 'Z'}`);
  }
  const year = date?.getUTCFullYear() ?? NaN;
  if (!date || !(year >= 1 && year <= 9999))
    throw new DavitError(
      'invalid-request',
      `"${name}" needs a time like 2030-01-31T12:00:00, not ${JSON.stringify(value).slice(0, 100)}.`,
    );
  return date.toISOString();
}
