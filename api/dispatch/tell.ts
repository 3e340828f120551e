import { WorkflowNotFoundError } from '@temporalio/client';
import { isTerminal, priorityOfNumber } from '../../domain/words.js';
import type { Store } from '../../store/open.js';
import { markTold, type NoteRow } from '../../store/outbox.js';
import { controlTaskQueue, workflowTypes } from '../../workflows/ids.js';
import { noteFrom, signalNames } from '../../workflows/messages.js';
import { attributesOf } from '../../workflows/search-attributes.js';
import type { LazyTemporal } from './temporal-client.js';

const deadlineMs = 5_000;

/**
 * Tells a launch's workflow what its row says, starting it when there is none. Safe to repeat and to overtake: the workflow ignores a
 * version that is not above the last one it saw. Rejects when Temporal did not take it; the row then stays due.
 */
export async function tell(db: Store, temporal: LazyTemporal, row: NoteRow): Promise<void> {
  if (row.told && row.state === 'queued') {
    // It waits already, and a launch that is back in line needs no other note than its next claim.
    await markTold(db, row.launchId, row.v, row.claim);
    return;
  }
  const client = await temporal.get();
  const note = noteFrom(row);
  await client.connection.withDeadline(Date.now() + deadlineMs, async () => {
    if (isTerminal(row.state)) {
      // A workflow that still waits is to end; one that has ended, or never was, must not be started again for it.
      await client.workflow.getHandle(row.workflowId).signal(signalNames.tell, note).catch(unlessGone);
      return;
    }
    await client.workflow.signalWithStart(workflowTypes.launch, {
      workflowId: row.workflowId,
      taskQueue: controlTaskQueue,
      args: [{ launchId: row.launchId }],
      signal: signalNames.tell,
      signalArgs: [note],
      workflowTaskTimeout: '5 seconds',
      staticSummary: `${row.jobName} on ${row.entity}/${row.queue}`,
      staticDetails: `Launch ${row.launchId} of ${row.projectEntity}/${row.project}, by ${row.author}, priority ${priorityOfNumber(row.priority)}`,
      typedSearchAttributes: attributesOf(note),
    });
  });
  await markTold(db, row.launchId, row.v, row.claim);
}

function unlessGone(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}
