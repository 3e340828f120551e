import { DavitError } from '../../domain/errors.js';
import { roleIncludes, type Role } from '../../domain/words.js';
import { entityById, entityByName } from '../../store/entities.js';
import { ensureProject, projectByName } from '../../store/projects.js';
import { audit } from '../../store/audit.js';
import type { Actor } from '../auth/authenticate.js';
import { roleOf } from '../auth/authorize.js';
import type { RunRow } from '../../store/runs.js';
import type { WandbDeps } from './deps.js';

/** What a resolver has: the parts, who asks, and by which address. */
export interface Context extends WandbDeps {
  actor: Actor;
  origin: string;
  request: RequestFacts;
}

/** What the request itself tells, beside its document. */
export interface RequestFacts {
  /** Time since it arrived. */
  ageMs: () => number;
  /** The client has hung up: nobody waits for the answer. */
  isAbandoned: () => boolean;
  /** Which process asks, when several write one run together. */
  writer?: string;
  /** The person that a service account works for. */
  username?: string;
}

export interface ProjectScope {
  id: number;
  name: string;
  description: string;
  createdAt: Date;
  entityId: number;
  entityName: string;
  entityKind: 'user' | 'team';
  role: Role;
}

/** A run and where it was found. Of a deleted one there is no more than its name. */
export type RunParent = RunRow & { scope: ProjectScope; deleted?: true };

/** The entity that is meant when none is named: the user's own, or the one that the key is bound to. */
export async function defaultEntity(context: Context): Promise<{ id: number; name: string }> {
  const { actor, db } = context;
  if (actor.homeEntity) return actor.homeEntity;
  const bound = actor.entityId === undefined ? undefined : await entityById(db, actor.entityId);
  if (!bound) throw new DavitError('forbidden', 'This key has no entity of its own: name one.');
  return bound;
}

export async function visibleEntity(
  context: Context,
  name: string | null | undefined,
): Promise<{ id: number; name: string; kind: 'user' | 'team'; role: Role } | undefined> {
  const found = name
    ? await entityByName(context.db, name)
    : await entityById(context.db, (await defaultEntity(context)).id);
  if (!found) return undefined;
  const role = await roleOf(context.db, context.actor, found.id);
  return role && { id: found.id, name: found.name, kind: found.kind, role };
}

/** Undefined when there is none, or none that this key may see: the two must look alike. */
export async function visibleProject(
  context: Context,
  entityName: string | null | undefined,
  name: string | null | undefined,
): Promise<ProjectScope | undefined> {
  const entity = await visibleEntity(context, entityName);
  if (!entity || !name) return undefined;
  const row = await projectByName(context.db, entity.id, name);
  if (!row || !(await keyReachesProject(context, row.id))) return undefined;
  return scopeOf(row, entity);
}

export const scopeOf = (
  row: { id: number; name: string; description: string; created_at: Date },
  entity: { id: number; name: string; kind: 'user' | 'team'; role: Role },
): ProjectScope => ({
  id: row.id,
  name: row.name,
  description: row.description,
  createdAt: row.created_at,
  entityId: entity.id,
  entityName: entity.name,
  entityKind: entity.kind,
  role: entity.role,
});

/** The project to write to, made when there is none. Throws sentences that the client prints as they are. */
export async function writableProject(
  context: Context,
  entityName: string | null | undefined,
  name: string,
): Promise<ProjectScope & { created: boolean }> {
  const { db, actor } = context;
  const entity = await visibleEntity(context, entityName);
  if (!entity) throw new DavitError('not-found', `There is no entity "${entityName ?? ''}" that this key may see.`);
  if (!roleIncludes(entity.role, 'member'))
    throw new DavitError(
      'forbidden',
      `Writing to "${entity.name}" needs the role member; this key has ${entity.role}.`,
    );
  let row = await projectByName(db, entity.id, name);
  // A job's key makes no projects: its own exists since the enqueue.
  if (actor.kind === 'run' && !(row && (await keyReachesProject(context, row.id))))
    throw new DavitError(
      'forbidden',
      `The key of a launch may only write to the project of its launch, not to "${name}".`,
    );
  if (row) return { ...scopeOf(row, entity), created: false };
  const created = await db.transaction().execute(async (tx) => {
    const made = await ensureProject(tx, entity.id, name);
    if (made.created)
      await audit(tx, { actor: actor.name, action: 'project.create', subject: `project/${entity.name}/${name}` });
    return made.created;
  });
  row = await projectByName(db, entity.id, name);
  if (!row) throw new Error(`project ${name} vanished while it was made`);
  return { ...scopeOf(row, entity), created };
}

/** A job's key reaches the project of its launch and no other. */
export async function keyReachesProject(context: Context, projectId: number): Promise<boolean> {
  const { actor, db } = context;
  if (actor.kind !== 'run') return true;
  if (actor.launchId === undefined) return false;
  const launch = await db.selectFrom('launch').select('project_id').where('id', '=', actor.launchId).executeTakeFirst();
  return launch?.project_id === projectId;
}

/** A job's key leaves the runs of other launches alone; runs of no launch (its own second one, say) it may write to. */
export function requireOwnLaunch({ actor }: Context, run: { name: string; launch_id: string | null }): void {
  if (actor.kind !== 'run' || run.launch_id === null || run.launch_id === actor.launchId) return;
  throw new DavitError('forbidden', `The run "${run.name}" belongs to another launch than this key.`);
}

export function requireWriter(role: Role, what: string): void {
  if (!roleIncludes(role, 'member'))
    throw new DavitError('forbidden', `${what} needs the role member; this key has ${role}.`);
}
