import { ApplicationFailure, Context } from '@temporalio/activity';
import { remoteName } from '../../domain/ids.js';
import { within } from '../../domain/within.js';
import { heldAlreadyType, type AgentActivities, type AttemptRef, type SuperviseResult } from '../contract.js';
import { AgentApiRefusal } from './agent-api.js';
import { agentShutdown, cancelReason } from './cancel-reason.js';
import type { AgentDeps } from './deps.js';
import { followJob } from './follow-job.js';
import { withHeartbeats } from './heartbeats.js';
import { Lease, type Work } from './lease.js';
import { Reporter } from './reporter.js';
import { untilAnswered } from './retry.js';
import { tidy } from './tidy.js';

/** The claim's answer may be behind the supervise task that it causes. */
const bindingWaitMs = 3_000;
const defaultKillGraceMs = 10_000;
/** Shorter than the API itself waits for a confirm, and long enough for its restart. */
const confirmPatienceMs = 15_000;

/** Holds the slot: confirms the claim, waits until prepare and submit have started the job, follows it to its end. */
export function superviseActivity(deps: AgentDeps): Pick<AgentActivities, 'supervise'> {
  const { api, pool, log } = deps;

  async function bind(ref: AttemptRef, signal: AbortSignal): Promise<Lease | undefined> {
    const lease = await within(signal, bindingWaitMs, (soon) => pool.waitFor(ref.claim, soon));
    if (lease) return lease;
    // The answer to our claim was lost on its way: the launch is ours all the same, if there is room.
    if (pool.held >= pool.limit) return undefined;
    const late = new Lease(ref.launchId, ref.claim, ref.name);
    pool.add(late);
    return late;
  }

  async function supervise(ref: AttemptRef): Promise<SuperviseResult> {
    const context = Context.current();
    const lease = await bind(ref, context.cancellationSignal);
    if (!lease) {
      const returned = await api
        .giveBack(ref.launchId, ref.claim, 'the agent had no free slot for it')
        .catch(() => undefined);
      // Confirmed by an earlier supervise, whose workflow is gone: there may be a job.
      if (returned === false) throw heldAlready();
      return { kind: 'fenced' };
    }
    // The slot is that of an earlier supervise, which still follows the job; it will end its lease, and must not find another's in its place.
    if (lease.begun) throw heldAlready();
    lease.begun = true;
    lease.jobName = remoteName(ref.launchId, ref.attempt);
    try {
      return await hold(ref, lease, context);
    } finally {
      // The job may go on without us (shutdown, superseded): it is counted as charged before its slot is freed.
      await deps.recountJobs().catch(() => undefined);
      pool.remove(lease);
    }
  }

  async function hold(ref: AttemptRef, lease: Lease, context: Context): Promise<SuperviseResult> {
    const target = deps.target(ref.target);
    const stop = context.cancellationSignal;
    let graceMs = defaultKillGraceMs;
    try {
      const work = await confirmed(ref, lease, stop);
      lease.confirm(work);
      if (!work) return { kind: 'fenced' };
      graceMs = work.killGraceMs;

      const started = await Promise.race([lease.started, aborted(stop)]);
      if (started.kind === 'failed') return await settleName(ref, lease, started);
      if (started.kind === 'stopped') return { kind: 'stopped' };

      const reporter = new Reporter(api, ref.launchId, ref.claim);
      const status = await followJob({ ...ref, target, api, reporter, masks: lease.masks, isNew: true }, stop);
      void tidy(deps, ref);
      return { kind: 'ended', status };
    } catch (error) {
      if (!stop.aborted) {
        if (error instanceof AgentApiRefusal) return { kind: 'fenced' };
        throw error;
      }
      const reason = await cancelReason(context, deps);
      await lease.stopStarting();
      if (reason === 'shutdown') throw agentShutdown();
      if (reason === 'superseded') return { kind: 'fenced' };
      return stopJob(ref, lease, graceMs);
    }
  }

  /**
   * A launch that failed to start may be tried again, under another name when the target was asked for this one: so that there are never two,
   * the name is closed first. When it cannot be, the failure is the end.
   */
  async function settleName(
    ref: AttemptRef,
    lease: Lease,
    failed: Extract<SuperviseResult, { kind: 'failed' }>,
  ): Promise<SuperviseResult> {
    await lease.stopStarting();
    if (!lease.asked) {
      // The next try may prepare under the same name.
      await tidy(deps, ref);
      return { ...failed, name: 'unused' };
    }
    try {
      await deps.target(ref.target).kill(ref.name, 0);
      void tidy(deps, ref);
      return { ...failed, name: 'closed' };
    } catch (error) {
      log.warn({ job: ref.name, error: String(error) }, 'the name of a job that failed to start could not be closed');
      return failed;
    }
  }

  /**
   * An agent that cannot reach the API although Temporal reaches it lets go of the launch, or it would wait here for as long as that lasts:
   * to its workflow all is well as long as we heartbeat. Whether the confirm got through or not, nothing was started under it.
   */
  async function confirmed(ref: AttemptRef, lease: Lease, stop: AbortSignal): Promise<Work | undefined> {
    try {
      return await within(stop, confirmPatienceMs, (soon) =>
        untilAnswered(soon, () => api.confirm(ref.launchId, ref.claim)),
      );
    } catch (error) {
      if (stop.aborted || error instanceof AgentApiRefusal) throw error;
      await lease.stopStarting();
      throw ApplicationFailure.create({ message: 'it does not reach the API', type: 'api-unreachable' });
    }
  }

  /** Nothing of ours is starting it any more: end it by name, and close the name. */
  async function stopJob(ref: AttemptRef, { masks }: Lease, graceMs: number): Promise<SuperviseResult> {
    const target = deps.target(ref.target);
    await target.kill(ref.name, graceMs);
    const found = await target.find(ref.name);
    if (!found) {
      void tidy(deps, ref);
      return { kind: 'stopped' };
    }
    const reporter = new Reporter(api, ref.launchId, ref.claim);
    // What it still printed belongs to its log; a log that cannot be shipped in this time must not hold the slot.
    const status = await followJob({ ...ref, target, api, reporter, masks }, AbortSignal.timeout(30_000)).catch(
      () => found,
    );
    void tidy(deps, ref);
    return { kind: 'ended', status };
  }

  return { supervise: (ref) => withHeartbeats(() => supervise(ref)) };
}

const heldAlready = (): ApplicationFailure =>
  ApplicationFailure.create({ message: 'the launch was begun before', type: heldAlreadyType, nonRetryable: true });

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
