import { ApplicationFailure } from '@temporalio/activity';
import { sql } from 'kysely';
import { DavitError } from '../../domain/errors.js';
import { launchChanges } from '../../domain/operations.js';
import { hold, move, release, reprioritise, type LineAnswer } from '../../store/line-operations.js';
import { countsOfQueues, queueByName } from '../../store/queues.js';
import { drainQueue, pauseQueue, resumeQueue, undrainQueue } from '../../store/queue-operations.js';
import type { Store } from '../../store/open.js';
import type { ControlActivities } from '../contract.js';

/** What operators change by messages to Temporal. */
export function changeActivities(db: Store): Pick<ControlActivities, 'change' | 'changeQueue'> {
  return {
    async change({ launchId, change, argument, actor }) {
      const parsed = launchChanges[change].safeParse(argument ?? undefined);
      if (!parsed.success) {
        const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'argument'}: ${message}`);
        return { said: `The signal "${change}" was refused: ${problems.join('; ')}` };
      }
      try {
        const answer = await changed(db, launchId, { [change]: parsed.data ?? {} }, actor);
        await wake(db, launchId);
        return { said: sentenceOf(change, answer) };
      } catch (error) {
        if (error instanceof DavitError && error.entry.fault === 'user')
          return { said: `The signal "${change}" was refused: ${error.message} ${error.entry.fix}` };
        throw error;
      }
    },

    async changeQueue({ change, actor }) {
      const entity = await db.selectFrom('entity').select('id').where('name', '=', change.entity).executeTakeFirst();
      const queue = entity && (await queueByName(db, entity.id, change.queue));
      if (!queue)
        throw ApplicationFailure.nonRetryable(
          `Entity "${change.entity}" has no queue "${change.queue}".`,
          'unknown-queue',
        );
      if (change.action === 'pause') await pauseQueue(db, queue, actor, change.reason);
      else if (change.action === 'resume') await resumeQueue(db, queue, actor);
      else if (change.action === 'drain') await drainQueue(db, queue, actor, change.reason);
      else await undrainQueue(db, queue, actor);
      await sql`select pg_notify('davit', ${`room ${queue.id}`})`.execute(db);
      const counts = (await countsOfQueues(db, [queue.id])).get(queue.id);
      const { paused, draining } = (await queueByName(db, queue.entity_id, queue.name)) ?? queue;
      return {
        queue: `${change.entity}/${change.queue}`,
        paused,
        draining,
        waiting: counts?.waiting ?? 0,
        held: counts?.held ?? 0,
        running: counts?.running ?? 0,
      };
    },
  };
}

type Change = {
  move?: Parameters<typeof move>[2];
  hold?: { reason?: string | undefined };
  release?: object;
  priority?: { priority: Parameters<typeof reprioritise>[2] };
};

function changed(db: Store, launchId: string, change: Change, by: string): Promise<LineAnswer> {
  if (change.move) return move(db, launchId, change.move, by);
  if (change.hold) return hold(db, launchId, { by, cause: 'user', reason: change.hold.reason });
  if (change.priority) return reprioritise(db, launchId, change.priority.priority, by);
  return release(db, launchId, by);
}

function sentenceOf(change: string, answer: LineAnswer): string {
  if (answer.outcome === 'not-waiting')
    return `The signal "${change}" changed nothing: the launch is ${answer.state} already.`;
  const place = answer.position === null ? 'held, without a place' : `position ${answer.position}`;
  return `By the signal "${change}": waits in line, ${place}.`;
}

/** The API tells the line; when its ear is away, its sweep does. */
async function wake(db: Store, launchId: string): Promise<void> {
  await sql`select pg_notify('davit', 'room ' || queue_id) from launch where id = ${launchId}`.execute(db);
}
