import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { BulkAction } from '../domain/bulk.js';
import { DavitError, failure, type Failure } from '../domain/errors.js';
import { newBulkId } from '../domain/ids.js';
import type { LaunchState } from '../domain/words.js';
import { audit } from './audit.js';
import { fixSelection, type BulkSelection } from './bulk-selection.js';
import { asIn, columnsOfAsIn } from './line-operations.js';
import { isStoreUnavailable, type Store } from './open.js';

/**
 * Work on many launches. The row and the launches that it is about are written at once; the work is done in small steps by whichever API
 * process comes first. A step is one transaction: the launches, their audit rows, the cursor and the counters change together, so a process
 * that is killed leaves nothing half done and nothing to do twice.
 */

const bulks = (db: Store) =>
  db
    .selectFrom('bulk')
    .innerJoin('entity', 'entity.id', 'bulk.entity_id')
    .leftJoin('queue', 'queue.id', 'bulk.queue_id')
    .selectAll('bulk')
    .select(['entity.name as entity', 'queue.name as queue']);
export type BulkRow = Awaited<ReturnType<typeof bulkById>> & object;

export const bulkById = (db: Store, id: string) => bulks(db).where('bulk.id', '=', id).executeTakeFirst();

export const listBulks = (
  db: Store,
  filter: { entityIds: readonly number[] | 'all' },
  page: { beforeId?: string | undefined; limit: number },
) => {
  const { entityIds } = filter;
  return bulks(db)
    .$if(entityIds !== 'all', (q) =>
      q.where('bulk.entity_id', 'in', entityIds === 'all' || entityIds.length === 0 ? [-1] : entityIds),
    )
    .$if(page.beforeId !== undefined, (q) => q.where('bulk.id', '<', page.beforeId ?? ''))
    .orderBy('bulk.id', 'desc')
    .limit(page.limit)
    .execute();
};

export interface NewBulk {
  actor: string;
  selection: BulkSelection;
  /** As it is shown: what was asked for, with names. */
  filter: Record<string, unknown>;
  params: { reason?: string | undefined } & Record<string, unknown>;
}

/** In the caller's transaction. A selection of nothing is done at once. */
export async function startBulk(tx: Store, { actor, selection, filter, params }: NewBulk): Promise<string> {
  const { action, entityId, queueId } = selection;
  const id = newBulkId(Date.now(), randomBytes);
  await tx
    .insertInto('bulk')
    .values({
      id,
      entity_id: entityId,
      queue_id: queueId ?? null,
      actor,
      action,
      filter: JSON.stringify(filter),
      params: JSON.stringify(params),
      work: JSON.stringify({
        ...selection.params,
        states: selection.states,
        reason: params.reason,
        ...(action === 'cancel' ? { failure: failure('cancelled', 'run') } : {}),
      } satisfies BulkWork),
      cursor: '0',
    })
    .execute();
  const total = await fixSelection(tx, id, selection);
  await sql`update bulk set total = ${total}, state = ${total === 0 ? 'done' : 'running'}, due = clock_timestamp() where id = ${id}`.execute(
    tx,
  );
  await audit(tx, { actor, action: `bulk.${action}`, subject: `bulk/${id}`, data: { filter, params, total } });
  return id;
}

export interface BulkWork {
  states: readonly LaunchState[];
  to?: 'front' | 'back' | undefined;
  priority?: number | undefined;
  queueId?: number | undefined;
  reason?: string | undefined;
  /** Of a cancel. */
  failure?: Failure | undefined;
}

/** What is done stays done. False: it had ended. */
export async function cancelBulk(db: Store, id: string, actor: string): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .updateTable('bulk')
      .set({ state: 'cancelled', updated_at: new Date(), error: null })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .returning('id')
      .executeTakeFirst();
    if (!row) return false;
    await tx.deleteFrom('bulk_launch').where('bulk_id', '=', id).execute();
    await audit(tx, { actor, action: 'bulk.cancel', subject: `bulk/${id}` });
    return true;
  });
}

export interface Lease {
  id: string;
  action: BulkAction;
  actor: string;
  work: BulkWork;
  cursor: string;
}
export interface Item {
  n: number;
  launchId: string;
  queueId: number;
}

/** The bulk that has waited longest for its next step, locked to the end of the transaction; nobody waits for anybody. */
export async function leaseBulk(tx: Store, kind: 'line' | 'retry', leaseMs: number): Promise<Lease | undefined> {
  const result = await sql<Lease>`
    update bulk set due = clock_timestamp() + make_interval(secs => ${leaseMs / 1000}) where id = (
      select id from bulk where state = 'running' and due <= clock_timestamp() and (action = 'retry') = ${kind === 'retry'}
      order by due limit 1 for update skip locked)
    returning id, action, actor, work, coalesce(cursor, '0') as cursor`.execute(tx);
  return result.rows[0];
}

export const nextItems = (db: Store, bulk: Lease, limit: number): Promise<Item[]> =>
  db
    .selectFrom('bulk_launch')
    .select(['n', 'launch_id as launchId', 'queue_id as queueId'])
    .where('bulk_id', '=', bulk.id)
    .where('n', '>', Number(bulk.cursor))
    .orderBy('n')
    .limit(limit)
    .execute();

export interface Progress {
  done: number;
  skipped: number;
  failures: Record<string, number>;
}

