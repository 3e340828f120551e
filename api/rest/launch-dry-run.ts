import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { catalogue, DavitError, type ErrorCode } from '../../domain/errors.js';
import { newLaunchId } from '../../domain/ids.js';
import { secretVariables } from '../../domain/job-environment.js';
import type { LaunchRequest } from '../../domain/launch-request.js';
import { planRequestOf } from '../../domain/plan-request.js';
import { defaultRetryPolicy } from '../../domain/retry-policy.js';
import { defaultPriority, numberOfPriority, targetNameSchema } from '../../domain/words.js';
import { resolveAdmission, type ResolvedAdmission } from '../../store/admission.js';
import { sourceOf } from '../../store/jobs.js';
import { countsOfLine } from '../../store/line.js';
import type { Store } from '../../store/open.js';
import type { Actor } from '../auth/authenticate.js';
import type { ApiDeps } from '../deps.js';
import { pinOf } from '../git.js';
import { waitingAs } from '../waiting.js';
import { requireMayEnqueue } from './launch-access.js';
import { toWaitingParts, waitingParts } from './launch-waiting.js';

/** What an enqueue would do, to the last variable of the job, without doing it. */

const problemsSchema = z.array(z.object({ code: z.string(), sentence: z.string() }));

export const dryRunSchema = z
  .object({
    dryRun: z.literal(true),
    resolved: z
      .record(z.string(), z.unknown())
      .describe(
        'The request with names looked up and defaults filled in. Its run name is made at enqueue when none is given.',
      ),
    plan: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe(
        'What the target would be asked to run. The launch id in it is an example: the real one is made at enqueue.',
      ),
    planProblems: problemsSchema.describe('Why there is no plan: the launch would be accepted and then fail.'),
    warnings: z.array(z.string()).describe('What would be accepted all the same.'),
    secrets: z
      .array(z.object({ name: z.string(), source: z.string() }))
      .describe('Variables that join the plan when the job is handed to the target; their values are stored nowhere.'),
    queue: z.object({
      entity: z.string(),
      name: z.string(),
      target: targetNameSchema,
      accepts: z.boolean(),
      problems: problemsSchema.describe('Why the queue would refuse it.'),
      position: z.int().nullable().describe('The place in line that it would get; null: held.'),
    }),
    ...waitingParts,
  })
  .meta({ id: 'DryRun' });

export async function dryRun(
  deps: ApiDeps,
  actor: Actor,
  request: LaunchRequest,
): Promise<z.input<typeof dryRunSchema>> {
  const { db } = deps;
  const defaultEntity = actor.homeEntity?.name ?? '';
  await requireMayEnqueue(db, actor, request, defaultEntity);
  const admission = await resolveAdmission(db, {
    request,
    actorName: actor.name,
    defaultEntity,
    git: await pinOf(deps, actor, request, defaultEntity),
  });
  const { resolved, queue, projectId, priority, requires, requireRun, timeouts } = admission;
  const launchId = newLaunchId(Date.now(), randomBytes);
  const [problems, planned, waiting] = await Promise.all([
    problemsOf(db, admission),
    planOf(deps, launchId, request, admission),
    waitingAs(
      deps,
      {
        launch: {
          id: null,
          priority: numberOfPriority[priority],
          requires,
          hold: request.hold === true ? 'user' : null,
          heldBy: request.hold === true ? actor.name : null,
          holdReason: null,
          heldAt: null,
          releaseAt: null,
          losses: [],
        },
        queueId: queue.id,
        project: { id: projectId, entity: resolved.entity, name: resolved.project },
        rank: null,
        epoch: 0,
      },
      // The same question has the same answer.
      JSON.stringify(request),
    ),
  ]);
  return {
    dryRun: true,
    resolved: {
      ...resolved,
      priority,
      requires,
      requireRun,
      retry: request.retry ?? queue.retry ?? defaultRetryPolicy,
      timeouts,
      ttlMs: request.ttlMs ?? queue.ttlMs,
      hold: request.hold ?? false,
      newProject: projectId === null,
    },
    ...planned,
    warnings: resolved.warnings ?? [],
    secrets: [
      ...Object.entries(resolved.secrets ?? {}).map(([name, secret]) => ({
        name,
        source: `the secret ${secret} of ${resolved.queueEntity}`,
      })),
      ...Object.entries(secretVariables).map(([name, source]) => ({ name, source })),
    ],
    queue: {
      entity: resolved.queueEntity,
      name: resolved.queue,
      target: queue.target,
      accepts: problems.length === 0,
      problems,
      position: waiting.position,
    },
    ...toWaitingParts(waiting),
  };
}

/** What the line's function would refuse, under the same names. */
async function problemsOf(db: Store, { queue, priority }: ResolvedAdmission) {
  const codes: ErrorCode[] = [];
  if (queue.draining) codes.push('queue-draining');
  if (!queue.priorities && priority !== defaultPriority) codes.push('priority-not-allowed');
  if (queue.maxWaiting !== null) {
    const { waiting, held } = await countsOfLine(db, queue.id);
    if (waiting + held >= queue.maxWaiting) codes.push('queue-full');
  }
  return codes.map((code) => ({ code, sentence: `${catalogue[code].title} ${catalogue[code].fix}` }));
}

async function planOf(
  deps: ApiDeps,
  launchId: string,
  { overrides }: LaunchRequest,
  { resolved }: ResolvedAdmission,
): Promise<{ plan: Record<string, unknown> | null; planProblems: z.input<typeof problemsSchema> }> {
  try {
    const source = await sourceOf(deps, resolved);
    const asked = planRequestOf({ launchId, attempt: 1, resolved, overrides, source, apiUrl: deps.publicUrl });
    return { plan: { ...deps.plan(resolved.target, asked) }, planProblems: [] };
  } catch (error) {
    // What is wrong with this server is not wrong with the launch.
    if (!(error instanceof DavitError) || error.entry.status >= 500) throw error;
    return { plan: null, planProblems: [{ code: error.code, sentence: `${error.message} ${error.entry.fix}` }] };
  }
}
