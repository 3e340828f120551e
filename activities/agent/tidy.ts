import type { AttemptRef } from '../contract.js';
import type { AgentDeps } from './deps.js';

/**
 * Removes what a job left at its place, once it has ended and its output is with the API, or there will be none. Never fails: what stays is
 * found by the target's own sweep. To be awaited where the name may be used again.
 */
export async function tidy(deps: Pick<AgentDeps, 'target' | 'log'>, { target, name }: AttemptRef): Promise<void> {
  try {
    await deps.target(target).cleanUp(name);
  } catch (error) {
    deps.log.warn({ job: name, error: String(error) }, 'clean-up failed');
  }
}
