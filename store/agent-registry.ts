import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import type { TargetName } from '../domain/words.js';
import { giveBackOfIncarnation } from './line.js';
import type { Store } from './open.js';
import type { AgentTarget } from './schema.js';

/** Agents as they register and show that they live. One process per agent name: a second one is refused. */

/** A process that has not been heard of for so long has ended: longer than three heartbeats. */
export const agentTtlMs = 12_000;

export interface Hello {
  entityId: number;
  name: string;
  incarnation: string;
  /** The process before this one, when the agent knows for sure that it has ended (it found its lock left behind). */
  endedIncarnation?: string | undefined;
  host: string;
  pid: number;
  version: string;
  maxJobs: number;
  targets: Record<string, AgentTarget>;
  /** Queue names of the entity; `*`: every queue whose target this agent has. */
  queues: readonly string[];
}

export interface ServedQueue {
  queueId: number;
  entity: string;
  queue: string;
  target: TargetName;
}

/** Throws `agent-duplicate` while another process works under the name. Repeated by the same process it changes nothing. */
export async function registerAgent(db: Store, hello: Hello): Promise<{ agentId: string; moved: number[] }> {
  const agentId = await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(3, ${hello.entityId}::int)`.execute(tx);
    const before = await tx
      .selectFrom('agent')
      .select(['id', 'incarnation', 'host', 'pid', 'status'])
      .select(sql<boolean>`heartbeat_at > clock_timestamp() - make_interval(secs => ${agentTtlMs / 1000})`.as('alive'))
      .where('entity_id', '=', hello.entityId)
      .where('name', '=', hello.name)
      .executeTakeFirst();
    const other = before && before.incarnation !== hello.incarnation;
    if (other && before.alive && before.status !== 'stopped' && before.incarnation !== hello.endedIncarnation) {
      throw new DavitError(
        'agent-duplicate',
        `Agent "${hello.name}" runs already: process ${before.pid} on ${before.host}. When that process is gone, its name is free after ${agentTtlMs / 1000} s.`,
      );
    }
    const row = {
      incarnation: hello.incarnation,
      host: hello.host,
      pid: hello.pid,
      version: hello.version,
      max_jobs: hello.maxJobs,
      status: 'active' as const,
      targets: JSON.stringify(hello.targets),
      heartbeat_at: sql<Date>`clock_timestamp()` as unknown as Date,
    };
    if (before) {
      await tx
        .updateTable('agent')
        .set({ ...row, ...(other ? { started_at: sql<Date>`clock_timestamp()` as unknown as Date } : {}) })
        .where('id', '=', before.id)
        .execute();
      return before.id;
    }
    const id = `a${randomBytes(5).toString('hex')}`;
    await tx
      .insertInto('agent')
      .values({ id, entity_id: hello.entityId, name: hello.name, ...row })
      .execute();
    return id;
  });
  const moved = await giveBackOfIncarnation(db, agentId, hello.incarnation);
  await bindQueues(db, agentId, hello);
  return { agentId, moved };
}

/** Which queues the agent serves now; new ones are picked up with a heartbeat. Unknown names are left out. */
export async function bindQueues(
  db: Store,
  agentId: string,
  wanted: { entityId: number; queues: readonly string[]; targets: Record<string, AgentTarget> },
): Promise<ServedQueue[]> {
  const targets = Object.entries(wanted.targets).flatMap(([name, target]) => (target.ok ? [name as TargetName] : []));
  const queues =
    targets.length === 0 || wanted.queues.length === 0
      ? []
      : await db
          .selectFrom('queue')
          .innerJoin('entity', 'entity.id', 'queue.entity_id')
          .select(['queue.id as queueId', 'entity.name as entity', 'queue.name as queue', 'queue.target'])
          .where('queue.entity_id', '=', wanted.entityId)
          .where('queue.target', 'in', targets)
          .$if(!wanted.queues.includes('*'), (q) => q.where('queue.name', 'in', [...wanted.queues]))
          .orderBy('queue.id')
          .execute();
  const ids = queues.map((queue) => queue.queueId);
  const bound = await db.selectFrom('agent_queue').select('queue_id').where('agent_id', '=', agentId).execute();
  const before = bound.map((row) => row.queue_id);
  const gone = before.filter((id) => !ids.includes(id));
  const fresh = ids.filter((id) => !before.includes(id));
  if (gone.length > 0)
    await db.deleteFrom('agent_queue').where('agent_id', '=', agentId).where('queue_id', 'in', gone).execute();
  if (fresh.length > 0) {
    await db
      .insertInto('agent_queue')
      .values(fresh.map((queue_id) => ({ agent_id: agentId, queue_id })))
      .onConflict((c) => c.doNothing())
      .execute();
  }
  return queues;
}

/** False: a newer process took the name over; the caller must end. */
export async function agentHeartbeat(
  db: Store,
  agentId: string,
  incarnation: string,
  status: 'active' | 'draining' | 'stopped',
): Promise<boolean> {
  const result = await sql<{ id: string }>`
    update agent set heartbeat_at = clock_timestamp(), status = ${status}
    where id = ${agentId} and incarnation = ${incarnation} returning id`.execute(db);
  return result.rows.length > 0;
}
