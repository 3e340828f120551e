import { z } from 'zod';
import { DavitError } from '../../../domain/errors.js';
import { launchIdSchema } from '../../../domain/ids.js';
import { queueNames } from '../../../store/agents.js';
import type { Store } from '../../../store/open.js';
import type { Actor } from '../../auth/authenticate.js';

/** Who may speak for which agent, and about which launch. */

export const tag = 'agent protocol';
export const incarnationSchema = z.string().regex(/^[a-z0-9]{8,40}$/);
export const claimSchema = z.uuid();
export const agentParams = z.strictObject({ agentId: z.string().max(40) });
export const launchParams = z.strictObject({ agentId: z.string().max(40), launchId: launchIdSchema });

/** An agent key acts for its own entity only; the row says which agents those are. */
export async function ownAgent(db: Store, actor: Actor, agentId: string) {
  const agent = await db
    .selectFrom('agent')
    .innerJoin('entity', 'entity.id', 'agent.entity_id')
    .select([
      'agent.id',
      'agent.entity_id',
      'agent.incarnation',
      'agent.targets',
      'agent.name',
      'entity.name as entity',
    ])
    .where('agent.id', '=', agentId)
    .executeTakeFirst();
  if (!agent || agent.entity_id !== actor.entityId)
    throw new DavitError('not-found', `There is no agent ${agentId} for this key.`);
  return agent;
}

const notBound = (what: string, names: Iterable<string>): DavitError =>
  new DavitError(
    'queue-not-bound',
    `The key of this agent is bound to ${[...names].join(', ') || 'no queue'}; not to ${what}.`,
  );

/** A key may be bound to queues: every other one is refused by its name. `*` means those that it is bound to. */
export async function requireBoundNames(
  db: Store,
  actor: Actor,
  entity: string,
  wanted: readonly string[],
): Promise<void> {
  if (actor.queueIds === undefined) return;
  const names = new Set((await queueNames(db, actor.queueIds)).values());
  const foreign = wanted.filter((name) => name !== '*' && !names.has(`${entity}/${name}`));
  if (foreign.length > 0) throw notBound(foreign.map((name) => `${entity}/${name}`).join(', '), names);
}

export async function requireBound(db: Store, actor: Actor, queueId: number): Promise<void> {
  if (actor.queueIds === undefined || actor.queueIds.includes(queueId)) return;
  const names = await queueNames(db, [...actor.queueIds, queueId]);
  const name = names.get(queueId) ?? `queue ${queueId}`;
  names.delete(queueId);
  throw notBound(name, names.values());
}

/** The launch, if this claim is the one that holds it and its queue is one that the agent's key may serve. */
export async function heldLaunch(db: Store, actor: Actor, launchId: string, claimId: string) {
  const launch = await db
    .selectFrom('launch')
    .innerJoin('queue', 'queue.id', 'launch.queue_id')
    .selectAll('launch')
    .select('queue.entity_id as queue_entity_id')
    .where('launch.id', '=', launchId)
    .where('launch.claim', '=', claimId)
    .executeTakeFirst();
  if (!launch || launch.queue_entity_id !== actor.entityId) throw new DavitError('claim-lost');
  await requireBound(db, actor, launch.queue_id);
  return launch;
}

/**
 * For calls that need nothing of the launch: its documents stay in the database. The key's queues do not count here: whoever finds the job
 * of a lost agent at its place follows it, and may say what it sees.
 */
export async function requireHeld(db: Store, actor: Actor, launchId: string, claimId: string): Promise<void> {
  const launch = await db
    .selectFrom('launch')
    .innerJoin('queue', 'queue.id', 'launch.queue_id')
    .select('queue.entity_id')
    .where('launch.id', '=', launchId)
    .where('launch.claim', '=', claimId)
    .executeTakeFirst();
  if (!launch || launch.entity_id !== actor.entityId) throw new DavitError('claim-lost');
}
