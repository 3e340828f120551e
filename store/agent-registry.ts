import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import type { Labels } from '../domain/requirements.js';
import { bindQueues } from './agent-queues.js';
import { giveBackOfIncarnation } from './line.js';
import type { Store } from './open.js';
import type { AgentStatus, AgentTarget } from './schema.js';

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
  /** What it can, for launches that require it. */
  labels?: Labels | undefined;
  /** Different launches that must fail on it in a row until it takes nothing more; 0: never. */
  quarantineAfter?: number | undefined;
  /** Queue names of the entity; `*`: every queue whose target this agent has. */
  queues: readonly string[];
  keyId?: string | undefined;
  /** Queues that its key is bound to; undefined: every one of the entity. */
  boundTo?: readonly number[] | undefined;
}

/** What an agent is to do, besides serving its queues. */
export interface AgentOrders {
  wanted: AgentStatus;
  /** Set while it takes nothing because launches failed on it. */
  quarantine: { reason: string; probeAfter: string | null } | null;
  /** It may take launches now; in quarantine: one, to prove itself. */
  mayTake: boolean;
}

/** Held by whoever says hello under a name and by whoever deletes the agent of that name: one comes before the other. */
export async function lockAgentName(tx: Store, entityId: number, name: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(3, hashtext(${`${entityId}/${name}`}))`.execute(tx);
}

/** Throws `agent-duplicate` while another process works under the name, `agent-stopped` when an operator wants none. Repeated by the same process it changes nothing. */
export async function registerAgent(db: Store, hello: Hello): Promise<{ agentId: string; moved: number[] }> {
  const agentId = await db.transaction().execute(async (tx) => {
    await lockAgentName(tx, hello.entityId, hello.name);
    const before = await tx
      .selectFrom('agent')
      .select(['id', 'incarnation', 'host', 'pid', 'status', 'wanted', 'wanted_by'])
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
    if (before?.wanted === 'stopped') {
      const by = before.wanted_by === null ? '' : ` by ${before.wanted_by}`;
      throw new DavitError(
        'agent-stopped',
        `Agent "${hello.name}" was stopped${by}, and nobody has activated it since.`,
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
      labels: JSON.stringify(hello.labels ?? {}),
      quarantine_after: hello.quarantineAfter ?? 3,
      key_id: hello.keyId ?? null,
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
  await bindQueues(db, { ...hello, agentId });
  return { agentId, moved };
}

export async function ordersOf(db: Store, agentId: string): Promise<AgentOrders> {
  const result = await sql<AgentOrders>`select ${orders} from agent where id = ${agentId}`.execute(db);
  const row = result.rows[0];
  if (!row) throw new DavitError('agent-superseded');
  return row;
}

/** Columns of AgentOrders. */
export const orders = sql`wanted,
  case when quarantined_at is not null then jsonb_build_object('reason', quarantine->>'reason', 'probeAfter', probe_after) end as quarantine,
  wanted = 'active' and (quarantined_at is null or (probe_launch is null and probe_after <= clock_timestamp())) as "mayTake"`;
