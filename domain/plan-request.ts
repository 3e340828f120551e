import { LaunchError } from './errors.js';
import { remoteName } from './ids.js';
import { jobEnvironment } from './job-environment.js';
import type { PlanRequest } from './job-plan.js';
import type { LaunchRequest } from './launch-request.js';
import type { ResolvedLaunch } from './resolved-launch.js';

/** What a job's version says of itself, as far as running it goes. */
export interface JobSource {
  kind: 'code' | 'git' | 'image';
  /** Program and fixed arguments. */
  entryPoint: string[];
  requirements: string | undefined;
  /** `3.N`. */
  pythonVersion: string | undefined;
  codeDigest: string | undefined;
}

export interface PlanFacts {
  launchId: string;
  attempt: number;
  resolved: ResolvedLaunch;
  overrides: LaunchRequest['overrides'];
  source: JobSource;
  /** Where the job reaches the API. */
  apiUrl: string;
}

/** Merge order: job, then the launch's overrides. The same for preview and submit. */
export function planRequestOf(facts: PlanFacts): PlanRequest {
  const { launchId, attempt, resolved, overrides, source } = facts;
  if (source.kind !== 'code') {
    throw new LaunchError(
      'unsupported-job-kind',
      'prepare',
      `A ${source.kind} job cannot run on the ${resolved.target} target yet.`,
    );
  }
  return {
    launchId,
    attempt,
    name: remoteName(launchId, attempt),
    command: [...(overrides?.entryPoint ?? source.entryPoint), ...(overrides?.args ?? [])],
    workingDir: overrides?.workingDir ?? '',
    environment: {
      ...overrides?.environment,
      ...jobEnvironment({ launchId, attempt, resolved, config: overrides?.config, apiUrl: facts.apiUrl }),
    },
    requirements: source.requirements,
    pythonVersion: source.pythonVersion,
    codeDigest: source.codeDigest,
    resourceConfig: resolved.resourceConfig,
  };
}
