import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogue, failure, type ErrorCode, type Stage } from '../../domain/errors.js';
import { sentenceOf } from '../../domain/event-sentence.js';
import { endOf, type LaunchEnd } from '../../domain/outcome.js';
import { parkingReason, type Loss } from '../../domain/parking.js';
import { retryPolicySchema, type RetryPolicy } from '../../domain/retry-policy.js';
import { nameAfter, retryOf, type RetryFacts } from '../../domain/retry.js';
import { inWords, timeOutCodes, timeOutFailure } from '../../domain/time-outs.js';
import type { LaunchState } from '../../domain/words.js';
import type { JobStatus } from '../../domain/job-plan.js';

const failed = (code: ErrorCode, exitCode?: number, stage: Stage = 'run') =>
  ({ state: 'failed', exitCode, failure: failure(code, stage) }) as const;
const facts = (over: Partial<RetryFacts>): RetryFacts => ({
  policy: null,
  retries: {},
  end: failed('preempted'),
  name: 'closed',
  stopped: false,
  ...over,
});
const allow = (causes: Record<string, number>, more: Partial<RetryPolicy> = {}): RetryPolicy =>
  retryPolicySchema.parse({
    causes: Object.fromEntries(Object.entries(causes).map(([cause, attempts]) => [cause, { attempts }])),
    ...more,
  });

const causes = fc.constantFrom(
  'preempted',
  'agent-lost',
  'image-pull',
  'submit',
  'start-timeout',
  'exit',
  'exit:3',
  'exit:3,137',
);
const policies: fc.Arbitrary<RetryPolicy> = fc.record(
  {
    causes: fc.dictionary(causes, fc.record({ attempts: fc.nat(6) })),
    backoff: fc.record(
      {
        initialMs: fc.nat(100_000),
        factor: fc.double({ min: 1, max: 10, noNaN: true }),
        maxMs: fc.nat(1_000_000),
      },
      { requiredKeys: [] },
    ),
    attempt: fc.constantFrom('same' as const, 'new' as const),
    run: fc.constantFrom('resume' as const, 'new' as const),
  },
  { requiredKeys: ['causes'] },
);
const codes = Object.keys(catalogue) as ErrorCode[];
const ends: fc.Arbitrary<Pick<LaunchEnd, 'state' | 'exitCode' | 'failure'>> = fc
  .tuple(
    fc.constantFrom('finished' as const, 'failed' as const, 'stopped' as const),
    fc.constantFrom(undefined, 0, 1, 3, 137),
    fc.option(fc.constantFrom(...codes), { nil: undefined }),
    fc.constantFrom<Stage>('prepare', 'submit', 'run'),
  )
  .map(([state, exitCode, code, stage]) => ({ state, exitCode, failure: code && failure(code, stage) }));
const anyFacts = fc.record({
  policy: fc.option(policies),
  retries: fc.dictionary(causes, fc.nat(6)),
  end: ends,
  name: fc.constantFrom('unused' as const, 'closed' as const, 'unknown' as const),
  stopped: fc.boolean(),
});

describe('whatever happened and whatever the policy says', () => {
  test('a retry is only for a failure that nobody asked for, under a name that can start nothing more', () => {
    fc.assert(
      fc.property(anyFacts, (f) => {
        if (!retryOf(f)) return;
        expect(f.stopped).toBe(false);
        expect(f.end.state).toBe('failed');
        expect(f.name).not.toBe('unknown');
      }),
    );
  });

  test('each cause has its own count, and a launch that always fails is tried exactly as often as it may', () => {
    fc.assert(
      fc.property(anyFacts, (f) => {
        let retries: Record<string, number> = {};
        for (let tried = 0; ; tried++) {
          const retry = retryOf({ ...f, retries });
          if (!retry) {
            const last = Object.entries(retries)[0];
            expect(tried).toBe(last ? ((f.policy ?? allow({ preempted: 5 })).causes[last[0]]?.attempts ?? 0) : 0);
            return;
          }
          expect(retry.n).toBe(tried + 1);
          retries = { ...retries, [retry.cause]: retry.n };
          expect(Object.keys(retries)).toEqual([retry.cause]);
        }
      }),
    );
  });

  test('pauses never shrink and never exceed the most; only what was never begun keeps its number and its run', () => {
    fc.assert(
      fc.property(anyFacts, (f) => {
        const retry = retryOf(f);
        if (!retry) return;
        const before = retryOf({ ...f, retries: { ...f.retries, [retry.cause]: Math.max(0, retry.n - 2) } });
        expect(retry.waitMs).toBeGreaterThanOrEqual(before?.waitMs ?? 0);
        expect(retry.waitMs).toBeLessThanOrEqual(
          f.policy?.backoff?.maxMs ?? Math.max(600_000, f.policy?.backoff?.initialMs ?? 0),
        );
        if (!retry.newAttempt) expect(f).toMatchObject({ name: 'unused', policy: { attempt: 'same' } });
        if (retry.newRun) expect(retry.newAttempt).toBe(true);
      }),
    );
  });
});

