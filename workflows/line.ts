import {
  condition,
  continueAsNew,
  defineSignal,
  patched,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { TicketActivities } from '../activities/contract.js';
import { emptyLine, isDrained, onAnswer, onIssue, onMore, toIssue, type LineState } from '../domain/line-flow.js';
import { lineTaskQueue } from './ids.js';
import { signalNames, type LineInput, type MoreNote } from './messages.js';
import { profiles } from './profiles.js';

const more = defineSignal<[MoreNote]>(signalNames.more);

/**
 * Events after which the history is begun anew; far below the server's suggestion, because a worker that takes the line over must replay it
 * within one workflow task, whose time-out is short (measured: 3,000 events took above 5 s on a machine with other work).
 */
const continueAfterEvents = (): number => (patched('shorter-runs') ? 1_000 : 3_000);

/**
 * Keeps tickets out on one queue's task queue while somebody waits there. A ticket that is out when the workflow continues as new or is
 * terminated needs no care: its claim still happens, and the grant travels by `tell`.
 */
export async function line(input: LineInput): Promise<void> {
  const { ticket } = proxyActivities<TicketActivities>({
    ...profiles.ticket,
    taskQueue: lineTaskQueue(input.entity, input.queue, input.class),
    summary: 'somebody waits here',
  });
  let state: LineState = { ...emptyLine, wanted: input.carried ?? 0 };
  setHandler(more, (left) => {
    state = onMore(state, left);
  });

  const issue = async (notesAtIssue: number): Promise<void> => {
    // A ticket that fails for good (it cannot, but an operator may reset it) counts as answered with what is known.
    const answer = await ticket({
      queueId: input.queueId,
      ...(input.class === undefined ? {} : { class: input.class }),
    }).catch(() => ({ left: 0 }));
    state = onAnswer(state, answer.left, notesAtIssue);
  };

  for (;;) {
    for (let n = toIssue(state); n > 0; n--) {
      state = onIssue(state);
      void issue(state.notes);
    }
    if (isDrained(state)) return;
    const seen = state;
    await condition(() => state !== seen);
    if (workflowInfo().historyLength > continueAfterEvents() || workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof line>({ ...input, carried: Math.max(state.wanted, state.out) });
    }
  }
}
