import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobPlan } from '../../domain/job-plan.js';

/** A commit says itself what it needs, unless its job does; of a folder the job knows it. */
export async function requirementsOf(
  { requirements, source }: Pick<JobPlan, 'requirements' | 'source'>,
  codeFolder: string,
): Promise<string | undefined> {
  if (requirements !== undefined || source.kind !== 'git') return requirements;
  try {
    return await readFile(join(codeFolder, 'requirements.txt'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
