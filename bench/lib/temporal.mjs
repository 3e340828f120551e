// Temporal's own view, with its client.
import { Client, Connection } from '@temporalio/client';
import { until } from './until.mjs';

/** Launches of one queue that have a workflow while they wait: the default of `davit server`. */
export const windowSize = 200;

export async function temporalOf(stack) {
  const connection = await Connection.connect({ address: stack.facts.temporalAddress });
  const client = new Client({ connection });
  /** By visibility. */
  const openLaunches = async () =>
    (await client.workflow.count("ExecutionStatus = 'Running' AND WorkflowType = 'launch'")).count;
  return {
    openLaunches,
    /** Visibility counts so many open launch workflows; answers how many it counts then. */
    untilOpen: (wanted) =>
      until(
        `${wanted} launch workflows to be open`,
        async () => {
          const count = await openLaunches();
          return count >= wanted ? count : undefined;
        },
        { everyMs: 200 },
      ),
    /** Does somebody of this identity poll the task queue for workflow tasks? */
    async polls(taskQueue, identity) {
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace: 'default',
        taskQueue: { name: taskQueue },
        taskQueueType: 1,
      });
      return (pollers ?? []).some((poller) => poller.identity === identity);
    },
    /** Event types in order, with their times. */
    async history(workflowId) {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      return (events ?? []).map((event) => ({
        ...event,
        atMs: Number(event.eventTime.seconds) * 1000 + event.eventTime.nanos / 1e6,
      }));
    },
    close: () => connection.close(),
  };
}
