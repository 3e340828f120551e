import { z } from 'zod';
import { sentenceOf } from '../../domain/event-sentence.js';
import { imageUses } from '../../domain/image-in-use.js';
import { launchRequestSchema } from '../../domain/launch-request.js';
import {
  holdCauses,
  launchStateSchema,
  priorityOfNumber,
  prioritySchema,
  targetNameSchema,
} from '../../domain/words.js';
import type { listEvents } from '../../store/launch-events.js';
import type { LaunchRow } from '../../store/launches.js';
import { maybeTime, timeOf, timeSchema } from './schemas.js';

export const launchRequestBody = launchRequestSchema.meta({ id: 'LaunchRequest' });

export const failureSchema = z
  .object({
    code: z.string(),
    stage: z.enum(['enqueue', 'claim', 'prepare', 'submit', 'run']),
    fault: z.enum(['user', 'target', 'platform']),
    message: z.string(),
    fix: z.string(),
  })
  .meta({ id: 'Failure' });

export const launchSchema = z
  .object({
    id: z.string(),
    entity: z.string().describe('Of the project.'),
    project: z.string(),
    queue: z.object({ entity: z.string(), name: z.string() }),
    target: targetNameSchema,
    job: z.string().describe('As it was asked for; the image, when there is no job.'),
    jobVersion: z.string().nullable().describe('The version that the alias meant at enqueue: name:vN.'),
    author: z.string(),
    state: launchStateSchema,
    reason: z.string().nullable().describe('Why it is in this state, when there is something to say.'),
    priority: prioritySchema,
    held: z.boolean(),
    hold: z
      .object({
        cause: z.enum(holdCauses),
        by: z.string().nullable(),
        reason: z.string().nullable(),
        releaseAt: timeSchema.nullable().describe('It is released by itself then.'),
      })
      .nullable()
      .describe('Why it is passed over while it waits.'),
    requires: z.record(z.string(), z.string()).describe('Labels that its agent must have.'),
    expiresAt: timeSchema.nullable().describe('If it waits until then, it is stopped.'),
    attempt: z.int(),
    retries: z.record(z.string(), z.int()).describe('Cause -> how often it was tried again for it.'),
    deadline: z
      .object({ code: z.string(), at: timeSchema })
      .nullable()
      .describe('The time-out that comes next: the code of the failure that it leads to.'),
    epoch: z.int().describe('How many claims it has had.'),
    agent: z.string().nullable(),
    node: z.string().nullable(),
    runName: z.string().describe('Id of its run, fixed at enqueue.'),
    requireRun: z.boolean(),
    exitCode: z.int().nullable(),
    failure: failureSchema.nullable(),
    cancelRequestedAt: timeSchema.nullable(),
    cancelledBy: z.string().nullable(),
    relaunchOf: z.string().nullable(),
    createdAt: timeSchema,
    claimedAt: timeSchema.nullable(),
    startedAt: timeSchema.nullable(),
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Launch' });

export const eventSchema = z
  .object({
    key: z.string().describe('Unique in the launch: writer and number.'),
    at: timeSchema,
    type: z.string(),
    sentence: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'LaunchEvent' });

export const launchDetailSchema = launchSchema
  .extend({
    position: z.int().nullable().describe('Place in line, 1 = next; null when it does not wait.'),
    waiting: z
      .string()
      .nullable()
      .describe('The main reason why it waits, with the next step; /launches/{id}/waiting has all of them.'),
    request: z.record(z.string(), z.unknown()).describe('What was asked for.'),
    resolved: z.record(z.string(), z.unknown()).describe('The same with names looked up and defaults filled in.'),
    plan: z.record(z.string(), z.unknown()).nullable().describe('What the target was asked to run.'),
    image: z
      .object({
        image: z.string().describe('repository@sha256:… where a registry has it; else its id on the Engine.'),
        name: z.string().describe('As it was asked for or built: repository:tag.'),
        use: z.enum(imageUses).describe('image: it is the job. base: code was brought to it. built: made of the code.'),
      })
      .nullable()
      .describe('What it runs in; null while that is not known, and where no image is used.'),
    run: z
      .object({ name: z.string(), displayName: z.string(), state: z.string(), url: z.string() })
      .nullable()
      .describe('Null until the job has called wandb.init.'),
    timeline: z.array(eventSchema),
  })
  .meta({ id: 'LaunchDetail' });

export const toLaunch = (row: LaunchRow): z.input<typeof launchSchema> => ({
  id: row.id,
  entity: row.entity,
  project: row.project,
  queue: { entity: row.queue_entity, name: row.queue },
  target: row.target,
  job: row.spec.job ?? row.spec.image ?? '',
  jobVersion: row.job_name === null || row.job_version === null ? null : `${row.job_name}:v${row.job_version}`,
  author: row.author,
  state: row.state,
  reason: row.reason,
  priority: priorityOfNumber(row.priority),
  held: row.held,
  hold: row.hold && {
    cause: row.hold,
    by: row.held_by,
    reason: row.hold_reason,
    releaseAt: maybeTime(row.release_at),
  },
  requires: row.requires,
  expiresAt: maybeTime(row.expires_at),
  attempt: row.attempt,
  retries: row.retries,
  deadline:
    row.deadline === null || row.deadline_at === null ? null : { code: row.deadline, at: timeOf(row.deadline_at) },
  epoch: row.epoch,
  agent: row.agent,
  node: row.node,
  runName: row.run_name,
  requireRun: row.require_run,
  exitCode: row.exit_code,
  failure: row.failure,
  cancelRequestedAt: maybeTime(row.cancel_requested_at),
  cancelledBy: row.cancelled_by,
  relaunchOf: row.relaunch_of,
  createdAt: timeOf(row.created_at),
  claimedAt: maybeTime(row.claimed_at),
  startedAt: maybeTime(row.started_at),
  endedAt: maybeTime(row.ended_at),
});

type EventRow = Awaited<ReturnType<typeof listEvents>>[number];
export const toEvent = (row: EventRow): z.input<typeof eventSchema> => ({
  key: `${row.writer}/${row.n}`,
  at: timeOf(row.at),
  type: row.type,
  sentence: sentenceOf(row.type, row.data),
  data: row.data,
});
