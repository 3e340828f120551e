import { sql } from 'kysely';
import { parkingReason, type Loss } from '../domain/parking.js';
import type { Store } from './open.js';

/** The evidence of what a launch did to its agents. */

/** A launch cannot cost more before it is parked; what is behind this was looked at and released. */
const kept = 50;

export interface Suspect {
  id: string;
  agent_id: string | null;
  /** How many of the last losses count: those since it was last released from parking. */
  lost_agents: number;
  losses: Loss[];
}

/**
 * Adds a loss to the evidence. `parked`: with it there is too much. Whoever calls it counts it in `lost_agents` in the same transaction
 * (`line_give_back` does).
 */
export async function noteLoss(tx: Store, suspect: Suspect, seen: string): Promise<{ parked: string | undefined }> {
  const agent = await tx
    .selectFrom('agent')
    .select(['name', sql<Date>`clock_timestamp()`.as('now')])
    .where('id', '=', suspect.agent_id ?? '')
    .executeTakeFirst();
  const loss: Loss = {
    agentId: suspect.agent_id ?? '',
    agent: agent?.name ?? suspect.agent_id ?? 'unknown',
    at: (agent?.now ?? new Date()).toISOString(),
    seen,
  };
  const losses = [...suspect.losses, loss].slice(-kept);
  await tx
    .updateTable('launch')
    .set({ losses: JSON.stringify(losses) })
    .where('id', '=', suspect.id)
    .execute();
  return { parked: parkingReason(losses.slice(-(suspect.lost_agents + 1))) };
}
