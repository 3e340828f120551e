import { sql } from 'kysely';
import type { RunKey, RunOrder } from '../domain/run-filter-keys.js';
import type { RunFilter, RunTest } from '../domain/run-filter.js';
import type { Store } from './open.js';
import type { Picks, ValueKey } from './run-keys.js';
import {
  baseOf,
  basesOf,
  filterSql,
  forEachTest,
  isValueKey,
  plainWays,
  runsSql,
  tablesOf,
  type Ways,
} from './run-query-sql.js';

type RunTestFilter = Extract<RunFilter, { is: 'test' }> & { key: ValueKey };

const indexedValues = 10;

/** Equality on config has an index over all documents; it needs no look at each run. */
function hasIndex(key: RunKey, test: RunTest): boolean {
  if (key.kind !== 'config') return false;
  if (test.op === 'eq') return test.value !== null;
  return (
    test.op === 'in' && test.values.length > 0 && test.values.length <= indexedValues && !test.values.includes(null)
  );
}

/** Of runs whose other values are looked at in any case. */
function hasOtherValues(filter: RunFilter): boolean {
  let others = false;
  forEachTest(filter, (key, test) => (others ||= isValueKey(key) && !hasIndex(key, test)));
  return others;
}

/** The keys of config and summary whose value is looked at in each run. */
export function valueKeys(filter: RunFilter | undefined, order: RunOrder | undefined): ValueKey[] {
  const found = new Map<string, ValueKey>();
  const add = (key: RunKey) => {
    if (isValueKey(key)) found.set(JSON.stringify([key.kind, key.path]), key);
  };
  if (filter && hasOtherValues(filter)) forEachTest(filter, add);
  if (order) add(order.key);
  return [...found.values()];
}

/** From how many matches on a look at the kept values of all runs costs less than one at each that the index finds. */
const manyMatches = 2_000;
const mostLooks = 4;

/** A filter on one table asks the index of configs itself. Beside other tables the index is asked first: of few runs nothing else needs a look at all. */
export async function waysOf(
  tx: Store,
  projectId: number,
  filter: RunFilter | undefined,
  order: RunOrder | undefined,
  picks: Picks,
): Promise<Ways> {
  const indexable: RunTestFilter[] = [];
  if (filter)
    forEachTest(filter, (key, test) => {
      if (isValueKey(key) && hasIndex(key, test)) indexable.push({ is: 'test', key, test });
    });
  const all: Ways = { ...plainWays, picks, indexed: new Set(indexable.map(({ test }) => test)) };
  if (!filter || indexable.length === 0 || basesOf(tablesOf(filter, order, all)).length === 1) return all;
  // One that few runs have is enough, and a long filter must not cost a look for each of its parts.
  const needed = new Set(neededTests(filter));
  for (const each of indexable.filter(({ test }) => needed.has(test)).slice(0, mostLooks)) {
    const runIds = await fewIds(tx, projectId, each);
    if (runIds) return { ...plainWays, picks, among: { test: each.test, runIds } };
  }
  const indexed = new Set(indexable.filter(({ key }) => picks(key) === undefined).map(({ test }) => test));
  return { ...plainWays, picks, indexed };
}

/** What must hold for every run that is found. */
function neededTests(filter: RunFilter): RunTest[] {
  if (filter.is === 'test') return [filter.test];
  return filter.is === 'and' ? filter.of.flatMap(neededTests) : [];
}

/** The runs for which it holds; undefined: many. */
async function fewIds(tx: Store, projectId: number, test: RunTestFilter): Promise<number[] | undefined> {
  const tables = tablesOf(test, undefined, { ...plainWays, indexed: new Set([test.test]) });
  const { rows } = await sql<{ id: number }>`
    select ${baseOf(tables).id} as id ${runsSql(tables, projectId)} and (${filterSql(test, tables)}) limit ${manyMatches}`.execute(
    tx,
  );
  return rows.length < manyMatches ? rows.map(({ id }) => id) : undefined;
}
