import { sql } from 'kysely';
import type { LaunchState } from '../domain/words.js';
import type { Store } from './open.js';

/** Launches with everything that was recorded of them, as traces tell it. */

export interface StoredStory {
  id: string;
  traceparent: string | null;
  entity: string;
  project: string;
  queueEntity: string;
  queue: string;
  target: string;
  job: string;
  priority: number;
  attempt: number;
  state: LaunchState;
  exitCode: number | null;
  failure: { code: string; stage: string; fault: string } | null;
  createdAt: Date;
  endedAt: Date;
  events: { writer: string; n: number; at: string; type: string; data: Record<string, unknown> }[];
}

/** A launch that was returned without end has some ten events; one with more than this is told without the later ones. */
const eventsAtMost = 500;

export async function storiesOf(db: Store, launchIds: readonly string[]): Promise<StoredStory[]> {
  const { rows } = await sql<StoredStory>`
    select l.id, l.request->>'traceparent' as traceparent, pe.name as entity, p.name as project, qe.name as "queueEntity", q.name as queue,
      q.target, l.spec->>'job' as job, l.priority, l.attempt, l.state, l.exit_code as "exitCode", l.failure,
      l.created_at as "createdAt", coalesce(l.ended_at, l.created_at) as "endedAt", s.events
    from launch l
      join queue q on q.id = l.queue_id join entity qe on qe.id = q.entity_id
      join project p on p.id = l.project_id join entity pe on pe.id = p.entity_id
      cross join lateral (
        select coalesce(jsonb_agg(jsonb_build_object('writer', e.writer, 'n', e.n, 'at', e.at, 'type', e.type,
          'data', case when e.type = 'claimed' then e.data || jsonb_build_object('agentName', a.name) else e.data end)), '[]') as events
        from (select * from launch_event where launch_id = l.id order by at limit ${eventsAtMost}) e
          left join agent a on a.id = e.data->>'agent'
      ) s
    where l.id = any(${launchIds}::text[])`.execute(db);
  return rows;
}
