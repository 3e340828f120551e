import { sql } from 'kysely';
import type { RunKey } from '../domain/run-filter-keys.js';
import type { Store } from './open.js';
import { storable } from './text.js';

/**
 * Going through a large project for one value of each run takes as long as reading the documents that it stands in. So values of the keys that a project is
 * asked for are kept in the narrow rows of `run_face`, at most 32 keys a project: a question notes its keys, triggers keep what is written from then on, and
 * `fillRunKeys` does the rest in the background. Until then, and for keys with large values, documents are read.
 */
export type ValueKey = Extract<RunKey, { kind: 'config' | 'summary' }>;

/** Where the values of a key lie in `run_face.picked`; undefined: nowhere. Where all are numbers, they lie in `run_face.numbers` too. */
export type Picks = (key: ValueKey) => { place: number; onlyNumbers: boolean } | undefined;

const mostKeys = 32;
/** Below it a look at all documents takes some tens of milliseconds. */
const fewestRuns = 5_000;
/** A key that nobody asked for in this many days makes room for another. */
const keptDays = 7;
/** Whoever writes runs or looks at lists must not wait behind us. */
const lockTimeoutMs = 300;

const idOf = (key: { kind: string; path: readonly string[] }): string => JSON.stringify([key.kind, ...key.path]);
const pathOf = (key: ValueKey): string[] => key.path.map(storable);

interface KnownKeys {
  picks: Picks;
  /** Asked for, and not noted yet. */
  unknown: ValueKey[];
  /** Noted, and asked for today for the first time. */
  stale: number[];
}

/** Read it in the transaction that then uses it: a place may be given to another key. */
export async function knownKeys(tx: Store, projectId: number, asked: readonly ValueKey[]): Promise<KnownKeys> {
  if (asked.length === 0) return { picks: () => undefined, unknown: [], stale: [] };
  const rows = await tx
    .selectFrom('run_key')
    .select(['id', 'doc', 'path', 'place', 'state', 'only_numbers', sql<boolean>`asked_on < current_date`.as('stale')])
    .where('project_id', '=', projectId)
    .execute();
  const known = new Map(rows.map((row) => [idOf({ kind: row.doc, path: row.path }), row]));
  const found = (key: ValueKey) => known.get(idOf({ kind: key.kind, path: pathOf(key) }));
  return {
    picks: (key) => {
      const row = found(key);
      return row?.state === 'ready' ? { place: row.place, onlyNumbers: row.only_numbers } : undefined;
    },
    unknown: asked.filter((key) => !found(key)),
    stale: asked.flatMap((key) => {
      const row = found(key);
      return row?.stale ? [row.id] : [];
    }),
  };
}

/** After an answer: what was asked for is kept from now on, if the project is large and has it. */
export async function noteKeys(db: Store, projectId: number, { unknown, stale }: KnownKeys): Promise<void> {
  if (stale.length > 0)
    await sql`update run_key set asked_on = current_date where id = any(${stale}::int[])`.execute(db);
  if (unknown.length === 0 || !(await isLarge(db, projectId))) return;
  for (const key of unknown) if (await occurs(db, projectId, key)) await keepKey(db, projectId, key);
}

async function isLarge(db: Store, projectId: number): Promise<boolean> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (select from run_face where project_id = ${projectId} limit ${fewestRuns}) as first`.execute(
    db,
  );
  return (rows[0]?.count ?? 0) >= fewestRuns;
}

/** Names that somebody made up take no place. */
async function occurs(db: Store, projectId: number, key: ValueKey): Promise<boolean> {
  const table = sql.table(key.kind === 'config' ? 'run_config' : 'run_summary');
  const { rows } = await sql<{ there: boolean }>`
    select exists (select from (select content from ${table} where project_id = ${projectId} order by created_at desc limit 1000) as newest
      where run_value_at(content, ${pathOf(key)}::text[]) is not null) as there`.execute(db);
  return rows[0]?.there ?? false;
}

/**
 * Gives the key a place. The lock waits for everybody who wrote a run without having seen the key, and holds up everybody else for a moment; when it
 * cannot be had at once, the next question tries again.
 */
export async function keepKey(db: Store, projectId: number, key: ValueKey): Promise<void> {
  await unlessLocked(() =>
    db.transaction().execute(async (tx) => {
      await sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`.execute(tx);
      await sql`lock table run_key in access exclusive mode`.execute(tx);
      await sql`delete from run_key where id = (select id from run_key where project_id = ${projectId} and asked_on < current_date - ${keptDays}::int
        and (select count(*) from run_key where project_id = ${projectId}) >= ${mostKeys} order by asked_on, id limit 1)`.execute(
        tx,
      );
      await sql`insert into run_key (project_id, doc, path, place)
        select ${projectId}::int, ${key.kind}, ${pathOf(key)}::text[], min(free) from generate_series(1, ${mostKeys}::int) as free
        where free not in (select place from run_key where project_id = ${projectId}) having min(free) is not null
        on conflict do nothing`.execute(tx);
    }),
  );
}

