import { sql, type RawBuilder } from 'kysely';
import type { BulkAction, BulkFilter } from '../domain/bulk.js';
import { numberOfPriority, type LaunchState } from '../domain/words.js';
import type { Store } from './open.js';

/** Which launches a bulk is about: all conditions at once, among those that its action would change. */
export interface BulkSelection {
  /** Of the queues. */
  entityId: number;
  queueId?: number | undefined;
  /** Of the launches' destinations. Undefined: any. */
  projectIds?: readonly number[] | undefined;
  /** Entities whose projects count. */
  destinationEntityIds?: readonly number[] | 'all' | undefined;
  action: BulkAction;
  states: readonly LaunchState[];
  filter: BulkFilter;
  params: { to?: 'front' | 'back' | undefined; priority?: number | undefined; queueId?: number | undefined };
}

function conditionsOf(s: BulkSelection): RawBuilder<unknown> {
  const { filter, action, params } = s;
  const all: RawBuilder<unknown>[] = [
    s.queueId === undefined
      ? sql`l.queue_id in (select id from queue where entity_id = ${s.entityId})`
      : sql`l.queue_id = ${s.queueId}`,
    sql`l.state = any(${[...s.states]}::text[])`,
  ];
  if (s.projectIds !== undefined) all.push(sql`l.project_id = any(${[...s.projectIds]}::int[])`);
  if (s.destinationEntityIds !== undefined && s.destinationEntityIds !== 'all')
    all.push(
      sql`l.project_id in (select id from project where entity_id = any(${[...s.destinationEntityIds]}::int[]))`,
    );
  // `queued` is whatever waits; `held` alone is the held ones of those.
  if (filter.state?.includes('held') === true && !filter.state.includes('queued'))
    all.push(sql`(l.held or l.state <> 'queued')`);
  if (filter.hold !== undefined) all.push(sql`l.hold = any(${filter.hold}::text[])`);
  if (filter.author !== undefined) all.push(sql`l.author = ${filter.author}`);
  if (filter.priority !== undefined)
    all.push(sql`l.priority = any(${filter.priority.map((p) => numberOfPriority[p])}::int[])`);
  if (filter.labels !== undefined) all.push(sql`l.requires @> ${JSON.stringify(filter.labels)}::jsonb`);
  if (filter.ids !== undefined) all.push(sql`l.id = any(${filter.ids}::text[])`);
  if (filter.olderThanMs !== undefined)
    all.push(sql`l.created_at <= now() - make_interval(secs => ${filter.olderThanMs / 1000})`);
  if (filter.job !== undefined)
    all.push(sql`l.job_artifact_id in (select a.id from artifact a join artifact_collection c on c.id = a.collection_id
      where c.type = 'job' and c.name = ${filter.job})`);
  // What would not change is not in it.
  if (action === 'cancel') all.push(sql`(l.cancel_requested_at is null or l.stop_cause is not null)`);
  if (action === 'hold') all.push(sql`not l.held`);
  if (action === 'release') all.push(sql`l.held`);
  if (action === 'priority') all.push(sql`l.priority <> ${params.priority}::int`);
  if (action === 'transfer') all.push(sql`l.queue_id <> ${params.queueId}::int`);
  return sql.join(all, sql` and `);
}

/**
 * Queue by queue, because a transaction holds one line. What waits comes before what runs, and in the order of the line: a cancel is ahead of
 * the agents, and a slot that it frees is not given to a launch that it is about to cancel. Each is put before all others when it is moved to
 * the front, so the last one goes first.
 */
function orderOf({ action, params }: BulkSelection): RawBuilder<unknown> {
  if (action === 'retry') return sql`l.queue_id, l.id`;
  if (action === 'move' && params.to === 'front') return sql`l.queue_id, l.priority desc, l.rank desc, l.id desc`;
  return sql`(l.state <> 'queued'), l.queue_id, l.priority, l.rank, l.id`;
}

/** Writes down what the bulk is about. Answers how many that are. */
export async function fixSelection(tx: Store, bulkId: string, s: BulkSelection): Promise<number> {
  const result = await sql`insert into bulk_launch (bulk_id, n, launch_id, queue_id)
    select ${bulkId}, row_number() over (order by ${orderOf(s)}), l.id, l.queue_id from launch l where ${conditionsOf(s)}`.execute(
    tx,
  );
  return Number(result.numAffectedRows ?? 0n);
}

/** How many it would be about, and the ids of the first ones. */
export async function previewSelection(
  db: Store,
  s: BulkSelection,
  sample: number,
): Promise<{ total: number; ids: string[] }> {
  const count = await sql<{ n: number }>`select count(*)::int as n from launch l where ${conditionsOf(s)}`.execute(db);
  const first = await sql<{
    id: string;
  }>`select l.id from launch l where ${conditionsOf(s)} order by ${orderOf(s)} limit ${sample}`.execute(db);
  return { total: count.rows[0]?.n ?? 0, ids: first.rows.map(({ id }) => id) };
}
