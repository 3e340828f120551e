import { sql } from 'kysely';
import { DavitError, isErrorCode, type Failure } from '../domain/errors.js';
import type { LaunchRequest } from '../domain/launch-request.js';
import { resourceConfigOf, templateError, type TemplateVariables } from '../domain/resource-config.js';
import type { ResolvedLaunch } from '../domain/resolved-launch.js';
import { numberOfPriority, type HoldCause, type LaunchState, type Priority } from '../domain/words.js';
import { secretsAtEnqueue } from './launch-secrets.js';
import type { Store } from './open.js';

/**
 * What people do with waiting launches (migration 0003). Each is one transaction under the line's lock, against a claim that is just happening:
 * either the launch waited and the change holds, or it was taken, and the answer says so.
 */
export type LineAnswer =
  | { outcome: 'done'; /** Null: held. */ position: number | null; held: boolean }
  | { outcome: 'not-waiting'; state: LaunchState; agentId: string | null };

export interface Hold {
  by: string;
  cause: HoldCause;
  /** A sentence for people. */
  reason?: string | undefined;
  /** A sweep releases it then. Default: somebody does. */
  releaseAt?: Date | undefined;
}

export const hold = (db: Store, launchId: string, h: Hold): Promise<LineAnswer> =>
  answerOf(
    db,
    sql`line_hold(${launchId}, ${h.by}, ${h.cause}, ${h.reason ?? null}, ${h.releaseAt ?? null}::timestamptz)`,
  );

export const release = (db: Store, launchId: string, by: string): Promise<LineAnswer> =>
  answerOf(db, sql`line_release(${launchId}, ${by})`);

/** Within the launch's own priority. */
export type Place = { to: 'front' | 'back' } | { before: string } | { after: string };

export function move(db: Store, launchId: string, place: Place, by: string): Promise<LineAnswer> {
  const [to, other] =
    'to' in place ? [place.to, null] : 'before' in place ? ['before', place.before] : ['after', place.after];
  return answerOf(db, sql`line_move(${launchId}, ${to}, ${other}, ${by})`);
}

export const reprioritise = (db: Store, launchId: string, priority: Priority, by: string): Promise<LineAnswer> =>
  answerOf(db, sql`line_reprioritise(${launchId}, ${numberOfPriority[priority]}::smallint, ${by})`);

/** To the end of its priority in another queue of the same target; resource config and `requireRun` become those of that queue. */
export async function transfer(db: Store, launchId: string, queueId: number, by: string): Promise<LineAnswer> {
  const launch = await db
    .selectFrom('launch')
    .select(['spec', 'request'])
    .where('id', '=', launchId)
    .executeTakeFirst();
  if (!launch) throw new DavitError('not-found', `There is no launch ${launchId}.`);
  const queue = await db
    .selectFrom('queue')
    .innerJoin('entity', 'entity.id', 'queue.entity_id')
    .select([...columnsOfAsIn, 'queue.entity_id as entityId', 'queue.secrets'])
    .where('queue.id', '=', queueId)
    .executeTakeFirst();
  if (!queue) throw new DavitError('unknown-queue');
  const { spec, request: before } = launch;
  const allowed = { ...queue, secretVariables: queue.secret_variables };
  await secretsAtEnqueue(db, allowed, spec.overrides?.secrets, before.gitSecret);
  const { request, requireRun } = asIn(queue, launch);
  return answerOf(
    db,
    sql`line_transfer(${launchId}, ${queueId}::int, ${JSON.stringify(request)}::jsonb, ${requireRun}, ${by})`,
  );
}

/** Of a queue and its entity: what `asIn` needs to know. */
export const columnsOfAsIn = [
  'queue.name',
  'entity.name as entity',
  'queue.resource_config',
  'queue.template_variables',
  'queue.require_run',
  'queue.secret_variables',
] as const;

/**
 * What a launch becomes in this queue: the queue's resource config and word on runs under what the launch itself says. Throws when its values
 * of template variables do not fit those of this queue.
 */
export function asIn(
  queue: {
    entity: string;
    name: string;
    resource_config: Record<string, unknown>;
    template_variables: TemplateVariables;
    require_run: boolean;
    secret_variables: Record<string, string>;
  },
  launch: { spec: LaunchRequest; request: ResolvedLaunch },
): { request: ResolvedLaunch; requireRun: boolean } {
  const { resourceConfig, errors } = resourceConfigOf({
    queue: queue.resource_config,
    variables: queue.template_variables,
    values: launch.spec.templateVariables,
    launch: launch.spec.overrides?.resourceConfig,
  });
  if (errors.length > 0) throw templateError(errors);
  return {
    request: {
      ...launch.request,
      queueEntity: queue.entity,
      queue: queue.name,
      resourceConfig,
      // Whether the queue allows them is asked again when they are given.
      secrets: { ...queue.secret_variables, ...launch.spec.overrides?.secrets },
    },
    requireRun: launch.spec.requireRun ?? queue.require_run,
  };
}

/** Ends a launch that still waits. False: it does not wait any more. */
export async function endWaiting(db: Store, launchId: string, by: string, why: Failure): Promise<boolean> {
  const result = await sql<{ state: string | null }>`
    select line_end_waiting(${launchId}, ${by}, ${JSON.stringify(why)}::jsonb) as state`.execute(db);
  return result.rows[0]?.state != null;
}

/** Held launches whose time has come. */
export const dueForRelease = (db: Store, limit: number) =>
  db
    .selectFrom('launch')
    .select(['id', 'queue_id'])
    .where('state', '=', 'queued')
    .where('release_at', '<=', sql<Date>`clock_timestamp()`)
    .orderBy('release_at')
    .limit(limit)
    .execute();

/** Waiting launches whose time-to-live is over. */
export const expired = (db: Store, limit: number) =>
  db
    .selectFrom('launch')
    .select(['id', 'queue_id', 'expires_at', 'created_at'])
    .where('state', '=', 'queued')
    .where('expires_at', '<=', sql<Date>`clock_timestamp()`)
    .orderBy('expires_at')
    .limit(limit)
    .execute();

async function answerOf(db: Store, call: ReturnType<typeof sql>): Promise<LineAnswer> {
  const row = await refusing(
    async () => (await sql<{ answer: LineAnswer }>`select ${call} as answer`.execute(db)).rows[0],
  );
  if (!row) throw new Error('a function of the line answered nothing');
  return row.answer;
}

/** Functions of the line refuse by an error of their own class, whose message is a code of the catalogue. */
export async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    if (code === 'DV001' && message !== undefined && isErrorCode(message)) throw new DavitError(message);
    throw error;
  }
}
