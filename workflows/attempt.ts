import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  proxyActivities,
  TimeoutFailure,
  type ActivityOptions,
} from '@temporalio/workflow';
import {
  heldAlreadyType,
  type AgentActivities,
  type AttemptRef,
  type SuperviseResult,
  type WatchActivities,
  type WatchResult,
} from '../activities/contract.js';
import { failure } from '../domain/errors.js';
import { remoteName } from '../domain/ids.js';
import { afterLoss } from '../domain/launch-flow.js';
import type { AttemptEnd } from '../domain/outcome.js';
import { watchTaskQueue } from './ids.js';
import type { ClaimNote, LaunchNote } from './messages.js';
import { profiles } from './profiles.js';

/** How an attempt under one claim ended for the workflow. */
export type AttemptResult =
  | AttemptEnd
  /** Another claim holds the launch now. */
  | { kind: 'fenced' }
  /** The agent is gone and there is no job: back in line. */
  | { kind: 'lost'; agentLost: boolean; blameless?: boolean; nextAttempt: boolean; reason: string };

/** `blameless`: it left in order, or never began, which says nothing against the launch. */
interface Loss {
  kind: 'agent-lost';
  reason: string;
  blameless: boolean;
}

/** One claim's work: supervise, prepare and submit on the agent that holds the slot; after its loss, watch at the place. */
export class Attempt {
  private readonly ref: AttemptRef;
  private submitScheduled = false;
  private readonly agent: (options: ActivityOptions, summary: string) => AgentActivities;
  private readonly place: (options: ActivityOptions, summary: string) => WatchActivities;

  constructor(
    note: LaunchNote,
    private readonly claim: ClaimNote,
    private readonly cancelRequested: () => boolean,
  ) {
    const { launchId, attempt, target } = note;
    this.ref = { launchId, claim: claim.id, epoch: claim.epoch, attempt, target, name: remoteName(launchId, attempt) };
    this.agent = (options, summary) =>
      proxyActivities<AgentActivities>({
        ...options,
        taskQueue: claim.privateQueue,
        summary: `${summary} ${claim.agentName}`,
      });
    this.place = (options, summary) =>
      proxyActivities<WatchActivities>({ ...options, taskQueue: watchTaskQueue(target, claim.place), summary });
  }

  /** `adopt`: an agent was at work before this workflow knew; `serve`: begin. */
  async run(step: 'serve' | 'adopt'): Promise<AttemptResult> {
    if (step === 'adopt') {
      this.submitScheduled = true;
      return this.afterLoss({
        kind: 'agent-lost',
        reason: 'the agent that held it is unknown to this workflow',
        blameless: true,
      });
    }
    const supervised = await this.supervise();
    return supervised.kind === 'agent-lost' ? this.afterLoss(supervised) : supervised;
  }

  /**
   * Supervise is what ends an attempt: failures of prepare and submit reach it inside the agent. Whatever ends first, the others are
   * awaited, so that nothing of this claim is under way when the workflow goes on.
   */
  private async supervise(): Promise<SuperviseResult | Loss> {
    const work = new CancellationScope();
    let pipelineError: unknown;
    const pipeline = work
      .run(async () => {
        await untilHeard(() => this.agent(profiles.prepare, 'fetch and install on').prepare(this.ref));
        this.submitScheduled = true;
        await untilHeard(() => this.agent(profiles.submit, 'start the job on').submit(this.ref));
      })
      .catch((error: unknown) => {
        pipelineError = error;
      });
    let done = false;
    const supervise = work
      .run(() => this.agent(profiles.supervise, 'hold the slot and follow the job on').supervise(this.ref))
      .finally(() => {
        done = true;
      });
    const settled = supervise.then(
      (value) => ({ ok: true, value }) as const,
      (error: unknown) => ({ ok: false, error }) as const,
    );

    const stop = await this.untilDoneOrStopped(
      () => done,
      () => pipelineError !== undefined,
    );
    if (stop !== 'done') work.cancel();
    if (stop === 'cancelled') await this.killByName();
    const outcome = await settled;
    work.cancel();
    await pipeline;

    if (!outcome.ok && !isCancellation(outcome.error)) {
      if (isHeldAlready(outcome.error)) this.submitScheduled = true;
      return lossOf(outcome.error, this.claim.agentName);
    }
    const result: SuperviseResult = outcome.ok ? outcome.value : { kind: 'stopped' };
    if (this.cancelRequested() || !isStop(result)) return result;
    // Nobody asked for a stop. A step that failed in its own right is how it ended; else the agent let go of it, and the name may be closed.
    const stage = this.submitScheduled ? 'submit' : 'prepare';
    const why = stop === 'pipeline-broke' ? failureSentence(pipelineError) : undefined;
    if (why !== undefined) return { kind: 'failed', failure: failure(`${stage}-failed`, stage, why) };
    if (result.kind !== 'stopped') return result;
    this.submitScheduled = true;
    return { kind: 'agent-lost', reason: `agent ${this.claim.agentName} let go of it`, blameless: false };
  }

