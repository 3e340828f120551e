import { sql } from 'kysely';
import type { Store } from '../../../store/open.js';

/** As many waiting launches as it takes, copied in the database from one that was accepted: a test of thousands needs no thousand requests. */
export async function seedWaiting(
  db: Store,
  from: { launchId: string; queue?: { entity: string; name: string } | undefined },
  n: number,
  letter = 's',
): Promise<string[]> {
  const queue = from.queue;
  const queueId =
    queue &&
    (
      await db
        .selectFrom('queue')
        .innerJoin('entity', 'entity.id', 'queue.entity_id')
        .select('queue.id')
        .where('entity.name', '=', queue.entity)
        .where('queue.name', '=', queue.name)
        .where('queue.deleted_at', 'is', null)
        .executeTakeFirstOrThrow()
    ).id;
  const made = await sql<{ id: string }>`
    insert into launch (id, workflow_id, queue_id, project_id, author, state, priority, rank, run_name, job_artifact_id, spec, request)
    select ${letter} || lpad(i::text, 19, '0'), 'launch/' || ${letter} || lpad(i::text, 19, '0'), coalesce(${queueId ?? null}::int, queue_id), project_id, author,
      'queued', priority, nextval('line_rank') * 1048576, 'r' || ${letter} || i, job_artifact_id, spec, request
    from launch, generate_series(1, ${n}::int) i where id = ${from.launchId} order by i returning id`.execute(db);
  return made.rows.map(({ id }) => id);
}
