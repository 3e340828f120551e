import { ApplicationFailure, Context } from '@temporalio/activity';
import { within } from '../../domain/within.js';
import type { TicketActivities } from '../contract.js';
import type { AgentDeps } from './deps.js';
import { Lease } from './lease.js';

/** How soon a ticket that found us full is offered again, here or elsewhere. A retry writes no history. */
const fullRetryDelayMs = 20;
/** The same for a ticket that this agent may not serve at all. */
const unfitRetryDelayMs = 2_000;
/** Within the activity's own limit of 10 s, so that Temporal never gives the ticket to somebody else while we still wait for an answer. */
const claimTimeoutMs = 6_000;

/**
 * "Somebody waits here": claims whoever is first in line. The grant reaches the launch's workflow by the API; here it only binds the slot.
 * Answers how many more could be claimed.
 */
export function ticketActivity({ api, pool, log }: AgentDeps): TicketActivities {
  return {
    async ticket({ queueId, class: lineClass }) {
      const { info } = Context.current();
      if (pool.turnsAway(info.taskQueue)) throw handedBack('full', fullRetryDelayMs);
      const reply = await within(Context.current().cancellationSignal, claimTimeoutMs, (signal) =>
        api.claim({
          queueId,
          ...(lineClass === undefined ? {} : { class: lineClass }),
          ticket: `${info.workflowExecution?.runId ?? ''}/${info.activityId}`,
          ticketAttempt: info.attempt,
          signal,
        }),
      ).catch((error: unknown) => {
        pool.trip();
        log.warn({ error: String(error) }, 'the API did not answer a claim');
        throw handedBack('the API did not answer', undefined);
      });
      pool.mend();
      // Not for us now, but somebody waits: another agent may have it.
      if (reply.outcome === 'quarantined' || reply.outcome === 'draining')
        throw handedBack(reply.outcome, unfitRetryDelayMs);
      if (reply.outcome === 'granted' && !pool.find(reply.claim)) {
        pool.add(new Lease(reply.launchId, reply.claim, undefined));
        log.info({ launch: reply.launchId, claim: reply.claim }, 'claimed');
      }
      return { left: reply.left };
    },
  };
}

const handedBack = (why: string, nextRetryDelayMs: number | undefined): ApplicationFailure =>
  ApplicationFailure.create({
    message: why,
    type: 'handed-back',
    ...(nextRetryDelayMs === undefined ? {} : { nextRetryDelay: nextRetryDelayMs }),
  });
