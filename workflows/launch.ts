import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  patched,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { RecordedEnd } from '../domain/outcome.js';
import { launchWorkflowInputSchema } from '../domain/launch-request.js';
import { nextStep } from '../domain/launch-flow.js';
import { attributesOf, launchAttributes } from './search-attributes.js';
import { signalNames, type LaunchNote, type LaunchResult } from './messages.js';
import { control } from './control.js';
import { obeyChanges } from './changes.js';
import { Attempt, type AttemptResult } from './attempt.js';

const tell = defineSignal<[LaunchNote]>(signalNames.tell);

/** A launch may be tried again a thousand times, at some 30 events each; a history must be replayed by whoever takes the workflow over. */
const continueAfterEvents = 2_000;

/**
 * One launch, from its place in line to its end. The row in the store is the truth; what the workflow knows of it comes by `tell`. Cancelling
 * it with Temporal's own tools is the same as a cancel by the API: the body runs where cancellation does not reach and asks the store.
 */
export async function launch(input: unknown): Promise<LaunchResult> {
  let cancelAsked = false;
  CancellationScope.current().cancelRequested.catch(() => {
    cancelAsked = true;
  });
  return CancellationScope.nonCancellable(() => follow(input, () => cancelAsked));
}

async function follow(input: unknown, cancelAsked: () => boolean): Promise<LaunchResult> {
  let note: LaunchNote | undefined;
  const learn = (told: LaunchNote): void => {
    if (!note || told.v > note.v) note = told;
  };
  setHandler(tell, learn);
  obeyChanges(() => note?.launchId);

  const opening = note ?? (await openingNote(input));
  learn(opening);
  const launchId = opening.launchId;
  if (workflowInfo().continuedFromExecutionRunId !== undefined) upsertSearchAttributes(attributesOf(opening));
  void condition(cancelAsked).then(async () => {
    learn(await control.cancel({ launchId, actor: 'temporal' }));
  });

  let lastClaim: string | undefined;
  for (;;) {
    const current: LaunchNote = note ?? opening;
    const step = nextStep(current, lastClaim);
    switch (step) {
      case 'wait':
        await condition(() => note !== current);
        if (note && (note.queue !== current.queue || note.priority !== current.priority))
          upsertSearchAttributes(attributesOf(note));
        break;
      case 'end':
        return ended(launchId, await control.readEnd({ launchId }));
      case 'serve':
      case 'adopt': {
        const claim = current.claim;
        if (!claim) throw ApplicationFailure.nonRetryable('a note of a claimed launch without its claim', 'internal');
        lastClaim = claim.id;
        upsertSearchAttributes([
          { key: launchAttributes.status, value: 'running' },
          { key: launchAttributes.agent, value: claim.agentName },
        ]);
        setCurrentDetails(`Taken by agent ${claim.agentName}, attempt ${current.attempt}`);
        const attempt = new Attempt(current, claim, () => note?.claim?.id === claim.id && note.cancelRequested);
        const end = await settle(launchId, claim.id, await attempt.run(step));
        if (end) return ended(launchId, end);
        upsertSearchAttributes([
          { key: launchAttributes.status, value: 'queued' },
          { key: launchAttributes.agent, value: null },
        ]);
        setCurrentDetails('Back in its place in line');
        // Between two attempts: everything there is to know is in the row, which the next run reads.
        if (workflowInfo().historyLength > continueAfterEvents && !cancelAsked() && patched('launch-continued'))
          await continueAsNew<typeof launch>({ launchId });
      }
    }
  }
}

/** Writes the attempt's end into the store. Undefined: the launch goes on (back in line, to be tried again too, or held by a newer claim). */
async function settle(launchId: string, claim: string, result: AttemptResult): Promise<RecordedEnd | undefined> {
  if (result.kind === 'fenced') return undefined;
  if (result.kind === 'lost') {
    const { agentLost, blameless, nextAttempt, reason } = result;
    const answer = await control.giveBack({
      launchId,
      claim,
      agentLost,
      ...(blameless ? { blameless } : {}),
      nextAttempt,
      reason,
    });
    return answer === 'ended' ? control.readEnd({ launchId }) : undefined;
  }
  const recorded = await control.recordEnd({ launchId, claim, end: result });
  return recorded.recorded ? recorded : undefined;
}

async function openingNote(input: unknown): Promise<LaunchNote> {
  const parsed = launchWorkflowInputSchema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues
      .map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`)
      .join('; ');
    throw ApplicationFailure.nonRetryable(`This is not a launch: ${problems}`, 'invalid-request');
  }
  const { workflowId } = workflowInfo();
  if ('launchId' in parsed.data) return control.readNote({ launchId: parsed.data.launchId, workflowId });
  const admitted = await control.admit({ request: parsed.data, workflowId });
  // Whoever started it by hand gave it none of the labels by which launches are found.
  upsertSearchAttributes(attributesOf(admitted));
  return admitted;
}

function ended(launchId: string, end: RecordedEnd): LaunchResult {
  if (!end.recorded) throw ApplicationFailure.nonRetryable(`launch ${launchId} has no recorded end`, 'internal');
  upsertSearchAttributes([{ key: launchAttributes.status, value: end.state }]);
  setCurrentDetails(`Ended: ${end.state}${end.failure ? ` (${end.failure})` : ''}`);
  return { launchId, state: end.state, exitCode: end.exitCode, failure: end.failure };
}
