import { join } from 'node:path';
import type { JobPlan } from '../../domain/job-plan.js';
import { textFile } from '../build-context.js';

/** A commit says itself what it needs, unless its job does; of a folder the job knows it. */
export const requirementsOf = async (
  { requirements, source }: Pick<JobPlan, 'requirements' | 'source'>,
  codeFolder: string,
): Promise<string | undefined> =>
  requirements === undefined && source.kind === 'git' ? textFile(join(codeFolder, 'requirements.txt')) : requirements;