/** Cursor and counters. False: another process has gone on from the same place, or the bulk was cancelled. */
export async function advance(tx: Store, bulk: Lease, cursor: string, p: Progress, isLast: boolean): Promise<boolean> {
  const failed = Object.values(p.failures).reduce((sum, n) => sum + n, 0);
  const result = await sql<{ id: string }>`
    update bulk set cursor = ${cursor}, done = done + ${p.done}::int, skipped = skipped + ${p.skipped}::int, failed = failed + ${failed}::int,
      failures = (select coalesce(jsonb_object_agg(code, n), '{}') from (select key as code, sum(value::int) as n from (
        select * from jsonb_each_text(failures) union all select * from jsonb_each_text(${JSON.stringify(p.failures)}::jsonb)) both_parts
        group by key) sums),
      state = ${isLast ? 'done' : 'running'}, due = clock_timestamp(), updated_at = clock_timestamp(), error = null
    where id = ${bulk.id} and state = 'running' and cursor = ${bulk.cursor} returning id`.execute(tx);
  if (result.rows.length === 0) return false;
  if (isLast) await tx.deleteFrom('bulk_launch').where('bulk_id', '=', bulk.id).execute();
  return true;
}

export interface Step {
  bulkId: string;
  action: BulkAction;
  /** Launches dealt with. */
  count: number;
  /** How long the line was locked. */
  heldMs: number;
  /** Their workflows have something to hear. */
  tell: string[];
  /** The queue in which there may be somebody to take now. */
  roomIn: number | undefined;
}

/** One step of one bulk that works on lines. Undefined: nothing is to be done. */
export async function stepBulk(db: Store, sizeOf: (bulkId: string) => number): Promise<Step | undefined> {
  let leased: string | undefined;
  try {
    return await db.transaction().execute(async (tx) => {
      const bulk = await leaseBulk(tx, 'line', 0);
      leased = bulk?.id;
      return bulk && (await stepOf(tx, bulk, sizeOf(bulk.id)));
    });
  } catch (error) {
    // Behind the others, so that one that cannot go on does not keep them from it.
    if (leased !== undefined && !isStoreUnavailable(error)) await postponeBulk(db, leased);
    throw error;
  }
}

async function stepOf(tx: Store, bulk: Lease, size: number): Promise<Step> {
  const found = await nextItems(tx, bulk, size);
  const first = found[0];
  const step: Step = { bulkId: bulk.id, action: bulk.action, count: 0, heldMs: 0, tell: [], roomIn: undefined };
  if (!first) {
    // A step of its own: forgetting a million launches takes longer than a line may be locked.
    await advance(tx, bulk, bulk.cursor, { done: 0, skipped: 0, failures: {} }, true);
    return step;
  }
  const other = found.findIndex(({ queueId }) => queueId !== first.queueId);
  const items = other < 0 ? found : found.slice(0, other);
  const last = items.at(-1) ?? first;
  const { work, failures } = await withRequests(tx, bulk, items);
  const result = await sql<{ answer: Progress & { tell: string[]; heldMs: number } }>`
    select line_bulk(${bulk.id}, ${first.queueId}::int, ${JSON.stringify(work)}::jsonb, ${bulk.action}, ${JSON.stringify(bulk.work)}::jsonb,
      ${bulk.actor}) as answer`.execute(tx);
  const answer = result.rows[0]?.answer;
  if (!answer) throw new Error('line_bulk answered nothing');
  await advance(tx, bulk, String(last.n), { ...answer, failures: { ...answer.failures, ...failures } }, false);
  const roomIn = bulk.action === 'transfer' ? (bulk.work.queueId ?? 0) : first.queueId;
  return { ...step, count: items.length, heldMs: answer.heldMs, tell: answer.tell, roomIn };
}

/** For a transfer each launch is made what it is in the other queue; those that do not fit it stay where they are. */
async function withRequests(
  tx: Store,
  bulk: Lease,
  items: readonly Item[],
): Promise<{ work: Record<string, unknown>[]; failures: Record<string, number> }> {
  if (bulk.action !== 'transfer') return { work: items.map(({ launchId }) => ({ id: launchId })), failures: {} };
  const queue = await tx
    .selectFrom('queue')
    .innerJoin('entity', 'entity.id', 'queue.entity_id')
    .select(columnsOfAsIn)
    .where('queue.id', '=', bulk.work.queueId ?? 0)
    .executeTakeFirstOrThrow();
  const ids = items.map(({ launchId }) => launchId);
  const launches = await tx.selectFrom('launch').select(['id', 'spec', 'request']).where('id', 'in', ids).execute();
  const byId = new Map(launches.map((launch) => [launch.id, launch]));
  const work: Record<string, unknown>[] = [];
  const failures: Record<string, number> = {};
  for (const id of ids) {
    const launch = byId.get(id);
    try {
      work.push(launch ? { id, ...asIn(queue, launch) } : { id });
    } catch (error) {
      if (!(error instanceof DavitError)) throw error;
      failures[error.code] = (failures[error.code] ?? 0) + 1;
    }
  }
  return { work, failures };
}

const afterFailureMs = 5_000;

/** Something went wrong that is not the launches' fault; the work goes on from the same place. */
export async function postponeBulk(db: Store, id: string): Promise<void> {
  await sql`update bulk set error = 'The work was interrupted and goes on by itself.', updated_at = clock_timestamp(),
      due = clock_timestamp() + make_interval(secs => ${afterFailureMs / 1000}) where id = ${id} and state = 'running'`.execute(
    db,
  );
}
