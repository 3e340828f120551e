import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { audit } from './audit.js';
import { startBulk } from './bulk.js';
import type { Store } from './open.js';
import type { QueueRow } from './queues.js';

/**
 * What is done to a queue as a whole. Each under the line's lock: a claim or an enqueue that is just happening is over when the change
 * holds, so none slips in behind the answer.
 */

/** To the end of the transaction. */
export const lockLine = (tx: Store, queueId: number) =>
  sql`select pg_advisory_xact_lock(1, ${queueId}::int)`.execute(tx);

const subjectOf = (queue: QueueRow): string => `queue/${queue.entity}/${queue.name}`;

async function change(
  db: Store,
  queue: QueueRow,
  set: Record<string, unknown>,
  entry: { actor: string; action: string; reason?: string | undefined },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockLine(tx, queue.id);
    const row = await tx
      .updateTable('queue')
      .set({ ...set, updated_at: new Date() })
      .where('id', '=', queue.id)
      .where('deleted_at', 'is', null)
      .returning('id')
      .executeTakeFirst();
    if (!row) throw new DavitError('unknown-queue', `There is no queue "${queue.entity}/${queue.name}" any more.`);
    const { actor, action, reason } = entry;
    await audit(tx, {
      actor,
      action,
      subject: subjectOf(queue),
      ...(reason === undefined ? {} : { data: { reason } }),
    });
  });
}

/** Nothing is handed out any more; what runs goes on. */
export const pauseQueue = (db: Store, queue: QueueRow, actor: string, reason?: string) =>
  change(
    db,
    queue,
    { paused: true, paused_by: actor, paused_at: new Date(), pause_reason: reason ?? null },
    { actor, action: 'queue.pause', reason },
  );

export const resumeQueue = (db: Store, queue: QueueRow, actor: string) =>
  change(
    db,
    queue,
    { paused: false, paused_by: null, paused_at: null, pause_reason: null },
    { actor, action: 'queue.resume' },
  );

/** Takes no new launches and works off the rest. */
export const drainQueue = (db: Store, queue: QueueRow, actor: string, reason?: string) =>
  change(
    db,
    queue,
    { draining: true, drained_by: actor, drained_at: new Date(), drain_reason: reason ?? null },
    { actor, action: 'queue.drain', reason },
  );

export const undrainQueue = (db: Store, queue: QueueRow, actor: string) =>
  change(
    db,
    queue,
    { draining: false, drained_by: null, drained_at: null, drain_reason: null },
    { actor, action: 'queue.undrain' },
  );

/**
 * The queue is gone at once: its name is free, nothing comes in and nothing goes out. Launches that wait are cancelled after, by a bulk, so
 * that a long line needs no long lock. Throws `queue-not-empty` while launches run in it, or wait and are not to be cancelled.
 */
export async function deleteQueue(
  db: Store,
  queue: QueueRow,
  options: { actor: string; cancelWaiting: boolean },
): Promise<{ cancelling: number; bulkId: string | null }> {
  const { actor, cancelWaiting } = options;
  return db.transaction().execute(async (tx) => {
    await lockLine(tx, queue.id);
    const counted = await sql<{ waiting: number; held: number; running: number; deleted: boolean }>`
      select c.waiting, c.held, line_holding(q.id) as running, q.deleted_at is not null as deleted
      from queue q cross join lateral line_counts(q.id) c where q.id = ${queue.id}`.execute(tx);
    const { waiting, held, running, deleted } = counted.rows[0] ?? { waiting: 0, held: 0, running: 0, deleted: true };
    const name = `${queue.entity}/${queue.name}`;
    if (deleted) throw new DavitError('unknown-queue', `There is no queue "${name}" any more.`);
    if (running > 0 || (waiting + held > 0 && !cancelWaiting)) {
      const sentence = `In queue "${name}" ${waiting + held} launches wait (${held} of them held) and ${running} run.`;
      throw new DavitError('queue-not-empty', sentence, { extra: { waiting, held, running } });
    }
    // Paused, too: whoever asks for a claim of this queue by an old ticket is told that there is nothing.
    await tx
      .updateTable('queue')
      .set({ deleted_at: new Date(), paused: true, paused_by: actor, paused_at: new Date(), pause_reason: 'deleted' })
      .where('id', '=', queue.id)
      .execute();
    await tx.deleteFrom('agent_queue').where('queue_id', '=', queue.id).execute();
    const cancelling = waiting + held;
    await audit(tx, { actor, action: 'queue.delete', subject: subjectOf(queue), data: { cancelling } });
    if (cancelling === 0) return { cancelling, bulkId: null };
    const bulkId = await startBulk(tx, {
      actor,
      filter: { queue: name },
      params: {},
      selection: {
        entityId: queue.entity_id,
        queueId: queue.id,
        action: 'cancel',
        states: ['queued'],
        filter: {},
        params: {},
      },
    });
    return { cancelling, bulkId };
  });
}
