import { z } from 'zod';
import { gitRefProblem } from './git-remote.js';
import { launchIdSchema, nameSchema } from './ids.js';
import { imageProblem } from './image-name.js';
import { labelsSchema } from './requirements.js';
import { templateValuesSchema } from './resource-config.js';
import { retryPolicySchema, timeoutsSchema } from './retry-policy.js';
import { secretVariablesSchema } from './secrets.js';
import { prioritySchema } from './words.js';

/** What a user asks for. The same schema at the REST edge, in the CLI, and for a workflow started by hand. */

const environmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not a name of an environment variable')
  .max(256);

/** A path inside the job's code: relative, no "..", forward slashes. */
export const insidePath = z
  .string()
  .max(1024)
  .refine(
    (p) => !p.startsWith('/') && !p.includes('\\') && !p.split('/').includes('..') && !p.includes('\0'),
    'must stay inside the job',
  );

/** Text that a function finds no fault with. */
export const faultless = (maxLength: number, problemOf: (text: string) => string | undefined) =>
  z
    .string()
    .max(maxLength)
    .superRefine((text, context) => {
      const message = problemOf(text);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });
export const imageSchema = faultless(512, imageProblem);
export const gitRefSchema = faultless(256, gitRefProblem);

const artifactReference = z
  .string()
  .max(600)
  .regex(/^[^/:\s]+\/[^/:\s]+\/[^/:\s]+:[^/:\s]+$/, 'write entity/project/name:alias');

export const overridesSchema = z.strictObject({
  /** Replaces the job's program and fixed arguments; one string each, no shell. */
  entryPoint: z.array(z.string().min(1).max(4096)).min(1).max(256).optional(),
  /** Appended after the entry point. */
  args: z.array(z.string().max(65_536)).max(1024).optional(),
  /** Reaches `wandb.config`. */
  config: z.record(z.string().max(1024), z.unknown()).optional(),
  /** Extra environment variables, not secret: they are stored and shown. */
  environment: z.record(environmentName, z.string().max(65_536)).optional(),
  /** Variables that hold secrets of the queue's entity, by their names: `{"HF_TOKEN": "hugging-face"}`. */
  secrets: secretVariablesSchema.optional(),
  workingDir: insidePath.optional(),
  /** Git jobs: this branch, tag or commit in place of the job's commit. Resolved at enqueue. */
  ref: gitRefSchema.optional(),
  /** Dockerfile inside the code, in place of the job's. */
  dockerfile: insidePath.optional(),
  /** Folder of the code that the Dockerfile sees. */
  buildContext: insidePath.optional(),
  /** Image that the code is put on, in place of the job's. */
  baseImage: imageSchema.optional(),
  /**
   * Image that is run in place of the job's own, or of one that would be built of its code and then holds that code. A relaunch names the very
   * image that ran.
   */
  image: imageSchema.optional(),
  /** Builder, in place of the agent's own. */
  builder: z.string().min(1).max(64).optional(),
  /** What `use_artifact` gets instead: name or slot in the program -> `entity/project/name:alias`. */
  artifacts: z.record(z.string().max(300), artifactReference).optional(),
  /** Laid over JSON and YAML files that the program has declared as its inputs: path -> values. */
  files: z.record(insidePath, z.record(z.string().max(1024), z.unknown())).optional(),
  /** Target-specific parameters, merged over the queue's. */
  resourceConfig: z.record(z.string(), z.unknown()).optional(),
});

const requestShape = z.strictObject({
  /** `queue` or `entity/queue`; without entity: the project's. */
  queue: z.string().min(1).max(129),
  /** `name`, `name:alias`, `project/name:alias` or `entity/project/name:alias`; default alias `latest`. */
  job: z.string().min(1).max(300).optional(),
  /** An image that is run as it is, in place of a job. */
  image: imageSchema.optional(),
  /** Where the run goes. Default: the job's project. */
  project: nameSchema.optional(),
  /** Default: the queue's entity. */
  entity: nameSchema.optional(),
  /** Display name of the run. */
  name: z.string().min(1).max(256).optional(),
  /** Default: medium. */
  priority: prioritySchema.optional(),
  /** Fixed id of the run; default: made at enqueue. */
  runId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'use letters, digits, "_" and "-"')
    .optional(),
  /** Must the job call wandb.init? Default: as the queue says. */
  requireRun: z.boolean().optional(),
  overrides: overridesSchema.optional(),
  /** Values of the queue's template variables. They and `overrides.resourceConfig` exclude each other: the values win. */
  templateVariables: templateValuesSchema.optional(),
  /** Labels that the agent must have, `{"gpu": "a100"}`. Default: any agent of the queue. */
  requires: labelsSchema.optional(),
  /** Which causes it is tried again for. Default: as the queue says. */
  retry: retryPolicySchema.optional(),
  /** Milliseconds. Each that is not given: as the queue says. */
  timeouts: timeoutsSchema.optional(),
  /** Milliseconds; a launch that waits longer ends as stopped. Default: as the queue says. */
  ttlMs: z
    .int()
    .min(1_000)
    .max(365 * 24 * 3600_000)
    .optional(),
  /** Wait until somebody releases it. Default: false. */
  hold: z.boolean().optional(),
});

/** What must hold between fields; said beside what is wrong with them one by one. */
const aboutOneThing = ({ job, image }: { job?: unknown; image?: unknown }): boolean =>
  (job === undefined) !== (image === undefined);
const oneThing = {
  path: ['job'],
  message: 'give a job or an image, and not both',
  when: ({ value }: { value: unknown }): boolean => typeof value === 'object' && value !== null,
};

export const launchRequestSchema = requestShape.refine(aboutOneThing, oneThing);
export type LaunchRequest = z.infer<typeof launchRequestSchema>;

/** Input of the launch workflow. With `launchId` alone the row exists already; with a request it is admitted first. */
export const launchWorkflowInputSchema = z.union([
  z.strictObject({ launchId: launchIdSchema }),
  requestShape.extend({ entity: nameSchema, project: nameSchema }).refine(aboutOneThing, oneThing),
]);