  /** Until supervise ends: a cancel, or a pipeline that broke in a way the agent did not tell its own supervise (it took too long). */
  private async untilDoneOrStopped(
    done: () => boolean,
    broke: () => boolean,
  ): Promise<'done' | 'cancelled' | 'pipeline-broke'> {
    await condition(() => done() || this.cancelRequested() || broke());
    if (done()) return 'done';
    if (this.cancelRequested()) return 'cancelled';
    // The agent has usually told its supervise at the same moment; that answer gets the time of a round trip before we cut in.
    return (await condition(done, '5 seconds')) ? 'done' : 'pipeline-broke';
  }

  private async afterLoss({ reason, blameless }: Loss): Promise<AttemptResult> {
    if (afterLoss(this.submitScheduled) === 'give-back') {
      return this.cancelRequested()
        ? { kind: 'stopped' }
        : { kind: 'lost', agentLost: true, blameless, nextAttempt: false, reason };
    }
    const watched = await this.watch();
    if (watched.kind === 'unseen') return { kind: 'stopped', name: 'unknown' };
    if (watched.kind === 'ended') return blameless ? watched : { ...watched, agentLost: reason };
    if (this.cancelRequested()) return { kind: 'stopped' };
    // `absent` closes the name for good, so the next claim uses the next attempt's.
    const before = `${reason}, before it had started the job`;
    return { kind: 'lost', agentLost: true, blameless, nextAttempt: true, reason: before };
  }

  private async watch(): Promise<WatchResult | { kind: 'unseen' }> {
    let done = false;
    const scope = new CancellationScope();
    const watching = scope
      .run(() => this.place(profiles.watch, 'find the job again and follow it').watch(this.ref))
      .finally(() => {
        done = true;
      });
    await Promise.race([watching, condition(() => done || this.cancelRequested())]);
    if (!done && !(await this.killByName()) && patched('give-up-unseen') && !done) {
      // Nobody was at the place for as long as a kill may take: whoever asked for the stop is not kept waiting for a machine that is gone.
      scope.cancel();
      return watching.catch(() => ({ kind: 'unseen' }) as const);
    }
    return watching;
  }

  /**
   * At the place, not at the agent: works while the agent is full, busy or dead. False when nobody is left there; as long as there is a
   * supervise, its own end decides.
   */
  private async killByName(): Promise<boolean> {
    const { target, name } = this.ref;
    return this.place(profiles.kill, 'end the job')
      .kill({ target, name })
      .then(
        () => true,
        () => false,
      );
  }
}

/**
 * A step of which nothing was heard in time (Temporal was away, the machine stood still) has not failed, and whether the agent is gone is for
 * supervise to say: it is asked for again. Both steps may be repeated, also while the first try is still under way.
 */
async function untilHeard<T>(step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      const cause = error instanceof ActivityFailure ? error.cause : undefined;
      const type = cause instanceof TimeoutFailure ? cause.timeoutType : undefined;
      if (type !== 'HEARTBEAT' && type !== 'SCHEDULE_TO_START') throw error;
    }
  }
}

const isStop = (result: SuperviseResult): boolean =>
  result.kind === 'stopped' || (result.kind === 'ended' && result.status.killed === true);

/** Undefined: the step did not fail, it was stopped or fenced. */
function failureSentence(error: unknown): string | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return 'It took longer than it may.';
  if (isCancellation(error)) return undefined;
  if (cause instanceof ApplicationFailure && (cause.type === 'cancelled' || cause.type === 'claim-lost'))
    return undefined;
  return cause instanceof Error ? cause.message : 'It gave no reason.';
}

/** Another workflow of this launch (terminated since) had its claim begun: only a look at the place can tell how far it came. */
function isHeldAlready(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.type === heldAlreadyType;
}

function lossOf(error: unknown, agent: string): Loss {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) {
    const began = cause.timeoutType !== 'SCHEDULE_TO_START';
    return { kind: 'agent-lost', reason: `agent ${agent} ${began ? 'was lost' : 'did not begin'}`, blameless: !began };
  }
  const said = cause instanceof Error ? cause.message : 'no reason given';
  const inOrder =
    isHeldAlready(error) ||
    (cause instanceof ApplicationFailure && ['agent-shutdown', 'api-unreachable'].includes(cause.type ?? ''));
  return { kind: 'agent-lost', reason: `agent ${agent} went away (${said})`, blameless: inOrder };
}
