import { tmpdir } from 'node:os';
import { note, ok, reasonOf } from './check.js';
import type { Check } from './check.js';

/** Docker queues need it, nothing else does: without one, launches run as processes. */
export async function checkDocker(env: NodeJS.ProcessEnv): Promise<Check> {
  const { openTarget } = await import('../../targets/register.js');
  try {
    const target = openTarget('docker', { workFolder: tmpdir(), hostEnvironment: env, options: {} });
    const { ok: can, details } = await target.check();
    return can
      ? ok('docker', details.join(' '))
      : note('docker', `docker queues cannot be served: ${details.join(' ')}`);
  } catch (error) {
    return note('docker', `docker queues cannot be served: ${reasonOf(error)}`);
  }
}
