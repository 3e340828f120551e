import { describe, expect, test } from 'vitest';
import { endOf, type EndFacts } from '../../domain/outcome.js';
import type { JobStatus } from '../../domain/job-plan.js';

const status = (over: Partial<JobStatus>): JobStatus => ({
  name: 'davit-x-1',
  launchId: 'x',
  attempt: 1,
  agentId: 'a',
  state: 'ended',
  exitCode: 0,
  ...over,
});
const facts = (over: Partial<EndFacts>): EndFacts => ({
  end: { kind: 'ended', status: status({}) },
  cancelRequested: false,
  requireRun: true,
  run: { state: 'finished' },
  ...over,
});
const ended = (over: Partial<JobStatus>, more: Partial<EndFacts> = {}) =>
  endOf(facts({ end: { kind: 'ended', status: status(over) }, ...more }));

describe('how a launch ended', () => {
  test('exit 0 with a run is finished', () => {
    expect(endOf(facts({}))).toMatchObject({ state: 'finished', exitCode: 0, failure: undefined });
  });
  test('exit 0 without wandb.init failed, unless no run is required', () => {
    expect(endOf(facts({ run: undefined }))).toMatchObject({
      state: 'failed',
      failure: { code: 'no-run', fault: 'user' },
    });
    expect(endOf(facts({ run: { state: 'pending' } }))).toMatchObject({ failure: { code: 'no-run' } });
    expect(endOf(facts({ run: undefined, requireRun: false }))).toMatchObject({ state: 'finished' });
  });
  test('exit 3 failed with that code, and its open run with it', () => {
    expect(ended({ exitCode: 3 })).toMatchObject({
      state: 'failed',
      exitCode: 3,
      failure: { code: 'job-failed' },
      runState: 'failed',
    });
  });
  test('a signal that nobody asked for is the target’s fault', () => {
    expect(ended({ exitCode: 137, signal: 'SIGKILL' })).toMatchObject({
      state: 'failed',
      failure: { code: 'job-killed', fault: 'target' },
    });
  });
  test('a job of which the end was not seen is lost, never finished', () => {
    expect(ended({ exitCode: undefined as never, lost: true })).toMatchObject({
      state: 'failed',
      failure: { code: 'job-lost' },
    });
  });
  test('a cancel that came too late does not undo a success', () => {
    expect(ended({ exitCode: 0 }, { cancelRequested: true })).toMatchObject({ state: 'finished' });
  });
  test('a job killed by our cancel is stopped, whatever its exit code', () => {
    for (const exitCode of [0, 1, 143])
      expect(ended({ exitCode, killed: true }, { cancelRequested: true })).toMatchObject({ state: 'stopped' });
  });
  test('cancelled before there was a job is stopped; a failure before is failed', () => {
    expect(endOf(facts({ end: { kind: 'stopped' }, cancelRequested: true }))).toMatchObject({ state: 'stopped' });
    const failed = { code: 'requirements-failed', stage: 'prepare', fault: 'user', message: 'm', fix: 'f' } as const;
    expect(endOf(facts({ end: { kind: 'failed', failure: failed } }))).toMatchObject({
      state: 'failed',
      failure: failed,
    });
  });
});
