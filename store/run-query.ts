import { sql, type RawBuilder } from 'kysely';
import { z } from 'zod';
import { DavitError } from '../domain/errors.js';
import type { RunOrder } from '../domain/run-filter-keys.js';
import type { RunFilter } from '../domain/run-filter.js';
import type { Store } from './open.js';
import { knownKeys, noteKeys } from './run-keys.js';
import { baseOf, filterSql, isValueKey, orderSql, runsSql, tablesOf, type Tables, type Ways } from './run-query-sql.js';
import { valueKeys, waysOf } from './run-ways.js';
import { rowsByIds, type RunRow } from './runs.js';

interface RunQuery {
  projectId: number;
  filter: RunFilter | undefined;
}

interface RunPageRequest {
  order: RunOrder;
  after?: string | undefined;
  limit: number;
}

export interface RunPage {
  rows: { row: RunRow; cursor: string }[];
  hasNextPage: boolean;
}

/** The longest that a filter may take. A pattern or a condition on each of a million runs must not keep the database from its work. */
const filterTimeMs = 10_000;

const settings = {
  statement_timeout: String(filterTimeMs),
  // Compiling such a query to machine code takes longer than running it.
  jit: 'off',
  // The matching ones of 100,000 runs are kept in memory until they are counted and sorted; usually this is 4 MB.
  work_mem: '16MB',
  // A second process halves the time of a look at best, doubles its work, and takes it from jobs and runs.
  max_parallel_workers_per_gather: '0',
  // Of a project that is new, or of whatever the index of configs finds, the planner expects next to no rows; going through another table for each of
  // them takes seconds for a few thousand runs. Where they are few indeed, joining by hash costs no more.
  enable_nestloop: 'off',
};

/** A page of the runs that match, and how many there are: one look at the runs for both. */
export async function findRuns(
  db: Store,
  query: RunQuery,
  wanted: { page?: RunPageRequest; count?: boolean },
): Promise<{ page?: RunPage; count?: number }> {
  const { page } = wanted;
  const { keys, ...found } = await limited(db, async (tx) => {
    const keys = await knownKeys(tx, query.projectId, valueKeys(query.filter, page?.order));
    const ways = await waysOf(tx, query.projectId, query.filter, page?.order, keys.picks);
    if (!page) return { keys, ids: [], count: await countMatching(tx, query, ways) };
    return { keys, ...(await pageOf(tx, query, page, wanted.count === true, ways)) };
  });
  await noteKeys(db, query.projectId, keys);
  if (!page) return { count: found.count ?? 0 };
  const shown = found.ids.slice(0, page.limit);
  const rows = await rowsByIds(
    db,
    shown.map(({ id }) => id),
  );
  return {
    page: {
      // One that was deleted in between is left out.
      rows: shown.flatMap(({ id, at }) => {
        const row = rows.get(id);
        return row ? [{ row, cursor: cursorOf(page.order, at, id) }] : [];
      }),
      hasNextPage: found.ids.length > page.limit,
    },
    ...(found.count === undefined ? {} : { count: found.count }),
  };
}

/** The ids of the matching runs, in order; for whoever goes on with them in the database. */
async function pageOf(tx: Store, query: RunQuery, page: RunPageRequest, counted: boolean, ways: Ways) {
  const tables = tablesOf(query.filter, page.order, ways);
  const { by, cast, nullable } = orderSql(page.order, tables);
  const { id } = baseOf(tables);
  const after = page.after === undefined ? undefined : readCursor(page.after, page.order);
  const direction = page.order.descending ? sql`desc nulls last` : sql`asc nulls last`;
  const ids = page.order.descending ? sql`desc` : sql`asc`;
  const matching = sql`${runsSql(tables, query.projectId)} and (${filterSql(query.filter, tables)})`;
  // What is only sorted by need not be looked at for counting, nor be kept for all that match.
  const apart =
    !query.filter ||
    addsTables(tables, tablesOf(query.filter, undefined, ways)) ||
    (isValueKey(page.order.key) && valueKeys(query.filter, undefined).length === 0);
  if (!counted || apart) {
    const keyset = after
      ? sql`and (${keysetSql({ by, id, cast, nullable, descending: page.order.descending }, after)})`
      : sql``;
    const sorted = nullable ? direction : ids;
    const { rows } = await sql<{ id: number; at: string | null }>`
      select p.id, p.at::text as at from (
        select ${id} as id, ${by} as at ${matching} ${keyset} order by ${by} ${sorted}, ${id} ${ids} limit ${page.limit + 1}
      ) as p order by p.at ${direction}, p.id ${ids}`.execute(tx);
    return { ids: rows, ...(counted ? { count: await countMatching(tx, query, ways) } : {}) };
  }
  const keyset = after
    ? sql`where ${keysetSql({ by: sql`m.at`, id: sql`m.id`, cast, nullable, descending: page.order.descending }, after)}`
    : sql``;
  const { rows } = await sql<{ id: number | null; at: string | null; count: number }>`
    with m as materialized (select ${id} as id, ${by} as at ${matching}),
      p as (select * from m ${keyset} order by at ${direction}, id ${ids} limit ${page.limit + 1})
    select p.id, p.at::text as at, n.count from (select count(*) from m) as n left join p on true
    order by p.at ${direction}, p.id ${ids}`.execute(tx);
  return {
    ids: rows.flatMap(({ id: found, at }) => (found === null ? [] : [{ id: found, at }])),
    count: rows[0]?.count ?? 0,
  };
}

