import { Client, Connection } from '@temporalio/client';

/** Lends a client of a Temporal server. */
export async function withTemporal<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address, connectTimeout: 5_000 });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

/** A workflow that no worker takes: it waits, durably. */
export const leaveWorkflow = (address: string, workflowId: string) =>
  withTemporal(address, (client) => client.workflow.start('nobody', { taskQueue: 'nobody', workflowId }));

export const workflowStatus = (address: string, workflowId: string) =>
  withTemporal(address, async (client) => (await client.workflow.getHandle(workflowId).describe()).status.name);
