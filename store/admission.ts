import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { isCommit } from '../domain/git-remote.js';
import { newLaunchId, newRunId } from '../domain/ids.js';
import { checkInputs, type InputChecks } from '../domain/launch-inputs.js';
import { parseJobReference, versionIndexOf, type JobReference } from '../domain/job.js';
import type { LaunchRequest } from '../domain/launch-request.js';
import { canonicalLabels, type Labels } from '../domain/requirements.js';
import { resourceConfigOf, templateError, type TemplateVariables } from '../domain/resource-config.js';
import type { ResolvedLaunch } from '../domain/resolved-launch.js';
import type { RetryPolicy, Timeouts } from '../domain/retry-policy.js';
import { defaultPriority, numberOfPriority, type Priority, type TargetName } from '../domain/words.js';
import { audit } from './audit.js';
import { secretsAtEnqueue } from './launch-secrets.js';
import { gitSecretOf, parsedMetadata } from './job-create.js';
import { refusing } from './line-operations.js';
import type { Store } from './open.js';
import { ensureProject } from './projects.js';
import { inTransaction } from './transaction.js';

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
  /** The bulk that relaunches it. */
  bulk?: string | undefined;
  /** The trace that the launch is to be a part of. */
  traceparent?: string | undefined;
  /** The commit that the request's branch or tag was, found out before: the store asks no other machine. */
  git?: GitPin | undefined;
  /** Launches at the front of a line that have a workflow from the start. */
  windowSize: number;
}

export interface GitPin {
  ref: string;
  commit: string;
}

export interface Admitted {
  launchId: string;
  created: boolean;
  queueId: number;
  entity: string;
  queue: string;
  /** Hash of the labels that it requires of its agent; empty: none. */
  class: string;
  /** Its workflow is to be started now; false: behind the window, later. */
  inWindow: boolean;
  /** What was accepted all the same. */
  warnings: string[];
}

/** What a request means when its names are looked up: what an enqueue stores and a dry run shows. */
export interface ResolvedAdmission {
  queue: QueueFound;
  entityId: number;
  /** Null: it comes into being with the launch. */
  projectId: number | null;
  resolved: ResolvedLaunch;
  priority: Priority;
  requires: Labels;
  requireRun: boolean;
  timeouts: Timeouts;
}

/** Looks everything up and fixes it, in one round trip; changes nothing. Throws what makes the request impossible. */
export async function resolveAdmission(
  db: Store,
  a: Pick<Admission, 'request' | 'actorName' | 'defaultEntity' | 'traceparent' | 'git'>,
): Promise<ResolvedAdmission> {
  const { request } = a;
  const { overrides } = request;
  const { queue: queueRef, job: jobRef, entity, project } = namesOf(request, a.defaultEntity);
  const found = await lookUp(db, { queueEntity: queueRef.entity, queue: queueRef.name, job: jobRef, entity, project });
  const { queue, job } = found;
  if (!queue) throw new DavitError('unknown-queue', `Entity "${queueRef.entity}" has no queue "${queueRef.name}".`);
  if (jobRef && !job) {
    const { entity: owner, project: place, name, alias } = jobRef;
    throw new DavitError('unknown-job', `There is no job "${owner}/${place}/${name}:${alias}".`);
  }
  if (found.entityId === null) throw new DavitError('not-found', `There is no entity "${entity}".`);
  const metadata = parsedMetadata(job?.metadata ?? '{}');
  const gitSecret = gitSecretOf(metadata);
  const secrets = await secretsAtEnqueue(db, queue, request.overrides?.secrets, gitSecret);
  const git = pinned(overrides?.ref, a.git);
  const { resourceConfig, errors, warnings } = resourceConfigOf({
    queue: queue.resourceConfig,
    variables: queue.templateVariables,
    values: request.templateVariables,
    launch: overrides?.resourceConfig,
  });
  if (errors.length > 0) throw templateError(errors);
  const doubts = checkInputs({ metadata, overrides, checks: queue.inputs });
  const allWarnings = [...warnings, ...doubts];
  return {
    queue,
    entityId: found.entityId,
    projectId: found.projectId,
    resolved: {
      entity,
      project,
      queueEntity: queueRef.entity,
      queue: queueRef.name,
      target: queue.target,
      ...(jobRef && job
        ? {
            job: {
              entity: jobRef.entity,
              project: jobRef.project,
              name: jobRef.name,
              version: `v${job.version}`,
              artifactId: job.artifactId,
            },
          }
        : {}),
      ...(request.image === undefined ? {} : { image: request.image }),
      ...(git === undefined ? {} : { git }),
      runName: request.runId ?? newRunId(randomBytes),
      displayName: request.name,
      author: a.actorName,
      traceparent: a.traceparent,
      resourceConfig,
      ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
      ...(gitSecret === undefined ? {} : { gitSecret }),
      ...(allWarnings.length === 0 ? {} : { warnings: allWarnings }),
    },
    priority: request.priority ?? defaultPriority,
    requires: request.requires ?? {},
    requireRun: request.requireRun ?? queue.requireRun,
    timeouts: { ...queue.timeouts, ...request.timeouts },
  };
}

/** Which things a request names, and where it wants to go. */
export function namesOf(request: LaunchRequest, defaultEntity: string) {
  const queueRef = splitQueue(request.queue);
  const queueEntity = queueRef.entity ?? request.entity ?? defaultEntity;
  const entity = request.entity ?? queueEntity;
  const queue = { entity: queueEntity, name: queueRef.name };
  if (request.job === undefined) {
    if (request.project !== undefined) return { queue, job: undefined, entity, project: request.project };
    const message = 'is needed: an image has no project of its own';
    throw new DavitError('invalid-request', `project ${message}.`, { errors: [{ path: 'project', message }] });
  }
  const job = parseJobReference(request.job, { entity, project: request.project });
  if (job) return { queue, job, entity, project: request.project ?? job.project };
  const sentence = `"${request.job}" names no job: write project/name:alias, or give the launch a project.`;
  throw new DavitError('unknown-job', sentence);
}

