import { DavitError, type ErrorCode } from '../../domain/errors.js';
import { launchIdSchema } from '../../domain/ids.js';
import { parseJobReference } from '../../domain/job.js';
import type { LaunchRequest } from '../../domain/launch-request.js';
import type { Role } from '../../domain/words.js';
import { launchById, type LaunchRow } from '../../store/launches.js';
import type { Store } from '../../store/open.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity, roleOf } from '../auth/authorize.js';
import { roleIncludes } from '../../domain/words.js';

/** The launch, if the actor has the role in its entity. A foreign launch and an unknown one answer alike. */
export async function requireLaunch(db: Store, actor: Actor, id: string, role: Role): Promise<LaunchRow> {
  const row = launchIdSchema.safeParse(id).success ? await launchById(db, id) : undefined;
  const have = row && (await roleOf(db, actor, row.entity_id));
  if (!row || have === undefined)
    throw new DavitError('not-found', `There is no launch "${id}" that this key may see.`);
  if (!roleIncludes(have, role))
    throw new DavitError('forbidden', `This needs the role ${role} in "${row.entity}"; this key has ${have}.`);
  return row;
}

/**
 * The launch, if the actor may change (or, with the role viewer, see) its place in line: a member of the entity whose queue it is;
 * `orInProject`: or of the entity that its run is to belong to. Whoever can neither see the launch nor work in its queue gets the answer of an unknown one.
 */
export async function requireInLine(
  db: Store,
  actor: Actor,
  id: string,
  { orInProject = false, role = 'member' }: { orInProject?: boolean; role?: Role } = {},
): Promise<LaunchRow> {
  const row = launchIdSchema.safeParse(id).success ? await launchById(db, id) : undefined;
  const inQueue = row && (await roleOf(db, actor, row.queue_entity_id));
  const inProject = row && (await roleOf(db, actor, row.entity_id));
  if (!row || (inQueue === undefined && inProject === undefined))
    throw new DavitError('not-found', `There is no launch "${id}" that this key may see.`);
  const counts = orInProject ? [inQueue, inProject] : [inQueue];
  if (!counts.some((have) => have !== undefined && roleIncludes(have, role)))
    throw new DavitError('forbidden', `This needs the role ${role} in "${row.queue_entity}", in whose queue it is.`);
  return row;
}

/**
 * May this actor enqueue this? It puts something into the queue and into the destination project, so it must be a member of both entities,
 * and it reads the job. Names are looked up by the admission afterwards; here only the entities matter.
 */
export async function requireMayEnqueue(
  db: Store,
  actor: Actor,
  request: LaunchRequest,
  defaultEntity: string,
): Promise<void> {
  const parts = request.queue.split('/');
  const queueEntity = parts.length === 2 ? (parts[0] ?? '') : (request.entity ?? defaultEntity);
  const destination = request.entity ?? queueEntity;
  const checked = new Set<string>();
  const check = async (entity: string, role: Role, code: ErrorCode, sentence: string) => {
    const key = `${entity} ${role}`;
    if (checked.has(key)) return;
    checked.add(key);
    await requireEntity(db, actor, entity, role).catch((error: unknown) => {
      throw error instanceof DavitError && error.code === 'not-found' ? new DavitError(code, sentence) : error;
    });
  };
  await check(queueEntity, 'member', 'unknown-queue', `There is no queue "${request.queue}" that this key may see.`);
  await check(destination, 'member', 'not-found', `There is no entity "${destination}" that this key may see.`);
  if (request.job === undefined) return;
  const job = parseJobReference(request.job, { entity: destination, project: request.project });
  if (job && job.entity !== destination)
    await check(job.entity, 'viewer', 'unknown-job', `There is no job "${request.job}" that this key may see.`);
}
