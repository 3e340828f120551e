import type { LaunchRequest } from './launch-request.js';
import { jobPath, type ResolvedLaunch } from './resolved-launch.js';

/** Longest value the wandb client reads from one variable; longer ones come in numbered pieces. */
const maxValueLength = 32_670;

/** Variables that join at submit, and what they hold: they are in no plan and in no row. */
export const secretVariables: Record<string, string> = {
  WANDB_API_KEY: 'a key made for this run, which reaches its own run and project only',
};

export interface EnvironmentFacts {
  launchId: string;
  attempt: number;
  resolved: ResolvedLaunch;
  overrides: LaunchRequest['overrides'];
  apiUrl: string;
}

/**
 * The variables by which an unmodified wandb script becomes this launch's run. The key is not among them: it is a secret and joins at submit.
 * The address is always set: the client's built-in default differs between its versions.
 */
export function jobEnvironment({
  launchId,
  attempt,
  resolved,
  overrides,
  apiUrl,
}: EnvironmentFacts): Record<string, string> {
  return {
    WANDB_BASE_URL: apiUrl,
    WANDB_ENTITY: resolved.entity,
    WANDB_PROJECT: resolved.project,
    WANDB_RUN_ID: resolved.runName,
    WANDB_LAUNCH: 'True',
    WANDB_USERNAME: resolved.author,
    WANDB_LAUNCH_QUEUE_NAME: resolved.queue,
    WANDB_LAUNCH_QUEUE_ENTITY: resolved.queueEntity,
    WANDB_LAUNCH_TRACE_ID: launchId,
    ...(resolved.displayName === undefined ? {} : { WANDB_NAME: resolved.displayName }),
    ...(attempt > 1 ? { WANDB_RESUME: 'allow' } : {}),
    ...inPieces('WANDB_CONFIG', JSON.stringify(overrides?.config ?? {})),
    ...inPieces('WANDB_LAUNCH_FILE_OVERRIDES', JSON.stringify(overrides?.files ?? {})),
    WANDB_ARTIFACTS: JSON.stringify({ ...usedJob(resolved), ...artifactsOf(overrides?.artifacts) }),
    ...(resolved.image === undefined ? {} : { WANDB_DOCKER: resolved.image }),
    DAVIT_LAUNCH_ID: launchId,
    DAVIT_ATTEMPT: String(attempt),
  };
}

/** By this the client marks the job as used by its run. The run's key reaches its own project only: a job of another one is left out. */
function usedJob({ job, entity, project }: ResolvedLaunch): Record<string, string> {
  return job?.entity === entity && job.project === project ? { _wandb_job: jobPath(job) } : {};
}

/** As the client takes what stands for another artifact: its parts. */
function artifactsOf(artifacts: Record<string, string> = {}): Record<string, object> {
  return Object.fromEntries(
    Object.entries(artifacts).map(([slot, reference]) => {
      const [entity, project, name] = reference.split('/');
      return [slot, { entity, project, name }];
    }),
  );
}

function inPieces(name: string, value: string): Record<string, string> {
  if (value.length <= maxValueLength) return { [name]: value };
  const pieces: Record<string, string> = {};
  for (let n = 0; n * maxValueLength < value.length; n++) {
    pieces[`${name}_${n}`] = value.slice(n * maxValueLength, (n + 1) * maxValueLength);
  }
  return pieces;
}
