import { sql } from 'kysely';
import type { Failure } from '../domain/errors.js';
import type { AttemptEnd } from '../domain/outcome.js';
import { audit } from './audit.js';
import type { Store } from './open.js';
import type { Quarantine } from './schema.js';

/**
 * When launch after launch fails on an agent for reasons that are not the launches' own, the agent takes nothing more: a broken machine
 * must not eat a whole line. It comes back when an operator releases it, or when one launch that it takes to prove itself gets to run.
 * All of this happens in the transaction that records what became of the launch. Locks: the launch's row, then the agent's.
 */

export const firstProbeMs = 10 * 60_000;
const longestProbeMs = 24 * 3600_000;
const shownLaunches = 20;

/** What the end of an attempt says about its agent. `nothing`: it was stopped, lost, or broke for reasons of its own. */
export function verdictOn(end: AttemptEnd, failure: Failure | undefined): 'works' | 'trouble' | 'nothing' {
  if (failure && isTrouble(failure)) return 'trouble';
  return end.kind === 'ended' && !end.status.lost && !end.status.killed ? 'works' : 'nothing';
}

/** The steps before a job runs are the agent's and its target's. That a launch loses its agents is told of the launch, not of them. */
function isTrouble({ code, fault, stage }: Failure): boolean {
  if (fault === 'user' || code === 'agent-lost' || code === 'expired') return false;
  return code === 'start-timeout' || stage === 'claim' || stage === 'prepare' || stage === 'submit';
}

/** To be called when an attempt has ended, while the launch still names its agent and claim; whatever becomes of the launch then. */
export async function noteEndOnAgent(
  tx: Store,
  launchId: string,
  end: AttemptEnd,
  failure: Failure | undefined,
): Promise<void> {
  const launch = await tx
    .selectFrom('launch')
    .select(['id', 'agent_id', 'claim'])
    .where('id', '=', launchId)
    .executeTakeFirst();
  if (!launch?.agent_id || !launch.claim) return;
  const { agent_id: agentId, claim } = launch;
  switch (verdictOn(end, failure)) {
    case 'works':
      return noteWorks(tx, launchId, agentId);
    case 'trouble':
      return noteTrouble(tx, { agentId, launchId, claim, code: failure?.code ?? '', message: failure?.message ?? '' });
    case 'nothing':
      // A probe that proved nothing: the agent may take another one at once.
      await tx
        .updateTable('agent')
        .set({ probe_launch: null })
        .where('id', '=', agentId)
        .where('probe_launch', '=', launchId)
        .execute();
  }
}

/** A job of this launch runs: its agent works. */
export async function noteRunningOnAgent(tx: Store, launchId: string): Promise<void> {
  const launch = await tx.selectFrom('launch').select('agent_id').where('id', '=', launchId).executeTakeFirst();
  if (launch?.agent_id) await noteWorks(tx, launchId, launch.agent_id);
}

async function noteWorks(tx: Store, launchId: string, agentId: string): Promise<void> {
  const released = await sql<{ name: string; entity: string }>`
    with mended as (delete from agent_trouble where agent_id = ${agentId})
    update agent a set quarantined_at = null, quarantine = null, probe_after = null, probe_launch = null, probe_ms = null
    from entity e where e.id = a.entity_id and a.id = ${agentId} and a.quarantined_at is not null and a.probe_launch = ${launchId}
    returning a.name, e.name as entity`.execute(tx);
  for (const { entity, name } of released.rows)
    await audit(tx, {
      actor: 'davit',
      action: 'agent.release',
      subject: `agent/${entity}/${name}`,
      data: { probe: launchId },
    });
}

interface Trouble {
  agentId: string;
  launchId: string;
  claim: string;
  code: string;
  message: string;
}

async function noteTrouble(tx: Store, trouble: Trouble): Promise<void> {
  const { agentId, launchId, claim, code, message } = trouble;
  const agent = await tx
    .selectFrom('agent')
    .innerJoin('entity', 'entity.id', 'agent.entity_id')
    .select(['agent.name', 'entity.name as entity', 'quarantined_at', 'quarantine', 'quarantine_after', 'probe_launch'])
    .where('agent.id', '=', agentId)
    .forUpdate('agent')
    .executeTakeFirst();
  if (!agent || agent.quarantine_after === 0) return;
  await tx
    .insertInto('agent_trouble')
    .values({ agent_id: agentId, claim, launch_id: launchId, code, message: message.slice(0, 1_000) })
    .onConflict((c) => c.doNothing())
    .execute();
  const launches = await evidence(tx, agentId);
  const subject = `agent/${agent.entity}/${agent.name}`;
  if (agent.quarantined_at === null) {
    if (launches.length < agent.quarantine_after) return;
    const reason = `${launches.length} launches in a row failed on it for reasons that are not their own; the last: ${message}`;
    const quarantine: Quarantine = { reason, launches, by: 'davit' };
    await sql`update agent set quarantined_at = clock_timestamp(), quarantine = ${JSON.stringify(quarantine)}::jsonb,
      probe_ms = ${firstProbeMs}, probe_after = clock_timestamp() + make_interval(secs => ${firstProbeMs / 1000}), probe_launch = null
      where id = ${agentId}`.execute(tx);
    await audit(tx, { actor: 'davit', action: 'agent.quarantine', subject, data: { ...quarantine } });
    return;
  }
  // What was under way when it was quarantined, or the probe: more evidence either way.
  const quarantine: Quarantine = { ...(agent.quarantine ?? { reason: message, by: 'davit' }), launches };
  await tx
    .updateTable('agent')
    .set({ quarantine: JSON.stringify(quarantine) })
    .where('id', '=', agentId)
    .execute();
  if (agent.probe_launch !== launchId) return;
  await sql`update agent set probe_launch = null, probe_ms = least(${longestProbeMs}::bigint, coalesce(probe_ms, ${firstProbeMs}) * 2),
    probe_after = clock_timestamp() + make_interval(secs => least(${longestProbeMs}::bigint, coalesce(probe_ms, ${firstProbeMs}) * 2) / 1000.0)
    where id = ${agentId}`.execute(tx);
  await audit(tx, {
    actor: 'davit',
    action: 'agent.probe-failed',
    subject,
    data: { probe: launchId, code, message },
  });
}

/** The latest failure of each launch, newest first. */
async function evidence(tx: Store, agentId: string): Promise<Quarantine['launches']> {
  const result = await sql<{ launch_id: string; code: string; message: string; at: Date }>`
    select * from (select distinct on (launch_id) launch_id, code, message, at from agent_trouble where agent_id = ${agentId}
      order by launch_id, at desc) latest order by at desc limit ${shownLaunches}`.execute(tx);
  return result.rows.map((row) => ({
    launchId: row.launch_id,
    code: row.code,
    message: row.message,
    at: row.at.toISOString(),
  }));
}
