import { ApplicationFailure, type Context } from '@temporalio/activity';
import type { AgentDeps } from './deps.js';

/** Why an activity is told to stop, and so what becomes of the job: only an asked-for cancel may end it. */
export type CancelReason =
  /** The launch is being stopped: end the job. */
  | 'asked'
  /** This process ends: leave the job to who comes next. */
  | 'shutdown'
  /** Somebody else holds the launch, or its workflow is gone: stop acting, touch nothing. */
  | 'superseded';

export async function cancelReason(context: Context, deps: AgentDeps): Promise<CancelReason> {
  const details = context.cancellationDetails;
  if (details?.workerShutdown) return 'shutdown';
  if (!details?.cancelRequested) return 'superseded';
  // A terminated workflow arrives as a cancel too. The launch then gets a new workflow, which adopts the job.
  const { workflowExecution } = context.info;
  if (!workflowExecution) return 'superseded';
  const open = await deps.isWorkflowOpen(workflowExecution.workflowId, workflowExecution.runId).catch(() => true);
  return open ? 'asked' : 'superseded';
}

/** Ends the activity as failed, so that its workflow hands the job to another agent at once. */
export const agentShutdown = (): ApplicationFailure =>
  ApplicationFailure.create({ message: 'the agent is shutting down', type: 'agent-shutdown' });