const addsTables = (all: Tables, some: Tables): boolean =>
  (all.config && !some.config) || (all.summary && !some.summary) || (all.run && !some.run);

async function countMatching(tx: Store, query: RunQuery, ways: Ways): Promise<number> {
  const tables = tablesOf(query.filter, undefined, ways);
  const { rows } = await sql<{ count: number }>`
    select count(*) ${runsSql(tables, query.projectId)} and (${filterSql(query.filter, tables)})`.execute(tx);
  return rows[0]?.count ?? 0;
}

interface Place {
  at: string | null;
  id: number;
}

/** What comes behind a place. Runs that are added meanwhile move nobody over it. */
function keysetSql(
  o: {
    by: RawBuilder<unknown>;
    id: RawBuilder<unknown>;
    cast: RawBuilder<unknown>;
    nullable: boolean;
    descending: boolean;
  },
  { at, id }: Place,
): RawBuilder<boolean> {
  const beyond = o.descending ? sql`<` : sql`>`;
  if (at === null) return sql`${o.by} is null and ${o.id} ${beyond} ${id}::int`;
  const value = sql`${at}::${o.cast}`;
  if (!o.nullable) return sql`(${o.by}, ${o.id}) ${beyond} (${value}, ${id}::int)`;
  return sql`${o.by} ${beyond} ${value} or (${o.by} = ${value} and ${o.id} ${beyond} ${id}::int) or ${o.by} is null`;
}

const cursorSchema = z.tuple([z.string(), z.string().nullable(), z.int().min(0).max(2_147_483_647)]);

const cursorOf = (order: RunOrder, at: string | null, id: number): string =>
  Buffer.from(JSON.stringify([order.text, at, id])).toString('base64url');

function readCursor(cursor: string, order: RunOrder): Place {
  const wrong = new DavitError('invalid-request', 'This cursor is not one of ours.');
  let parsed;
  try {
    parsed = cursorSchema.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch {
    throw wrong;
  }
  if (!parsed.success) throw wrong;
  const [text, at, id] = parsed.data;
  if (text !== order.text)
    throw new DavitError('invalid-request', `This cursor belongs to the order "${text.slice(0, 200)}".`);
  return { at, id };
}

/** In a transaction with a time limit of its own; what a filter did wrong becomes a sentence. */
async function limited<T>(db: Store, work: (tx: Store) => Promise<T>): Promise<T> {
  try {
    // All that is looked at is of one moment, also where values of a key lie.
    return await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (tx) => {
        await sql`select ${sql.join(
          Object.entries(settings).map(([name, value]) => sql`set_config(${name}, ${value}, true)`),
        )}`.execute(tx);
        return work(tx);
      });
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: string };
    switch (code) {
      case '57014':
        throw new DavitError(
          'invalid-request',
          `This filter takes longer than ${filterTimeMs / 1000} s: leave out $regex, or ask for fewer runs.`,
        );
      case '2201B':
        throw new DavitError('invalid-request', `A $regex of the filter is not a valid pattern: ${message ?? ''}.`);
      // A cursor whose value was made up.
      case '22P02':
      case '22007':
      case '22008':
        throw new DavitError('invalid-request', 'The filter or the cursor has a value that cannot be read.');
    }
    throw error;
  }
}
