// Temporal's own view, with its client.
import { Client, Connection } from '@temporalio/client';

export async function temporalOf(stack) {
  const connection = await Connection.connect({ address: stack.facts.temporalAddress });
  const client = new Client({ connection });
  return {
    /** Open launch workflows by visibility. */
    openLaunches: async () =>
      (await client.workflow.count("ExecutionStatus = 'Running' AND WorkflowType = 'launch'")).count,
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
