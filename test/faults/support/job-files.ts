import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Watches the work folder of the process target for the one file that says how far a job is. Between the target's "I mean to start it" and
 * "it has started" lie a few milliseconds and no call of anybody, so it looks without a pause, for as long as one start takes.
 */
export async function untilJobFile(
  workFolder: string,
  launchId: string,
  kind: 'claim' | 'started' | 'exit',
  ms: number,
): Promise<boolean> {
  const jobs = join(workFolder, 'jobs');
  const pattern = { claim: /^claim\.\d+\.json$/, started: /^started\.\d+$/, exit: /^exit$/ }[kind];
  const deadline = Date.now() + ms;
  let folder: string | undefined;
  while (Date.now() < deadline) {
    folder ??= latestAttempt(jobs, launchId);
    if (folder !== undefined && namesIn(join(folder, 'state')).some((name) => pattern.test(name))) return true;
    // The exit may be a while away; a start is not.
    await new Promise((resolve) => (kind === 'exit' ? setTimeout(resolve, 2) : setImmediate(resolve)));
  }
  return false;
}

function latestAttempt(jobs: string, launchId: string): string | undefined {
  const name = namesIn(jobs)
    .filter((each) => each.startsWith(`davit-${launchId}-`))
    .sort((a, b) => Number(a.split('-').at(-1)) - Number(b.split('-').at(-1)))
    .at(-1);
  return name === undefined ? undefined : join(jobs, name);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
