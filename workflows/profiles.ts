import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';

/** Whole activity profiles: every activity belongs to one of these. A forgotten limit would mean unlimited. */

/** Heartbeat of activities that stand for an agent: how soon its death is noticed. Sent every 0.8 of it, so 2-10 s, measured 4-7 s. */
const agentHeartbeatTimeout = '10 seconds';

export const profiles = {
  /** Short statements on the store, repeated until the store answers: nothing else may decide how a launch ends. */
  control: {
    startToCloseTimeout: '15 seconds',
    retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
  },
  /** The same within a workflow task, well inside its time-out; whoever uses it goes on with `control` when it fails. */
  controlAtOnce: {
    startToCloseTimeout: '3 seconds',
    scheduleToCloseTimeout: '3 seconds',
    retry: { maximumAttempts: 2, initialInterval: '200 milliseconds' },
  },
  /** "Somebody waits here." Waits as long as it takes; Temporal repeats it while agents are full or the API is away. */
  ticket: {
    startToCloseTimeout: '10 seconds',
    retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
    cancellationType: 'TRY_CANCEL',
  },
  /**
   * Holds the slot and follows the job to its end. One attempt: a retry would go to the same private queue; the workflow decides what
   * follows a loss. Not started within 8 s = the agent is gone.
   */
  supervise: {
    scheduleToStartTimeout: '8 seconds',
    startToCloseTimeout: '90 days',
    heartbeatTimeout: agentHeartbeatTimeout,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { maximumAttempts: 1 },
  },
  /** Fetching and installing; hours for large images. Failures are the job's or the target's: not repeated here. */
  prepare: {
    scheduleToStartTimeout: '15 seconds',
    startToCloseTimeout: '6 hours',
    heartbeatTimeout: agentHeartbeatTimeout,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { maximumAttempts: 1 },
  },
  /** Create-or-adopt: safe to repeat, on the same agent only. */
  submit: {
    scheduleToStartTimeout: '15 seconds',
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: agentHeartbeatTimeout,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { maximumAttempts: 3, initialInterval: '500 milliseconds' },
  },
  /** Follows a job that lost its agent. Idempotent, so repeated without end, by any agent of the place. */
  watch: {
    startToCloseTimeout: '90 days',
    heartbeatTimeout: agentHeartbeatTimeout,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
  },
  /** Ends a job by name. Bounded, so that a cancel ends although nobody is left at the place. */
  kill: {
    scheduleToCloseTimeout: '10 minutes',
    startToCloseTimeout: '3 minutes',
    heartbeatTimeout: agentHeartbeatTimeout,
    retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
  },
} as const satisfies Record<string, ActivityOptions | LocalActivityOptions>;
