import { z } from 'zod';
import { DavitError, LaunchError } from '../../domain/errors.js';
import type { JobPlan, PlanRequest } from '../../domain/job-plan.js';

const variablePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What a queue or a launch may set for a job of this target. Anything else is refused by name. */
const resourceConfigSchema = z.strictObject({
  /** Variables for the job. What Davit itself sets wins. */
  env: z.record(z.string().regex(variablePattern, 'not the name of a variable'), z.string()).default({}),
  /** 0 (as the agent) to 19 (after everybody else). */
  nice: z.int().min(0).max(19).default(0),
  /** Time between the request to end and the end, in place of what the platform gives. */
  graceSeconds: z.number().min(0).max(86_400).optional(),
});

const specSchema = z.object({
  environment: z.record(z.string(), z.string()),
  nice: z.number(),
  graceSeconds: z.number().optional(),
});
export type ProcessSpec = z.infer<typeof specSchema>;

export function planProcess(request: PlanRequest): JobPlan {
  if (request.source.kind === 'image')
    throw new LaunchError(
      'unsupported-job-kind',
      'prepare',
      `An image (${request.source.image}) cannot run as a process of the agent's machine: it needs a queue of containers.`,
    );
  const parsed = resourceConfigSchema.safeParse(request.resourceConfig);
  if (!parsed.success) {
    const errors = parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({
            path: [...issue.path, key].join('.'),
            message: 'unknown key; a process job takes env, nice and graceSeconds',
          }))
        : [{ path: issue.path.join('.'), message: issue.message }],
    );
    const sentence = errors.map((error) => `${error.path}: ${error.message}`).join('; ');
    throw new DavitError('invalid-request', `The resource config does not fit the process target: ${sentence}.`, {
      errors,
    });
  }
  const { env, nice, graceSeconds } = parsed.data;
  // A shell hands on only what it could name itself: better refused than lost on the way.
  const odd = Object.keys(request.environment).find((name) => !variablePattern.test(name));
  if (odd !== undefined)
    throw new DavitError('invalid-request', `"${odd}" cannot be the name of a variable of a process job.`);
  const spec: ProcessSpec = {
    environment: { ...env, ...request.environment },
    nice,
    ...(graceSeconds === undefined ? {} : { graceSeconds }),
  };
  return { ...request, target: 'process', spec };
}

/** A plan travels through Temporal and comes back as plain data. */
export const specOf = (plan: JobPlan): ProcessSpec => specSchema.parse(plan.spec);
