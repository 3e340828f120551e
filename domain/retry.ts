import type { AttemptEnd, LaunchEnd } from './outcome.js';
import { defaultRetryPolicy, type RetryPolicy } from './retry-policy.js';

/** Does the end of an attempt lead back to the line? Pure; applied by the store in the transaction that records the end. */

/**
 * What is known of the attempt's name at the target. `unused`: nothing was asked of the target. `closed`: no job of this name can begin any
 * more. `unknown`: one might, so a retry could run beside it, and there is none.
 */
export type NameAtTarget = 'unused' | 'closed' | 'unknown';

export interface RetryFacts {
  /** Null: the default. */
  policy: RetryPolicy | null;
  /** Cause as the policy writes it -> how often it was used. */
  retries: Readonly<Record<string, number>>;
  /** How the launch ends if it is not tried again. */
  end: Pick<LaunchEnd, 'state' | 'exitCode' | 'failure'>;
  name: NameAtTarget;
  /** Somebody asked for a stop, or a time is over that ends the launch for good. */
  stopped: boolean;
}

export interface Retry {
  /** As the policy writes it. */
  cause: string;
  /** The how-manyth retry for this cause it is, from 1, and how many there may be. */
  n: number;
  of: number;
  waitMs: number;
  newAttempt: boolean;
  newRun: boolean;
}

export function retryOf(facts: RetryFacts): Retry | undefined {
  const { end, name, stopped } = facts;
  if (stopped || end.state !== 'failed' || name === 'unknown') return undefined;
  const policy = facts.policy ?? defaultRetryPolicy;
  const cause = causeIn(policy, end);
  if (cause === undefined) return undefined;
  const of = policy.causes[cause]?.attempts ?? 0;
  const n = (facts.retries[cause] ?? 0) + 1;
  if (n > of) return undefined;
  const newAttempt = name !== 'unused' || policy.attempt !== 'same';
  // An attempt that keeps its number never began its run either.
  return { cause, n, of, waitMs: waitMsOf(policy, cause, n), newAttempt, newRun: newAttempt && policy.run === 'new' };
}

export function nameAfter(end: AttemptEnd): NameAtTarget {
  if (end.kind === 'ended') return 'closed';
  return end.name ?? (end.kind === 'failed' ? 'unknown' : 'closed');
}

/** The policy's cause that this end belongs to; the most particular one decides alone, so that `exit:2` with 0 attempts excepts that code. */
function causeIn(policy: RetryPolicy, { failure, exitCode }: RetryFacts['end']): string | undefined {
  if (!failure) return undefined;
  const named = (cause: string): string | undefined => (Object.hasOwn(policy.causes, cause) ? cause : undefined);
  switch (failure.code) {
    case 'preempted':
      return named('preempted');
    case 'job-lost':
      return named('agent-lost');
    case 'image-pull-failed':
      return named('image-pull');
    case 'start-timeout':
      return named('start-timeout');
    case 'job-failed':
    case 'job-killed':
      return exitCauseIn(policy, exitCode) ?? named('exit');
    case 'prepare-timeout':
    case 'run-timeout':
    case 'total-timeout':
      return undefined;
    default:
      // What the user did wrong goes wrong again.
      return (failure.stage === 'prepare' || failure.stage === 'submit') && failure.fault !== 'user'
        ? named('submit')
        : undefined;
  }
}

function exitCauseIn(policy: RetryPolicy, exitCode: number | undefined): string | undefined {
  const listing = Object.keys(policy.causes)
    .map((cause) => ({ cause, codes: codesOf(cause) }))
    .filter(({ codes }) => codes.includes(String(exitCode)))
    .sort((a, b) => a.codes.length - b.codes.length || (a.cause < b.cause ? -1 : 1));
  return listing[0]?.cause;
}

const codesOf = (cause: string): string[] =>
  cause.startsWith('exit:')
    ? cause
        .slice('exit:'.length)
        .split(',')
        .map((code) => String(Number(code)))
    : [];

const defaultBackoff = { initialMs: 10_000, factor: 2, maxMs: 600_000 };

/** A preempted job waits only if the policy says how long: it did nothing wrong, and the line decides when there is room. */
function waitMsOf(policy: RetryPolicy, cause: string, n: number): number {
  if (cause === 'preempted' && !policy.backoff) return 0;
  const initialMs = policy.backoff?.initialMs ?? defaultBackoff.initialMs;
  const factor = policy.backoff?.factor ?? defaultBackoff.factor;
  const maxMs = policy.backoff?.maxMs ?? Math.max(defaultBackoff.maxMs, initialMs);
  return Math.round(Math.min(maxMs, initialMs * factor ** (n - 1)));
}
