import { DavitError } from '../domain/errors.js';
import type { TargetName } from '../domain/words.js';
import { createProcessTarget, processTargetConfigSchema } from './process/index.js';
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

/** One line per target; nothing else in the project knows them by name. */
const openers: Partial<Record<TargetName, (setup: TargetSetup) => Target>> = {
  process: ({ options, workFolder, hostEnvironment }) =>
    createProcessTarget(
      processTargetConfigSchema.parse({ ...options, workFolder, hostEnvironment: { ...hostEnvironment } }),
    ),
};

export const availableTargets = (): TargetName[] => Object.keys(openers) as TargetName[];

export function openTarget(name: TargetName, setup: TargetSetup): Target {
  const open = openers[name];
  if (!open)
    throw new DavitError(
      'unsupported-target',
      `This version has no target "${name}"; it has ${availableTargets().join(', ')}.`,
    );
  return open(setup);
}