describe('causes', () => {
  const causeOf = (policy: RetryPolicy, end: RetryFacts['end']) => retryOf(facts({ policy, end }))?.cause;

  test('by default a preempted job is tried five times more, at once, with its run; nothing else is', () => {
    expect(retryOf(facts({}))).toEqual({
      cause: 'preempted',
      n: 1,
      of: 5,
      waitMs: 0,
      newAttempt: true,
      newRun: false,
    });
    expect(retryOf(facts({ retries: { preempted: 5 } }))).toBeUndefined();
    for (const code of codes)
      if (code !== 'preempted') expect(retryOf(facts({ end: failed(code, 1) })), code).toBeUndefined();
  });

  test('the most particular cause decides alone', () => {
    const policy = allow({ exit: 3, 'exit:3,137': 1, 'exit:3': 0 });
    expect(causeOf(policy, failed('job-failed', 1))).toBe('exit');
    expect(causeOf(policy, failed('job-killed', 137))).toBe('exit:3,137');
    expect(causeOf(policy, failed('job-failed', 3))).toBeUndefined();
    expect(causeOf(allow({ exit: 3 }), failed('job-lost'))).toBeUndefined();
  });

  test('a job that was lost with its machine, a pull, a start that took too long have their own', () => {
    const policy = allow({ 'agent-lost': 1, 'image-pull': 1, 'start-timeout': 1, submit: 1 });
    expect(causeOf(policy, failed('job-lost'))).toBe('agent-lost');
    expect(causeOf(policy, failed('image-pull-failed', undefined, 'prepare'))).toBe('image-pull');
    expect(causeOf(policy, failed('start-timeout', undefined, 'submit'))).toBe('start-timeout');
    expect(causeOf(allow({ submit: 1 }), failed('start-timeout', undefined, 'submit'))).toBeUndefined();
  });

  test('submit is what kept the job from starting, unless it was wrong itself', () => {
    const policy = allow({ submit: 1 });
    expect(causeOf(policy, failed('submit-failed', undefined, 'submit'))).toBe('submit');
    expect(causeOf(policy, failed('package-index-unreachable', undefined, 'prepare'))).toBe('submit');
    for (const code of ['requirements-failed', 'code-invalid', 'command-not-found', 'submit-after-kill'] as const)
      expect(causeOf(policy, failed(code, undefined, 'prepare')), code).toBeUndefined();
    expect(causeOf(policy, failed('prepare-timeout', undefined, 'prepare'))).toBeUndefined();
  });

  test('pauses grow as the policy says', () => {
    const waits = (policy: RetryPolicy, end: RetryFacts['end'], cause: string) =>
      [0, 1, 2, 3].map((used) => retryOf(facts({ policy, end, retries: { [cause]: used } }))?.waitMs);
    expect(waits(allow({ exit: 9 }), failed('job-failed', 1), 'exit')).toEqual([10_000, 20_000, 40_000, 80_000]);
    const own = allow({ preempted: 9 }, { backoff: { initialMs: 100, factor: 3, maxMs: 500 } });
    expect(waits(own, failed('preempted'), 'preempted')).toEqual([100, 300, 500, 500]);
  });

  test('what may have left something keeps nothing; what an agent did not make sure of is not tried again', () => {
    const policy = allow({ submit: 2 }, { attempt: 'same', run: 'new' });
    const end = failed('submit-failed', undefined, 'submit');
    expect(retryOf(facts({ policy, end, name: 'unused' }))).toMatchObject({ newAttempt: false, newRun: false });
    expect(retryOf(facts({ policy, end, name: 'closed' }))).toMatchObject({ newAttempt: true, newRun: true });
    expect(nameAfter({ kind: 'failed', failure: end.failure })).toBe('unknown');
    expect(nameAfter({ kind: 'failed', failure: end.failure, name: 'closed' })).toBe('closed');
    expect(nameAfter({ kind: 'stopped' })).toBe('closed');
    expect(nameAfter({ kind: 'stopped', name: 'unknown' })).toBe('unknown');
  });
});

