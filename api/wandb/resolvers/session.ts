import { listEntities, userById } from '../../../store/entities.js';
import type { Store } from '../../../store/open.js';
import { defaultEntity, visibleEntity, type Context } from '../context.js';
import { entityGlobalId, userGlobalId } from '../ids.js';
import { apiKeysOf } from './users.js';

interface EntityParent {
  id: number;
  name: string;
  kind: 'user' | 'team';
}

/** What the client may ask about; a name that is not here counts as off. */
const features: Record<string, boolean> = {
  STRUCTURED_CONSOLE_LOGS: true,
  MARK_RUN_FILES_UPLOADED: true,
  CLIENT_IDS: true,
  ARTIFACT_TAGS: true,
  ARTIFACT_COLLECTION_MEMBERSHIP_FILES: true,
  ARTIFACT_COLLECTION_MEMBERSHIP_FILE_DOWNLOAD_HANDLER: true,
  PROJECT_ARTIFACT_COLLECTION_MEMBERSHIP: true,
  ARTIFACT_MEMBERSHIP_IN_LINK_ARTIFACT_RESPONSE: true,
  TOTAL_COUNT_IN_FILE_CONNECTION: true,
  ARTIFACT_COLLECTIONS_FILTERING_SORTING: true,
  ARTIFACT_V2_DOWNLOAD_HANDLER_SUPPORTS_ARTIFACT_ID: true,
  LARGE_FILENAMES: true,
  SWEEPS_QUERY_FILTERING: true,
  SWEEPS_LOCAL_SCHEDULER: true,
  ARTIFACT_REGISTRY_SEARCH: true,
  INCLUDE_ARTIFACT_TYPES_IN_REGISTRY_CREATION: true,
};

/** Teams shown with the viewer; somebody in more of them lists entities by REST. */
const shownTeams = 200;

export const sessionResolvers = {
  Query: {
    viewer: (_: unknown, __: unknown, context: Context) => viewer(context),
    serverInfo: () => ({
      // Every client is welcome; one below 0.12.14 in max_cli_version would log media the old, blocking way.
      cliVersionInfo: { min_cli_version: '0.10.0', max_cli_version: '99.0.0' },
      latestLocalVersionInfo: null,
      features: Object.entries(features).map(([name, isEnabled]) => ({ name, isEnabled })),
    }),
    entity: async (_: unknown, args: { name?: string | null }, context: Context) =>
      (await visibleEntity(context, args.name)) ?? null,
  },
  Entity: {
    id: (entity: EntityParent) => entityGlobalId(entity.id),
    isTeam: (entity: EntityParent) => entity.kind === 'team',
  },
};

async function viewer(context: Context) {
  const { actor, db } = context;
  const user = actor.userId === undefined ? undefined : await userById(db, actor.userId);
  const username = user?.username ?? actor.name;
  const home = await defaultEntity(context).catch(() => undefined);
  return {
    id: userGlobalId(user?.id ?? 0),
    name: user?.display_name || username,
    username,
    email: user?.email ?? '',
    // As the key acts, not as its owner could.
    admin: actor.isAdmin,
    flags: '{}',
    entity: home?.name ?? username,
    photoUrl: null,
    deletedAt: null,
    apiKeys: () => (user ? apiKeysOf(user.id, context) : { edges: [] }),
    teams: async () => ({ edges: (await entitiesOf(db, context)).map((node) => ({ node })) }),
  };
}

/** Those that the key may see, the user's own among them. */
export async function entitiesOf(db: Store, context: Context): Promise<EntityParent[]> {
  const { actor } = context;
  if (actor.kind === 'user' && actor.userId !== undefined)
    return listEntities(db, { userId: actor.userId, isAdmin: actor.isAdmin }, { limit: shownTeams });
  const own = await visibleEntity(context, null);
  return own ? [own] : [];
}

/** A user as others see it: beside a run or a project. */
export function shownUser(row: { user_id: number | null; username: string | null; user_display_name: string | null }) {
  if (row.user_id === null || row.username === null) return null;
  return {
    id: userGlobalId(row.user_id),
    name: row.user_display_name || row.username,
    username: row.username,
    email: null,
    admin: null,
    flags: '{}',
    entity: row.username,
    photoUrl: null,
    deletedAt: null,
    apiKeys: { edges: [] },
    teams: { edges: [] },
  };
}
