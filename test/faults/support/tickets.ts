import type { Stack } from '../../support/stack.js';

/** What a line cost: tickets made, how often they were handed to an agent, and what came of them. */
export async function ticketsOf(
  stack: Stack,
  queue: string,
): Promise<{ scheduled: number; deliveries: number; claims: number }> {
  const { scheduled, deliveries } = await stack.inTemporal(async (client) => {
    let scheduled = 0;
    let deliveries = 0;
    const workflowId = `line/${stack.entity}/${queue}`;
    for await (const run of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      const { events } = await client.workflow.getHandle(workflowId, run.runId).fetchHistory();
      for (const event of events ?? []) {
        if (event.activityTaskScheduledEventAttributes) scheduled++;
        deliveries += event.activityTaskStartedEventAttributes?.attempt ?? 0;
      }
    }
    return { scheduled, deliveries };
  });
  const [row] = await stack.ask<{ claims: number }>(
    `select count(*)::int as claims from launch_event e join launch l on l.id = e.launch_id join queue q on q.id = l.queue_id
     where q.name = '${queue}' and e.type = 'claimed'`,
  );
  return { scheduled, deliveries, claims: row?.claims ?? 0 };
}
