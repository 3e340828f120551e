import { sql } from 'kysely';
import type { RunKey, RunOrder } from '../domain/run-filter-keys.js';
import type { RunFilter, RunTest } from '../domain/run-filter.js';
import type { Store } from './open.js';
import type { Picks, ValueKey } from './run-keys.js';
import { filterSql, forEachTest, isValueKey, runsSql, tablesOf, type Ways } from './run-query-sql.js';

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

/** From how many matches on a look at the kept values of all runs costs less than one at the documents that the index finds. */
const manyMatches = 2_000;
const mostLooks = 4;

/** Where other values are looked at in each run, the index is asked only for what few runs have, or what is not kept. */
export async function waysOf(tx: Store, projectId: number, filter: RunFilter | undefined, picks: Picks): Promise<Ways> {
  const indexed = new Set<RunTest>();
  const indexable: { is: 'test'; key: ValueKey; test: RunTest }[] = [];
  if (filter)
    forEachTest(filter, (key, test) => {
      if (isValueKey(key) && hasIndex(key, test)) indexable.push({ is: 'test', key, test });
    });
  if (!filter || !hasOtherValues(filter))
    return { picks, indexed: new Set(indexable.map(({ test }) => test)), hashJoins: false };
  const needed = new Set(neededTests(filter));
  let someRare = false;
  let left = mostLooks;
  for (const each of indexable) {
    // One that few runs have is enough, and a long filter must not cost a look for each of its parts.
    const isFound: boolean = !someRare && needed.has(each.test) && left-- > 0 && (await isRare(tx, projectId, each));
    someRare ||= isFound;
    if (isFound || picks(each.key) === undefined) indexed.add(each.test);
  }
  return { picks, indexed, hashJoins: indexed.size > 0 && !someRare };
}

/** What must hold for every run that is found. */
function neededTests(filter: RunFilter): RunTest[] {
  if (filter.is === 'test') return [filter.test];
  return filter.is === 'and' ? filter.of.flatMap(neededTests) : [];
}

async function isRare(tx: Store, projectId: number, test: Extract<RunFilter, { is: 'test' }>): Promise<boolean> {
  const tables = tablesOf(test, undefined, { picks: () => undefined, indexed: new Set([test.test]), hashJoins: false });
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (select ${runsSql(tables, projectId)} and (${filterSql(test, tables)}) limit ${manyMatches}) as first`.execute(
    tx,
  );
  return (rows[0]?.count ?? 0) < manyMatches;
}
