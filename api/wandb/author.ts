import { memberRole, userByName } from '../../store/entities.js';
import type { Context, ProjectScope } from './context.js';

/**
 * Whose run it becomes: the key's owner's, or that of the member of the entity for whom an administrator's key logs it (`WANDB_USERNAME`, as
 * programs set it that run on behalf of others). Anybody else's word for somebody is not taken.
 */
export async function authorOf(context: Context, scope: ProjectScope): Promise<number | undefined> {
  const { actor, db, request } = context;
  if (request.username === undefined || request.username === actor.username) return actor.userId;
  if (actor.kind !== 'user' || scope.role !== 'admin') return actor.userId;
  const user = await userByName(db, request.username);
  if (!user || (await memberRole(db, scope.entityId, user.id)) === undefined) return actor.userId;
  return user.id;
}
