import { ApplicationFailure } from '@temporalio/activity';
import { createHash } from 'node:crypto';
import { DavitError, failure } from '../../domain/errors.js';
import { launchIdSchema } from '../../domain/ids.js';
import { admitLaunch } from '../../store/admission.js';
import { giveBackAfterLoss, readEnd, recordEnd } from '../../store/attempts.js';
import { cancel } from '../../store/line.js';
import type { Store } from '../../store/open.js';
import { markStarted, markTold, noteOf } from '../../store/outbox.js';
import { launchWorkflowId } from '../../workflows/ids.js';
import { noteFrom, type LaunchNote } from '../../workflows/messages.js';
import type { ControlActivities } from '../contract.js';
import { changeActivities } from './changes.js';

export interface ControlDeps {
  db: Store;
  /** Launches at the front of a line that have a workflow from the start. */
  windowSize: number;
}

/** What the launch workflow calls. Each is one transaction or safe to repeat; the store being away is retried by Temporal without end. */
export function controlActivities({ db, windowSize }: ControlDeps): ControlActivities {
  const note = async (launchId: string): Promise<LaunchNote> => {
    const row = await noteOf(db, launchId);
    if (!row) throw ApplicationFailure.nonRetryable(`There is no launch ${launchId}.`, 'not-found');
    return noteFrom(row);
  };

  return {
    async admit({ request, workflowId }) {
      const launchId = launchIdOf(workflowId);
      try {
        await admitLaunch(db, {
          request,
          actorName: 'temporal',
          defaultEntity: request.entity,
          byHand: { workflowId, launchId },
          windowSize,
        });
      } catch (error) {
        if (error instanceof DavitError && error.entry.fault === 'user')
          throw ApplicationFailure.nonRetryable(error.message, error.code);
        throw error;
      }
      // Its workflow is there, it is this one. The row stays due: who finds it so nudges the line.
      await markStarted(db, launchId);
      return note(launchId);
    },

    async readNote({ launchId, workflowId }) {
      const row = await noteOf(db, launchId);
      if (row && row.workflowId !== workflowId) {
        throw ApplicationFailure.nonRetryable(`Launch ${launchId} is run by workflow ${row.workflowId}.`, 'conflict');
      }
      const found = await note(launchId);
      await markTold(db, launchId, found.v, found.claim?.id ?? null);
      return found;
    },

    async cancel({ launchId, actor }) {
      await cancel(db, launchId, actor, failure('cancelled', 'run'));
      const found = await note(launchId);
      // It hears of it by this answer; another tell would come to a workflow that has ended.
      await markTold(db, launchId, found.v, found.claim?.id ?? null);
      return found;
    },

    ...changeActivities(db),
    recordEnd: ({ launchId, claim, end }) => recordEnd(db, launchId, claim, end),
    giveBack: (input) => giveBackAfterLoss(db, input),
    readEnd: ({ launchId }) => readEnd(db, launchId),
  };
}

/**
 * The launch id of a workflow that somebody started by hand: the one in its id when that has our form, else one made of its id, so that a
 * repeated admit finds the same row.
 */
function launchIdOf(workflowId: string): string {
  const ours = workflowId.startsWith(launchWorkflowId('')) ? workflowId.slice(launchWorkflowId('').length) : '';
  if (launchIdSchema.safeParse(ours).success) return ours;
  const digest = createHash('sha256').update(workflowId).digest();
  return `h${BigInt(`0x${digest.toString('hex')}`).toString(36)}`.slice(0, 20);
}