describe('an end that a time-out had a part in', () => {
  const status = (over: Partial<JobStatus>): JobStatus => ({
    name: 'davit-x-1',
    launchId: 'x',
    attempt: 1,
    agentId: 'a',
    state: 'ended',
    ...over,
  });
  const timedOut = timeOutFailure('run-timeout', { runMs: 90_000 }, 'running');
  const end = (over: Partial<JobStatus>) =>
    endOf({
      end: { kind: 'ended', status: status(over) },
      cancelRequested: true,
      timedOut,
      requireRun: false,
      run: undefined,
    });

  test('is failed with the code of the time-out when its kill ended the job', () => {
    expect(end({ exitCode: 143, signal: 'SIGTERM', killed: true })).toMatchObject({
      state: 'failed',
      exitCode: 143,
      failure: { code: 'run-timeout', message: 'The job ran for longer than 90 s.' },
    });
    expect(end({ lost: true })).toMatchObject({ state: 'failed', failure: { code: 'run-timeout' } });
  });
  test('is what the job made of it when that was quicker', () => {
    expect(end({ exitCode: 0 })).toMatchObject({ state: 'finished' });
    expect(end({ exitCode: 3 })).toMatchObject({ state: 'failed', failure: { code: 'job-failed' } });
  });
  test('every time-out says what took how long', () => {
    const limits = { prepareMs: 1, startMs: 1_500, runMs: 3_600_000, totalMs: 172_800_000 };
    expect(timeOutCodes.map((code) => timeOutFailure(code, limits, 'running').message)).toEqual([
      'It was not ready for the target within 1 ms.',
      'The target did not have the job running within 1.5 s.',
      'The job ran for longer than 1 h.',
      'The launch had not ended 2 d after it was accepted.',
    ]);
    expect(inWords(90_000)).toBe('90 s');
  });
  test('one over the whole life of a launch says in which stage it ran out', () => {
    const stageIn = (state: LaunchState) => timeOutFailure('total-timeout', { totalMs: 1 }, state).stage;
    expect(stageIn('queued')).toBe('claim');
    expect(stageIn('preparing')).toBe('prepare');
    expect(stageIn('starting')).toBe('submit');
    expect(stageIn('running')).toBe('run');
  });
});

describe('a preempted job', () => {
  const end = (status: Partial<JobStatus>, saidPreempting: boolean, cancelRequested = false) =>
    endOf({
      end: {
        kind: 'ended',
        status: { name: 'n', launchId: 'x', attempt: 1, agentId: 'a', state: 'ended', ...status },
      },
      cancelRequested,
      requireRun: true,
      run: { state: 'preempting' },
      saidPreempting,
    });
  const preempted = { state: 'failed', failure: { code: 'preempted', fault: 'target' }, runState: 'preempted' };

  test('is one whose target says so, or that said so itself and then died', () => {
    expect(end({ preempted: true, exitCode: 143 }, false)).toMatchObject(preempted);
    expect(end({ exitCode: 143, signal: 'SIGTERM' }, true)).toMatchObject(preempted);
    expect(end({ lost: true }, true)).toMatchObject(preempted);
  });
  test('is not one that finished, or that somebody cancelled', () => {
    expect(end({ exitCode: 0 }, true)).toMatchObject({ state: 'finished' });
    expect(end({ exitCode: 143 }, true, true)).toMatchObject({ state: 'stopped' });
    expect(end({ exitCode: 143, killed: true }, true, true)).toMatchObject({ state: 'stopped' });
  });
});

describe('parking', () => {
  const loss = (agent: string): Loss => ({
    agentId: agent,
    agent,
    at: '2026-01-02T03:04:05.000Z',
    seen: `${agent} was lost`,
  });

  test('is for a launch under which three different agents were lost, or the same ones five times', () => {
    expect(parkingReason([loss('a'), loss('b'), loss('a'), loss('b')])).toBeUndefined();
    expect(parkingReason([loss('a'), loss('a'), loss('a'), loss('a'), loss('a')])).toContain('5 times');
    expect(parkingReason([loss('a'), loss('b'), loss('c')])).toBe(
      '3 different agents were lost while they held it: a at 2026-01-02 03:04:05 UTC (a was lost), b at 2026-01-02 03:04:05 UTC (b was lost), ' +
        'c at 2026-01-02 03:04:05 UTC (c was lost). Look at their logs; then release or cancel it.',
    );
  });
});

test('the story says what happened, the how-manyth retry it is, and from when', () => {
  const data = { cause: 'preempted', n: 2, of: 5, message: 'The job was preempted.' };
  expect(sentenceOf('retry', { ...data, from: '2026-01-02T12:01:10.000Z' })).toBe(
    'The job was preempted. Will be tried again (preempted, 2 of 5), from 12:01:10 UTC.',
  );
  expect(sentenceOf('retry', { ...data, run: 'new1', runBefore: 'old1' })).toBe(
    'The job was preempted. Will be tried again (preempted, 2 of 5), as run new1 after old1.',
  );
});
