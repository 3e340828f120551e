import type { ResolvedLaunch } from './resolved-launch.js';

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
  /** Overrides that reach `wandb.config`. */
  config: Record<string, unknown> | undefined;
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
  config,
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
    ...inPieces('WANDB_CONFIG', JSON.stringify(config ?? {})),
    ...inPieces('WANDB_LAUNCH_FILE_OVERRIDES', '{}'),
    DAVIT_LAUNCH_ID: launchId,
    DAVIT_ATTEMPT: String(attempt),
  };
}

function inPieces(name: string, value: string): Record<string, string> {
  if (value.length <= maxValueLength) return { [name]: value };
  const pieces: Record<string, string> = {};
  for (let n = 0; n * maxValueLength < value.length; n++) {
    pieces[`${name}_${n}`] = value.slice(n * maxValueLength, (n + 1) * maxValueLength);
  }
  return pieces;
}