function pinned(ref: string | undefined, found: GitPin | undefined): GitPin | undefined {
  if (ref === undefined) return undefined;
  if (isCommit(ref)) return { ref, commit: ref };
  if (found?.ref === ref) return found;
  const message = 'only a whole commit can be named here: branches and tags are looked up by the API';
  throw new DavitError('invalid-request', `overrides.ref: ${message}.`, {
    errors: [{ path: 'overrides.ref', message }],
  });
}

/** Puts the launch at the end of its priority. It is accepted when this returns. */
export async function admitLaunch(db: Store, a: Admission): Promise<Admitted> {
  const { request } = a;
  const { queue, resolved, priority, requires, requireRun, timeouts, ...found } = await resolveAdmission(db, a);
  const projectId = found.projectId ?? (await ensureProject(db, found.entityId, resolved.project)).id;
  const launchId = a.byHand?.launchId ?? newLaunchId(Date.now(), randomBytes);
  const lineClass = classOf(requires);
  const ask = sql<{ answer: { launchId: string; created: boolean; conflict: boolean; inWindow?: boolean } }>`
    select line_enqueue(${launchId}, ${a.byHand?.workflowId ?? `launch/${launchId}`}, ${queue.id}::int, ${projectId}::int, ${a.actorName},
      ${numberOfPriority[priority]}::smallint, ${resolved.runName}, ${resolved.job?.artifactId ?? null}::int,
      ${JSON.stringify(request)}::jsonb, ${JSON.stringify(resolved)}::jsonb, ${requireRun},
      ${a.relaunchOf ?? null}, ${a.windowSize}::int, ${a.actorName}, ${a.idempotencyKey ?? null}, ${hashOf(request)},
      ${lineClass}, ${JSON.stringify(requires)}::jsonb, ${request.hold ?? false}, ${request.ttlMs ?? null}::bigint,
      ${request.retry ? JSON.stringify(request.retry) : null}::jsonb,
      ${Object.keys(timeouts).length > 0 ? JSON.stringify(timeouts) : null}::jsonb) as answer`;
  const answer = await refusing(async () => {
    const { relaunchOf, bulk } = a;
    if (relaunchOf === undefined) return ask.execute(db);
    return inTransaction(db, async (tx) => {
      if (bulk !== undefined) await sql`select set_config('davit.bulk', ${bulk}, true)`.execute(tx);
      const accepted = await ask.execute(tx);
      const { actorName: actor } = a;
      if (accepted.rows[0]?.answer.created)
        await audit(tx, { actor, action: 'launch.relaunch', subject: `launch/${launchId}`, data: { of: relaunchOf } });
      return accepted;
    });
  });
  const row = answer.rows[0]?.answer;
  if (!row) throw new Error('line_enqueue answered nothing');
  if (row.conflict) throw new DavitError('idempotency-conflict');
  return {
    launchId: row.launchId,
    created: row.created,
    queueId: queue.id,
    entity: resolved.queueEntity,
    queue: resolved.queue,
    class: lineClass,
    inWindow: row.inWindow ?? false,
    warnings: resolved.warnings ?? [],
  };
}

/** Which line of its queue a launch stands in: short, because it is part of a task queue's name. */
const classOf = (requires: Labels): string => {
  const text = canonicalLabels(requires);
  return text === '' ? '' : createHash('sha256').update(text).digest('hex').slice(0, 12);
};

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

export interface QueueFound {
  id: number;
  target: TargetName;
  requireRun: boolean;
  resourceConfig: Record<string, unknown>;
  templateVariables: TemplateVariables;
  inputs: InputChecks;
  timeouts: Timeouts | null;
  retry: RetryPolicy | null;
  ttlMs: number | null;
  draining: boolean;
  priorities: boolean;
  maxWaiting: number | null;
  entityId: number;
  secrets: string[];
  secretVariables: Record<string, string>;
}

interface Found {
  queue: QueueFound | null;
  /** `metadata` only when it says something of inputs, or of a secret. */
  job: { artifactId: number; version: number; metadata: string | null } | null;
  entityId: number | null;
  projectId: number | null;
}

/** Everything an enqueue names, in one round trip: acceptance is what bursts of clients wait for. */
async function lookUp(
  db: Store,
  names: { queueEntity: string; queue: string; job: JobReference | undefined; entity: string; project: string },
): Promise<Found> {
  const job = names.job ?? { entity: '', project: '', name: '', alias: '' };
  const result = await sql<Found>`
    select
      (select jsonb_build_object('id', q.id, 'target', q.target, 'requireRun', q.require_run, 'resourceConfig', q.resource_config,
          'templateVariables', q.template_variables, 'inputs', q.inputs,
          'timeouts', q.timeouts, 'retry', q.retry, 'ttlMs', q.ttl_ms, 'draining', q.draining, 'priorities', q.priorities,
          'maxWaiting', q.max_waiting, 'entityId', q.entity_id, 'secrets', q.secrets, 'secretVariables', q.secret_variables)
        from queue q join entity e on e.id = q.entity_id where e.name = ${names.queueEntity} and q.name = ${names.queue}
          and q.deleted_at is null) as queue,
      (select jsonb_build_object('artifactId', a.id, 'version', a.version_index,
          'metadata', case when a.metadata ~ 'input_schemas|git_credentials' then a.metadata end)
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
