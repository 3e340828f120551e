import { DavitError } from '../../../domain/errors.js';
import type { Connected } from '../../connect.js';

export interface SweepPath {
  entity: string;
  project: string;
  sweep: string;
}

/** `project/sweep` or `entity/project/sweep`, as `wandb agent` has it; without an entity, that of the key. */
export async function sweepPath(reference: string, api: Connected): Promise<SweepPath> {
  const parts = reference.split('/');
  const [sweep = '', project = '', entity] = parts.toReversed();
  if (parts.length < 2 || parts.length > 3 || parts.includes(''))
    throw new DavitError('wrong-usage', `"${reference}" is not project/sweep, or entity/project/sweep.`);
  return { entity: entity ?? (await api.entity()), project, sweep };
}

export const sweepReference = 'project/sweep, or entity/project/sweep';
