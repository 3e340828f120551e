import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { newRunId } from '../domain/ids.js';
import type { Store } from './open.js';
import { agentSilentMs } from './sweep-sets.js';
import { storable } from './text.js';

/** The processes that run a sweep's sets. Each start of one is an agent of its own. */

export type SweepAgentRow = Awaited<ReturnType<typeof listSweepAgents>>[number];

export async function createSweepAgent(
  db: Store,
  agent: { sweepId: number; host: string; actor: string },
): Promise<number> {
  const { id } = await db
    .insertInto('sweep_agent')
    .values({
      sweep_id: agent.sweepId,
      name: newRunId(randomBytes),
      host: storable(agent.host.slice(0, 500)),
      actor: agent.actor,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export const listSweepAgents = (
  db: Store,
  sweepId: number,
  page: { limit: number; afterId?: number; name?: string; id?: number },
) =>
  db
    .selectFrom('sweep_agent as a')
    .selectAll('a')
    .select((eb) => [
      eb
        .selectFrom('sweep_set as s')
        .select((e) => e.fn.countAll<number>().as('n'))
        .whereRef('s.agent_id', '=', 'a.id')
        .as('total_runs'),
      sql<boolean>`a.heartbeat_at > now() - ${agentSilentMs} * interval '1 ms'`.as('alive'),
    ])
    .where('a.sweep_id', '=', sweepId)
    .$if(page.afterId !== undefined, (q) => q.where('a.id', '>', page.afterId ?? 0))
    .$if(page.name !== undefined, (q) => q.where('a.name', '=', page.name ?? ''))
    .$if(page.id !== undefined, (q) => q.where('a.id', '=', page.id ?? 0))
    .orderBy('a.id')
    .limit(page.limit + 1)
    .execute();

/** The agent with the sweep it works for. */
export const sweepOfAgent = (db: Store, agentId: number) =>
  db.selectFrom('sweep_agent').select(['id', 'sweep_id']).where('id', '=', agentId).executeTakeFirst();
