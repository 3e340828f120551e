import { Context } from '@temporalio/activity';
import { Masks } from '../../domain/masking.js';
import type { AttemptRef, WatchActivities, WatchResult } from '../contract.js';
import { AgentApiRefusal } from './agent-api.js';
import { agentShutdown, cancelReason } from './cancel-reason.js';
import type { AgentDeps } from './deps.js';
import { followJob } from './follow-job.js';
import { withHeartbeats } from './heartbeats.js';
import { Reporter } from './reporter.js';
import { untilAnswered } from './retry.js';
import { tidy } from './tidy.js';

const defaultKillGraceMs = 10_000;

/** What any agent of a place can do for a job there, whoever started it. Needs no slot: the job is charged to who submitted it. */
export function watchActivities(deps: AgentDeps): WatchActivities {
  const { api, log } = deps;

  /** Somebody else was told what the job was given. Without knowing it nothing of its output can be shown. */
  async function masksOf(ref: AttemptRef, signal: AbortSignal): Promise<Masks> {
    const masks = new Masks();
    try {
      masks.add(await untilAnswered(signal, () => api.masks(ref.launchId, ref.claim)));
    } catch (error) {
      if (!(error instanceof AgentApiRefusal)) throw error;
      // An API of a version that has no secrets.
      if (error.code === 'not-found') return masks;
      log.warn(
        { launch: ref.launchId, reason: error.message },
        'what its log must not show is not known: all of it is masked',
      );
      masks.hideAll();
    }
    return masks;
  }

  return {
    watch: (ref) =>
      withHeartbeats(async (): Promise<WatchResult> => {
        const context = Context.current();
        const target = deps.target(ref.target);
        // An agent that was only slow, or a start that was under way when it died, may come yet: closing the name makes "absent" final, and what
        // did start in this instant is followed like any other.
        let found = await target.find(ref.name);
        const isClosed = !found;
        if (isClosed && (await target.close(ref.name))) found = await target.find(ref.name);
        if (!found) {
          void tidy(deps, ref);
          return { kind: 'absent' };
        }
        log.info(
          { launch: ref.launchId, job: ref.name, state: found.state },
          'found the job of a lost agent and follows it',
        );
        const reporter = new Reporter(api, ref.launchId, ref.claim);
        try {
          const masks = await masksOf(ref, context.cancellationSignal);
          const status = await followJob({ ...ref, target, api, reporter, masks }, context.cancellationSignal);
          void tidy(deps, ref);
          // Its start met the closed name, and ended it before it did anything.
          if (isClosed && status.killed) return { kind: 'absent' };
          return { kind: 'ended', status };
        } catch (error) {
          if (context.cancellationSignal.aborted && (await cancelReason(context, deps)) === 'shutdown')
            throw agentShutdown();
          throw error;
        } finally {
          void deps.recountJobs().catch(() => undefined);
        }
      }),

    kill: ({ target, name }) =>
      withHeartbeats(async () => {
        // A start that is under way in this very process ends first, so that it cannot come after the kill.
        await deps.pool.leaseOfJob(name)?.stopStartingUnlessStarted();
        return deps.target(target).kill(name, defaultKillGraceMs);
      }),
  };
}
