import { DavitError } from '../domain/errors.js';
import type { JobPlan, PlanRequest } from '../domain/job-plan.js';
import type { TargetName } from '../domain/words.js';
import { createDockerTarget, dockerTargetConfigSchema } from './docker/index.js';
import { planDocker } from './docker/plan.js';
import { createProcessTarget, processTargetConfigSchema } from './process/index.js';
import { planProcess } from './process/plan.js';
import type { Target } from './target.js';

/** What every target gets from the agent that opens it. */
export interface TargetSetup {
  /** A folder for the target's own use. */
  workFolder: string;
  /** The agent's environment. A target chooses by name what leaves it. */
  hostEnvironment: Readonly<Record<string, string | undefined>>;
  /** The target's own settings, as they came; each target has its schema for them. */
  options: Record<string, unknown>;
}

interface Registered {
  /** Where the target's jobs can run; by agents. */
  open(setup: TargetSetup): Target;
  /** What would be submitted. Needs neither the target nor its machine, so that whoever has no agent at hand can be shown it. */
  plan(request: PlanRequest): JobPlan;
}

/** One entry per target; nothing else in the project knows them by name. */
const targets: Partial<Record<TargetName, Registered>> = {
  process: {
    open: ({ options, workFolder, hostEnvironment }) =>
      createProcessTarget(
        processTargetConfigSchema.parse({ ...options, workFolder, hostEnvironment: { ...hostEnvironment } }),
      ),
    plan: planProcess,
  },
  docker: {
    open: ({ options, workFolder, hostEnvironment }) =>
      createDockerTarget(
        dockerTargetConfigSchema.parse({ ...options, workFolder, hostEnvironment: { ...hostEnvironment } }),
      ),
    plan: (request) => planDocker(request),
  },
};

export const availableTargets = (): TargetName[] => Object.keys(targets) as TargetName[];

export function openTarget(name: TargetName, setup: TargetSetup): Target {
  return registered(name).open(setup);
}

/** The same plan that an agent makes of the request. Throws what the agent would fail with. */
export const planJob = (name: TargetName, request: PlanRequest): JobPlan => registered(name).plan(request);

function registered(name: TargetName): Registered {
  const target = targets[name];
  if (!target)
    throw new DavitError(
      'unsupported-target',
      `This version has no target "${name}"; it has ${availableTargets().join(', ')}.`,
    );
  return target;
}
