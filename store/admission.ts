import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { newLaunchId, newRunId } from '../domain/ids.js';
import { parseJobReference, versionIndexOf, type JobReference } from '../domain/job.js';
import type { LaunchRequest } from '../domain/launch-request.js';
import { mergeConfig, type ResolvedLaunch } from '../domain/resolved-launch.js';
import { defaultPriority, numberOfPriority, type TargetName } from '../domain/words.js';
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
  const entity = request.entity ?? queueEntity;
  const jobRef = parseJobReference(request.job, { entity, project: request.project });
  if (!jobRef) {
    const sentence = `"${request.job}" names no job: write project/name:alias, or give the launch a project.`;
    throw new DavitError('unknown-job', sentence);
  }
  const projectName = request.project ?? jobRef.project;
  const found = await lookUp(db, { queueEntity, queue: queueRef.name, job: jobRef, entity, project: projectName });
  const { queue, job } = found;
  if (!queue) throw new DavitError('unknown-queue', `Entity "${queueEntity}" has no queue "${queueRef.name}".`);
  if (!job) {
    const { entity: owner, project, name, alias } = jobRef;
    throw new DavitError('unknown-job', `There is no job "${owner}/${project}/${name}:${alias}".`);
  }
  if (found.entityId === null) throw new DavitError('not-found', `There is no entity "${entity}".`);
  const projectId = found.projectId ?? (await ensureProject(db, found.entityId, projectName)).id;

  const runName = request.runId ?? newRunId(randomBytes);
  const resolved: ResolvedLaunch = {
    entity,
    project: projectName,
    queueEntity,
    queue: queueRef.name,
    target: queue.target,
    job: {
      entity: jobRef.entity,
      project: jobRef.project,
      name: jobRef.name,
      version: `v${job.version}`,
      artifactId: job.artifactId,
    },
    runName,
    displayName: request.name,
    author: a.actorName,
    resourceConfig: mergeConfig(queue.resourceConfig, request.overrides?.resourceConfig ?? {}),
  };
  const launchId = a.byHand?.launchId ?? newLaunchId(Date.now(), randomBytes);
  const answer = await sql<{ answer: { launchId: string; created: boolean; conflict: boolean; inWindow?: boolean } }>`
    select line_enqueue(${launchId}, ${a.byHand?.workflowId ?? `launch/${launchId}`}, ${queue.id}::int, ${projectId}::int, ${a.actorName},
      ${numberOfPriority[request.priority ?? defaultPriority]}::smallint, ${runName}, ${job.artifactId}::int,
      ${JSON.stringify(request)}::jsonb, ${JSON.stringify(resolved)}::jsonb, ${request.requireRun ?? queue.requireRun},
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

interface Found {
  queue: { id: number; target: TargetName; requireRun: boolean; resourceConfig: Record<string, unknown> } | null;
  job: { artifactId: number; version: number } | null;
  entityId: number | null;
  projectId: number | null;
}

/** Everything an enqueue names, in one round trip: acceptance is what bursts of clients wait for. */
async function lookUp(
  db: Store,
  names: { queueEntity: string; queue: string; job: JobReference; entity: string; project: string },
): Promise<Found> {
  const { job } = names;
  const result = await sql<Found>`
    select
      (select jsonb_build_object('id', q.id, 'target', q.target, 'requireRun', q.require_run, 'resourceConfig', q.resource_config)
        from queue q join entity e on e.id = q.entity_id where e.name = ${names.queueEntity} and q.name = ${names.queue}) as queue,
      (select jsonb_build_object('artifactId', a.id, 'version', a.version_index)
        from artifact_collection c
          join project p on p.id = c.project_id join entity e on e.id = p.entity_id
          join artifact a on a.collection_id = c.id and a.state = 'COMMITTED'
        where e.name = ${job.entity} and p.name = ${job.project} and c.name = ${job.name} and c.type = 'job'
          and (a.version_index = ${versionIndexOf(job.alias) ?? null}::int
            or a.id = (select artifact_id from artifact_alias where collection_id = c.id and alias = ${job.alias}))
        limit 1) as job,
      (select id from entity where name = ${names.entity}) as "entityId",
      (select p.id from project p join entity e on e.id = p.entity_id
        where e.name = ${names.entity} and p.name = ${names.project}) as "projectId"`.execute(db);
  const row = result.rows[0];
  if (!row) throw new Error('a select without from answered nothing');
  return row;
}
