import type { Api } from '../client/index.js';
import { shortDuration } from './durations.js';
import type { Fact } from './output/facts.js';

/** Why a launch waits and until when, for people: of a launch that waits, and of a dry run. */
export type WaitingParts = Pick<Api<'LaunchWaiting'>, 'causes' | 'estimate' | 'noEstimate'>;

export function waitingFacts({ causes, estimate, noEstimate }: WaitingParts, nowMs = Date.now()): Fact[] {
  const sentences = causes.map(({ sentence }, i) => (causes.length === 1 ? sentence : `${i + 1}. ${sentence}`));
  return [
    ['because', sentences.length === 0 ? null : sentences],
    ['starts', estimate === undefined ? (noEstimate ?? null) : rangeWords(estimate, nowMs)],
    ['reckoned', estimate?.basis ?? null],
    ['how good', estimate?.hitRate.sentence ?? null],
  ];
}

function rangeWords({ earliest, latest }: { earliest: string; latest: string }, nowMs: number): string {
  const [fromMs, toMs] = [Math.max(0, Date.parse(earliest) - nowMs), Math.max(0, Date.parse(latest) - nowMs)];
  if (toMs < 2_000) return 'now';
  const [from, to] = [shortDuration(fromMs), shortDuration(toMs)];
  const clock = `${earliest.slice(11, 19)} to ${latest.slice(11, 19)} UTC`;
  return fromMs < 1_000 ? `within ${to} (until ${latest.slice(11, 19)} UTC)` : `in ${from} to ${to} (${clock})`;
}
