import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { inputChecksSchema } from '../../domain/launch-inputs.js';
import { templateVariablesSchema } from '../../domain/resource-config.js';
import { retryPolicySchema, timeoutsSchema } from '../../domain/retry-policy.js';
import { secretNameSchema, secretVariablesSchema } from '../../domain/secrets.js';
import { disciplineSchema, targetNameSchema, type Role } from '../../domain/words.js';
import type { Store } from '../../store/open.js';
import { countsOfQueues, projectsOfQueues, queueByName, type QueueCounts, type QueueRow } from '../../store/queues.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity } from '../auth/authorize.js';
import { etagOf } from './etag.js';
import { maybeTime, timeOf, timeSchema } from './schemas.js';

const configSchema = z.record(z.string(), z.unknown());
const limit = z.int().min(0).max(1_000_000_000);
const projectName = z
  .string()
  .max(129)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(\/[A-Za-z0-9][A-Za-z0-9_.-]{0,63})?$/, 'write project or entity/project');

/** What an admin may say about a queue, at its making and later. Null: no limit, nothing of the queue's own. */
export const queueSettings = {
  description: z.string().max(10_000).optional(),
  requireRun: z.boolean().optional(),
  resourceConfig: configSchema
    .optional()
    .describe('Replaces the whole of it. `{{name}}` stands for a template variable, `${run_id}` for a macro.'),
  templateVariables: templateVariablesSchema
    .optional()
    .describe(
      'What a launch may choose: name -> {"schema": {"type", "enum", "minimum", "maximum", "default"}}. Replaces all of them.',
    ),
  inputs: inputChecksSchema
    .optional()
    .describe('What to do with a launch whose inputs do not fit the input schema of its job: refuse it, or only warn.'),
  priorities: z.boolean().optional().describe('False: launches of another priority than medium are refused.'),
  discipline: disciplineSchema
    .optional()
    .describe('fair: within a priority, the project that runs the fewest launches (by weight) comes first.'),
  maxRunning: limit.nullable().optional().describe('Launches that hold a slot, over all agents.'),
  maxRunningPerProject: limit.nullable().optional(),
  maxWaiting: limit.nullable().optional().describe('More than so many that wait, held ones included, are refused.'),
  ttlMs: z
    .int()
    .min(1_000)
    .max(365 * 24 * 3600_000)
    .nullable()
    .optional()
    .describe('A launch that waits longer is stopped, unless it says otherwise itself.'),
  retry: retryPolicySchema.nullable().optional(),
  timeouts: timeoutsSchema.nullable().optional(),
  secrets: z
    .array(secretNameSchema)
    .max(1_000)
    .optional()
    .describe('Names of secrets of its entity that its launches may use; replaces the whole list. Default: none.'),
  secretVariables: secretVariablesSchema
    .optional()
    .describe('Given to every job: variable to name of a secret, which is thereby allowed. Replaces the whole of it.'),
  projects: z
    .array(
      z.strictObject({
        project: projectName.describe('Without entity: one of the entity that owns the queue; made if there is none.'),
        maxRunning: limit.nullable().optional().describe("Instead of the queue's maxRunningPerProject."),
        weight: z.number().min(0.001).max(1_000_000).optional().describe('Of a fair queue; default 1.'),
      }),
    )
    .max(1_000)
    .optional()
    .describe('What single projects may do; replaces the whole list.'),
};

