import { estimateInputOf, leastPast, needsPast, seedOf, startRange } from '../domain/estimate.js';
import { causesOf, slotsAt, type Cause } from '../domain/waiting.js';
import { agentsFor } from '../domain/waiting-agents.js';
import type { WaitingFacts } from '../domain/waiting-facts.js';
import { plural, roughly } from '../domain/waiting-words.js';
import { hitRateOf, pastOf, rememberEstimate, type HitRate, type Past } from '../store/estimates.js';
import type { Store } from '../store/open.js';
import { waitingFacts, waitingSubject, type WaitingSubject } from '../store/waiting.js';
import type { Dispatch } from './deps.js';

/** Why a launch waits and until when: facts of one moment, and what the rules make of them. */

export interface Waiting {
  /** 1 = next; null: held. */
  position: number | null;
  causes: Cause[];
  estimate?: Estimate;
  /** Why there is none. */
  noEstimate?: string;
}

export interface Estimate {
  madeAt: Date;
  earliest: Date;
  latest: Date;
  /** What it was made from. */
  basis: string;
  /** How good the last ones of the queue were. */
  hitRate: HitRate & { sentence: string };
}

export interface WaitingDeps {
  db: Store;
  dispatch: Pick<Dispatch, 'temporalAway'>;
}

/** Undefined: it does not wait. */
export async function waitingOf(deps: WaitingDeps, launchId: string): Promise<Waiting | undefined> {
  const subject = await waitingSubject(deps.db, launchId);
  if (!subject) return undefined;
  const waiting = await waitingAs(deps, subject, launchId);
  if (waiting.estimate) {
    const { queueId, epoch } = subject;
    await rememberEstimate(deps.db, { ...waiting.estimate, launchId, queueId, epoch });
  }
  return waiting;
}

/** The causes alone. */
export async function causesFor(deps: WaitingDeps, launchId: string): Promise<Cause[]> {
  const subject = await waitingSubject(deps.db, launchId);
  return subject ? causesOf(await factsOf(deps, subject)) : [];
}

/** Changes nothing: also for a launch that is only thought of. */
export async function waitingAs(deps: WaitingDeps, subject: WaitingSubject, seed: string): Promise<Waiting> {
  const [facts, past, rate] = await Promise.all([
    factsOf(deps, subject),
    pastOf(deps.db, subject.queueId, leastPast),
    hitRateOf(deps.db, subject.queueId),
  ]);
  const answer: Waiting = { position: facts.line.position, causes: causesOf(facts) };
  const { now } = facts;
  const input = estimateInputOf(facts, past.durationsMs, seedOf(seed));
  if (typeof input === 'string') return { ...answer, noEstimate: input };
  const range = startRange(input);
  return {
    ...answer,
    estimate: {
      madeAt: now,
      earliest: new Date(now.getTime() + range.earliestMs),
      latest: new Date(now.getTime() + range.latestMs),
      basis: needsPast(input) ? basisOf(facts, past) : 'There is room for it and for all that stand before it.',
      hitRate: { ...rate, sentence: rateSentence(rate) },
    },
  };
}

async function factsOf({ db, dispatch }: WaitingDeps, subject: WaitingSubject): Promise<WaitingFacts> {
  return { ...(await waitingFacts(db, subject)), temporalAway: dispatch.temporalAway() };
}

function basisOf(facts: WaitingFacts, past: Past): string {
  const sorted = [...past.durationsMs].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const whose = past.of === 'queue' ? 'this queue' : `queues of ${facts.queue.entity} (this one has hardly any past)`;
  const slots = slotsAt(agentsFor(facts).usable).total;
  const before = facts.line.ahead === 0 ? 'nobody' : plural(facts.line.ahead, 'launch');
  return (
    `The last ${plural(sorted.length, 'launch')} of ${whose} held a slot for ${roughly(median)} in the middle; ` +
    `there ${slots === 1 ? 'is one slot' : `are ${slots ?? 'unlimited'} slots`}, and ${before} before it. ` +
    'The range holds the start in 8 cases of 10, if nobody moves launches or comes in before it.'
  );
}

const rateSentence = ({ estimates, right }: HitRate): string =>
  estimates === 0
    ? 'No estimate of this queue has been measured yet.'
    : estimates === 1
      ? `The one measured estimate of this queue was ${right === 1 ? 'right' : 'wrong'}.`
      : `Of the last ${plural(estimates, 'estimate')} of this queue ${Math.round((right / estimates) * 100)} % were right.`;
