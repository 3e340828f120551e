import { failure, type Failure, type Stage } from './errors.js';
import type { Timeouts } from './retry-policy.js';
import type { LaunchState } from './words.js';

/** Time-outs of a launch's steps, as the store names them in `launch.deadline`. */
export const timeOutCodes = ['prepare-timeout', 'start-timeout', 'run-timeout', 'total-timeout'] as const;
export type TimeOutCode = (typeof timeOutCodes)[number];
export const isTimeOutCode = (code: string | null): code is TimeOutCode =>
  (timeOutCodes as readonly (string | null)[]).includes(code);

const stageOf: Record<LaunchState, Stage> = {
  queued: 'claim',
  claimed: 'prepare',
  preparing: 'prepare',
  submitting: 'submit',
  starting: 'submit',
  running: 'run',
  stopping: 'run',
  finished: 'run',
  failed: 'run',
  stopped: 'run',
};

/** `stage`: the only one in which it can happen; without: whichever the launch was in. */
const kinds: Record<TimeOutCode, { of: keyof Timeouts; stage?: Stage; sentence(limit: string): string }> = {
  'prepare-timeout': {
    of: 'prepareMs',
    stage: 'prepare',
    sentence: (limit) => `It was not ready for the target within ${limit}.`,
  },
  'start-timeout': {
    of: 'startMs',
    stage: 'submit',
    sentence: (limit) => `The target did not have the job running within ${limit}.`,
  },
  'run-timeout': { of: 'runMs', stage: 'run', sentence: (limit) => `The job ran for longer than ${limit}.` },
  'total-timeout': {
    of: 'totalMs',
    sentence: (limit) => `The launch had not ended ${limit} after it was accepted.`,
  },
};

/** `state`: in which the launch was when its time was over. */
export function timeOutFailure(code: TimeOutCode, timeouts: Timeouts, state: LaunchState): Failure {
  const { of, stage, sentence } = kinds[code];
  return failure(code, stage ?? stageOf[state], sentence(inWords(timeouts[of] ?? 0)));
}

/** In the largest unit that keeps it whole. */
export function inWords(ms: number): string {
  const units: readonly [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ];
  const whole = units.find(([unit]) => ms >= unit && ms % unit === 0);
  if (whole) return `${ms / whole[0]} ${whole[1]}`;
  return ms >= 1_000 ? `${(ms / 1_000).toFixed(1)} s` : `${ms} ms`;
}
