import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { newLaunchId, newRunId } from '../domain/ids.js';
import { parseJobReference, versionIndexOf } from '../domain/job.js';
import type { LaunchRequest } from '../domain/launch-request.js';
import { mergeConfig, type ResolvedLaunch } from '../domain/resolved-launch.js';
import { defaultPriority, numberOfPriority, type TargetName } from '../domain/words.js';
import { entityByName } from './entities.js';
import type { Store } from './open.js';
import { ensureProject } from './projects.js';

export interface Admission {
  request: LaunchRequest;
  /** Who asks: stored as the launch's author and part of the idempotency key's scope. */
  actorName: string;
  /** Entity of a queue or project named without one. */
  defaultEntity: string;
  idempotencyKey?: string | undefined;
  /** Only for a workflow started by hand: its id, and the launch id made from it, so that a repeated admit finds the same row. */
  byHand?: { workflowId: string; launchId: string } | undefined;
  relaunchOf?: string | undefined;
  /** Launches at the front of a line that have a workflow from the start. */
  windowSize: number;
}

export interface Admitted {
  launchId: string;
  created: boolean;
  queueId: number;
  entity: string;
  queue: string;
  /** Its workflow is to be started now; false: behind the window, later. */
  inWindow: boolean;
}

/** Looks everything up, fixes it, and puts the launch at the end of its priority. The launch is accepted when this returns. */
export async function admitLaunch(db: Store, a: Admission): Promise<Admitted> {
  const { request } = a;
  const queueRef = splitQueue(request.queue);
  const queueEntity = queueRef.entity ?? request.entity ?? a.defaultEntity;
  const queue = await findQueue(db, queueEntity, queueRef.name);
  const entity = request.entity ?? queueEntity;
  const job = await findJob(db, request.job, { entity, project: request.project });
  const projectName = request.project ?? job.project;
  const projectId = await projectOf(db, entity, projectName);

  const runName = request.runId ?? newRunId(randomBytes);
  const resolved: ResolvedLaunch = {
    entity,
    project: projectName,
    queueEntity,
    queue: queueRef.name,
    target: queue.target,
    job: {
      entity: job.entity,
      project: job.project,
      name: job.name,
      version: `v${job.version}`,
      artifactId: job.artifactId,
    },
    runName,
    displayName: request.name,
    author: a.actorName,
    resourceConfig: mergeConfig(queue.resource_config, request.overrides?.resourceConfig ?? {}),
  };
  const launchId = a.byHand?.launchId ?? newLaunchId(Date.now(), randomBytes);
  const answer = await sql<{ answer: { launchId: string; created: boolean; conflict: boolean; inWindow?: boolean } }>`
    select line_enqueue(${launchId}, ${a.byHand?.workflowId ?? `launch/${launchId}`}, ${queue.id}::int, ${projectId}::int, ${a.actorName},
      ${numberOfPriority[request.priority ?? defaultPriority]}::smallint, ${runName}, ${job.artifactId}::int,
      ${JSON.stringify(request)}::jsonb, ${JSON.stringify(resolved)}::jsonb, ${request.requireRun ?? queue.require_run},
      ${a.relaunchOf ?? null}, ${a.windowSize}::int, ${a.actorName}, ${a.idempotencyKey ?? null}, ${hashOf(request)}) as answer`.execute(
    db,
  );
  const row = answer.rows[0]?.answer;
  if (!row) throw new Error('line_enqueue answered nothing');
  if (row.conflict) throw new DavitError('idempotency-conflict');
  return {
    launchId: row.launchId,
    created: row.created,
    queueId: queue.id,
    entity: queueEntity,
    queue: queueRef.name,
    inWindow: row.inWindow ?? false,
  };
}

/** The same request gives the same text whatever the order of its keys. */
function hashOf(request: LaunchRequest): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.entries(value)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]);
  };
  return createHash('sha256')
    .update(JSON.stringify(sorted(request)))
    .digest('hex');
}

function splitQueue(ref: string): { entity: string | undefined; name: string } {
  const parts = ref.split('/');
  if (parts.length === 1 && parts[0]) return { entity: undefined, name: parts[0] };
  if (parts.length === 2 && parts[0] && parts[1]) return { entity: parts[0], name: parts[1] };
  throw new DavitError('unknown-queue', `"${ref}" is not a queue: write queue or entity/queue.`);
}

async function findQueue(db: Store, entity: string, name: string) {
  const queue = await db
    .selectFrom('queue')
    .innerJoin('entity', 'entity.id', 'queue.entity_id')
    .select(['queue.id', 'queue.target', 'queue.require_run', 'queue.resource_config'])
    .where('entity.name', '=', entity)
    .where('queue.name', '=', name)
    .executeTakeFirst();
  if (!queue) throw new DavitError('unknown-queue', `Entity "${entity}" has no queue "${name}".`);
  return queue as typeof queue & { target: TargetName };
}

interface FoundJob {
  artifactId: number;
  version: number;
  entity: string;
  project: string;
  name: string;
}

async function findJob(
  db: Store,
  text: string,
  home: { entity: string; project: string | undefined },
): Promise<FoundJob> {
  const ref = parseJobReference(text, home);
  if (!ref) {
    throw new DavitError(
      'unknown-job',
      `"${text}" names no job: write project/name:alias, or give the launch a project.`,
    );
  }
  const { entity, project, name, alias } = ref;
  const found = await sql<FoundJob>`
    select a.id as "artifactId", a.version_index as version, e.name as entity, p.name as project, c.name
    from artifact_collection c
      join project p on p.id = c.project_id join entity e on e.id = p.entity_id
      join artifact a on a.collection_id = c.id and a.state = 'COMMITTED'
    where e.name = ${entity} and p.name = ${project} and c.name = ${name} and c.type = 'job'
      and (a.version_index = ${versionIndexOf(alias) ?? null}::int
        or a.id = (select artifact_id from artifact_alias where collection_id = c.id and alias = ${alias}))
    limit 1`.execute(db);
  const job = found.rows[0];
  if (!job) throw new DavitError('unknown-job', `There is no job "${entity}/${project}/${name}:${alias}".`);
  return job;
}

async function projectOf(db: Store, entityName: string, name: string): Promise<number> {
  const entity = await entityByName(db, entityName);
  if (!entity) throw new DavitError('not-found', `There is no entity "${entityName}".`);
  return (await ensureProject(db, entity.id, name)).id;
}
