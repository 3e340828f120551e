import { sql } from 'kysely';
import { bindQueuesOfMany, type ServedQueue, type Serving } from './agent-queues.js';
import { orders, type AgentOrders } from './agent-registry.js';
import type { Store } from './open.js';
import type { AgentStatus, AgentTarget } from './schema.js';

export interface AgentHeartbeat {
  agentId: string;
  /** The entity that its key speaks for: an agent of another one is not found. */
  entityId: number;
  incarnation: string;
  status: AgentStatus;
  /** Queue names of the entity; `*`: every queue whose target this agent has. */
  queues: readonly string[];
  /** Queues that its key is bound to; undefined: every one of the entity. */
  boundTo?: readonly number[] | undefined;
}

export type AgentDuty = AgentOrders & { queues: ServedQueue[] };

/**
 * Notes that these agents live, and answers what each is to do, in the order of the heartbeats. Undefined: there is no such agent, or a newer
 * process took its name over and the caller must end. Two statements, however many they are.
 */
export async function agentHeartbeats(db: Store, beats: readonly AgentHeartbeat[]): Promise<(AgentDuty | undefined)[]> {
  const said = beats.map(({ agentId, entityId, incarnation, status }) => ({ agentId, entityId, incarnation, status }));
  // Locked in one order, so that two API processes that hear of the same agents do not wait for each other.
  const { rows } = await sql<
    AgentOrders &
      Pick<AgentHeartbeat, 'agentId' | 'entityId' | 'incarnation'> & { targets: Record<string, AgentTarget> }
  >`
    with beat as materialized (
      select agent.id, b.status
      from jsonb_to_recordset(${JSON.stringify(said)}::jsonb) as b ("agentId" text, "entityId" int, incarnation text, status text)
        join agent on agent.id = b."agentId" and agent.entity_id = b."entityId" and agent.incarnation = b.incarnation
      order by agent.id for update of agent
    )
    update agent set heartbeat_at = clock_timestamp(), status = beat.status from beat where agent.id = beat.id
    returning agent.id as "agentId", entity_id as "entityId", incarnation, targets, ${orders}`.execute(db);
  const rowOf = new Map(rows.map((row) => [row.agentId, row]));
  // Of two processes under one name only one is the agent now.
  const found = beats.map(({ agentId, entityId, incarnation }) => {
    const row = rowOf.get(agentId);
    return row?.entityId === entityId && row.incarnation === incarnation ? row : undefined;
  });
  const serving = new Map<string, Serving>();
  for (const [n, beat] of beats.entries()) {
    const row = found[n];
    if (row) serving.set(beat.agentId, { ...beat, targets: row.targets });
  }
  const queues =
    serving.size === 0 ? new Map<string, ServedQueue[]>() : await bindQueuesOfMany(db, [...serving.values()]);
  return found.map((row) => row && { ...row, queues: queues.get(row.agentId) ?? [] });
}
