import type { JobStatus } from '../../domain/job-plan.js';
import type { Masks } from '../../domain/masking.js';
import type { Target } from '../../targets/target.js';
import type { AgentApi } from './agent-api.js';
import type { Reporter } from './reporter.js';
import { shipLog } from './ship-log.js';

export interface FollowedJob {
  target: Target;
  api: AgentApi;
  reporter: Reporter;
  launchId: string;
  claim: string;
  attempt: number;
  name: string;
  /** What its output must not show. */
  masks: Masks;
  /** This process has just started the job: nothing of its output can be with the API. */
  isNew?: boolean;
}

/**
 * Follows a job to its end: reports its states, ships its output. Resolves when the job has ended and all its output is with the API; rejects
 * when `signal` aborts first. The job itself is never touched.
 */
export async function followJob(job: FollowedJob, signal: AbortSignal): Promise<JobStatus> {
  const { target, api, reporter, launchId, claim, attempt, name, masks, isNew = false } = job;
  const shipped = Promise.all(
    (['stdout', 'stderr'] as const).map((stream) =>
      shipLog(
        { api, launchId, claim, attempt, stream, masks },
        (fromByte, stop) => target.logs(name, stream, fromByte, stop),
        signal,
        isNew ? 0 : undefined,
      ),
    ),
  );
  // A failure of shipping must not go unheard while the states are followed.
  shipped.catch(() => undefined);

  let last: JobStatus | undefined;
  for await (const seen of target.follow(name, signal)) {
    const status = seen.reason === undefined ? seen : { ...seen, reason: masks.text(seen.reason) };
    const changed = status.state !== last?.state || status.reason !== last.reason || status.node !== last.node;
    last = status;
    if (status.state === 'ended' || !changed) continue;
    const report = { state: status.state, ...(status.reason === undefined ? {} : { reason: status.reason }) };
    void reporter
      .send({ ...report, ...(status.node === undefined ? {} : { node: status.node }) }, signal)
      .catch(() => undefined);
  }
  signal.throwIfAborted();
  if (last?.state !== 'ended') throw new Error(`the target stopped reporting on ${name} before it ended`);
  await shipped;
  signal.throwIfAborted();
  return last;
}