/**
 * One step of keeping what was written before keys were asked for: all keys of a project that have come equally far, so that its rows are written
 * once for them. False when there is nothing to do. May be run by any number at once, and be killed anywhere: a step stands or falls as a whole.
 * Runs are locked for it, so that none of their writers is overtaken with an older value.
 */
export async function fillRunKeys(db: Store, runsAtOnce = 1_000): Promise<boolean> {
  const next = await db
    .selectFrom('run_key')
    .select(['project_id', 'filled_to'])
    .where('state', '=', 'filling')
    .orderBy('project_id')
    .orderBy('filled_to')
    .limit(1)
    .executeTakeFirst();
  if (!next) return false;
  await unlessLocked(() =>
    db.transaction().execute(async (tx) => {
      // Shorter than the time after which PostgreSQL looks for a deadlock: it is us who give way.
      await sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`.execute(tx);
      const runs = await tx
        .selectFrom('run')
        .select('id')
        .where('project_id', '=', next.project_id)
        .where('id', '>', next.filled_to)
        .orderBy('id')
        .limit(runsAtOnce)
        .forNoKeyUpdate()
        .execute();
      const ids = runs.map(({ id }) => id);
      // Still there, and nobody else's step was first; locked, their places stay their own.
      const keys = await tx
        .selectFrom('run_key')
        .select(['id', 'doc', 'path', 'place'])
        .where('project_id', '=', next.project_id)
        .where('filled_to', '=', next.filled_to)
        .where('state', '=', 'filling')
        .orderBy('id')
        .forUpdate()
        .execute();
      const { wide, mixed } = await keepValues(tx, ids, keys);
      for (const { id } of keys)
        await tx
          .updateTable('run_key')
          .set({
            filled_to: ids.at(-1) ?? next.filled_to,
            state: wide.has(id) ? 'wide' : runs.length < runsAtOnce ? 'ready' : 'filling',
            ...(mixed.has(id) ? { only_numbers: false } : {}),
          })
          .where('id', '=', id)
          .execute();
    }),
  );
  return true;
}

interface PlacedKey {
  id: number;
  doc: 'config' | 'summary';
  path: string[];
  place: number;
}

/** Says of which keys some run has a value that is too large, and of which one that is no number. */
async function keepValues(tx: Store, runIds: readonly number[], keys: readonly PlacedKey[]) {
  if (runIds.length === 0 || keys.length === 0) return { wide: new Set<number>(), mixed: new Set<number>() };
  const columns = keys.map(({ doc, path, place }) => {
    const content = doc === 'config' ? sql`c.content` : sql`s.content`;
    const value = sql.ref(`v${place}`);
    return {
      read: sql`run_value_at(${content}, ${path}::text[]) as ${value}`,
      isWide: sql`coalesce(bool_or(run_value_is_wide(${value})), false)`,
      isMixed: sql`coalesce(not bool_and(run_is_number(${value})), false)`,
      kept: [
        { at: sql`picked[${sql.lit(place)}]`, value: sql`case when not run_value_is_wide(${value}) then ${value} end` },
        { at: sql`numbers[${sql.lit(place)}]`, value: sql`run_number(${value})` },
      ],
    };
  });
  const kept = columns.flatMap((column) => column.kept);
  const { rows } = await sql<{ wide: boolean[]; mixed: boolean[] }>`
    with read as (select f.run_id, ${sql.join(columns.map(({ read }) => read))} from run_face as f
        left join run_config as c on c.run_id = f.run_id left join run_summary as s on s.run_id = f.run_id where f.run_id = any(${runIds}::int[])),
      kept as (update run_face as f set ${sql.join(kept.map(({ at, value }) => sql`${at} = ${value}`))} from read
        where f.run_id = read.run_id and (${sql.join(
          kept.map(({ at, value }) => sql`f.${at} is distinct from ${value}`),
          sql` or `,
        )}))
    select array[${sql.join(columns.map(({ isWide }) => isWide))}] as wide, array[${sql.join(columns.map(({ isMixed }) => isMixed))}] as mixed from read`.execute(
    tx,
  );
  const those = (are: boolean[] | undefined) => new Set(keys.filter((_, i) => are?.[i]).map(({ id }) => id));
  return { wide: those(rows[0]?.wide), mixed: those(rows[0]?.mixed) };
}

async function unlessLocked(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // Lock not available, deadlock detected.
    if (!['55P03', '40P01'].includes(String((error as { code?: unknown }).code))) throw error;
  }
}