export const queueSchema = z
  .object({
    entity: z.string(),
    name: z.string(),
    target: targetNameSchema,
    description: z.string(),
    paused: z.boolean().describe('Nothing is handed out; what runs goes on.'),
    pausedBy: z.string().nullable(),
    pausedAt: timeSchema.nullable(),
    pauseReason: z.string().nullable(),
    draining: z.boolean().describe('New launches are refused.'),
    drainedBy: z.string().nullable(),
    drainedAt: timeSchema.nullable(),
    drainReason: z.string().nullable(),
    requireRun: z.boolean().describe('A job that never calls wandb.init fails.'),
    resourceConfig: configSchema.describe('Parameters for the target that every launch of this queue gets.'),
    templateVariables: configSchema.describe('What a launch may choose, by name.'),
    inputs: inputChecksSchema,
    priorities: z.boolean(),
    discipline: disciplineSchema,
    maxRunning: z.int().nullable(),
    maxRunningPerProject: z.int().nullable(),
    maxWaiting: z.int().nullable(),
    ttlMs: z.int().nullable(),
    retry: configSchema.nullable(),
    timeouts: configSchema.nullable(),
    secrets: z.array(z.string()).describe('Names of secrets that its launches may use.'),
    secretVariables: z.record(z.string(), z.string()).describe('Given to every job: variable to name of a secret.'),
    projects: z.array(
      z.object({ project: z.string().describe('entity/project'), maxRunning: z.int().nullable(), weight: z.number() }),
    ),
    waiting: z.int().describe('Launches in line.'),
    held: z.int().describe('Launches that wait and are passed over until they are released.'),
    running: z.int().describe('Launches that an agent holds.'),
    oldestWaitingMs: z
      .int()
      .nullable()
      .describe('For how long the oldest waits of those that are first in line in their priority.'),
    agents: z.int().describe('Active agents that serve it.'),
    createdBy: z.string(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Queue' });

type QueueDocument = z.input<typeof queueSchema>;

/** The documents of queues, with what is counted for them. */
export async function toQueues(db: Store, rows: readonly QueueRow[]): Promise<(row: QueueRow) => QueueDocument> {
  const ids = rows.map(({ id }) => id);
  const [counts, projects] = [await countsOfQueues(db, ids), await projectsOfQueues(db, ids)];
  return (row) =>
    toQueue(
      row,
      counts.get(row.id),
      projects
        .filter(({ queue_id }) => queue_id === row.id)
        .map(({ entity, project, max_running, weight }) => ({
          project: `${entity}/${project}`,
          maxRunning: max_running,
          weight,
        })),
    );
}

export const queueDocument = async (db: Store, row: QueueRow): Promise<QueueDocument> =>
  (await toQueues(db, [row]))(row);

const toQueue = (
  row: QueueRow,
  counts: QueueCounts | undefined,
  projects: QueueDocument['projects'],
): QueueDocument => ({
  entity: row.entity,
  name: row.name,
  target: row.target,
  description: row.description,
  paused: row.paused,
  pausedBy: row.paused_by,
  pausedAt: maybeTime(row.paused_at),
  pauseReason: row.pause_reason,
  draining: row.draining,
  drainedBy: row.drained_by,
  drainedAt: maybeTime(row.drained_at),
  drainReason: row.drain_reason,
  requireRun: row.require_run,
  resourceConfig: row.resource_config,
  templateVariables: row.template_variables,
  inputs: row.inputs,
  priorities: row.priorities,
  discipline: row.discipline,
  maxRunning: row.max_running,
  maxRunningPerProject: row.max_running_per_project,
  maxWaiting: row.max_waiting,
  ttlMs: row.ttl_ms,
  retry: row.retry && { ...row.retry },
  timeouts: row.timeouts && { ...row.timeouts },
  secrets: row.secrets,
  secretVariables: row.secret_variables,
  projects,
  waiting: counts?.waiting ?? 0,
  held: counts?.held ?? 0,
  running: counts?.running ?? 0,
  oldestWaitingMs: counts?.oldestWaitingMs == null ? null : Math.round(counts.oldestWaitingMs),
  agents: counts?.agents ?? 0,
  createdBy: row.created_by,
  createdAt: timeOf(row.created_at),
  updatedAt: timeOf(row.updated_at),
});

/** Of what an admin may change; not of what is counted. */
export const queueEtag = (queue: QueueDocument): string =>
  etagOf({ ...queue, waiting: 0, held: 0, running: 0, oldestWaitingMs: null, agents: 0, updatedAt: '' });

export const queueParams = z.strictObject({ entity: nameSchema, queue: nameSchema });

/** An unknown queue answers `unknown-queue`, whether or not its entity may be seen. */
export async function requireQueue(
  db: Store,
  actor: Actor,
  params: z.infer<typeof queueParams>,
  role: Role,
): Promise<QueueRow> {
  const unknown = new DavitError(
    'unknown-queue',
    `There is no queue "${params.entity}/${params.queue}" that this key may see.`,
  );
  const entity = await requireEntity(db, actor, params.entity, role).catch((error: unknown) => {
    throw error instanceof DavitError && error.code === 'not-found' ? unknown : error;
  });
  const queue = await queueByName(db, entity.id, params.queue);
  if (!queue) throw unknown;
  return queue;
}

/** `queue` or `entity/queue`, as a person writes it. */
export function requireQueueNamed(
  db: Store,
  actor: Actor,
  reference: string,
  defaultEntity: string,
  role: Role,
): Promise<QueueRow> {
  const [first = '', second] = reference.split('/');
  const params = second === undefined ? { entity: defaultEntity, queue: first } : { entity: first, queue: second };
  return requireQueue(db, actor, params, role);
}
