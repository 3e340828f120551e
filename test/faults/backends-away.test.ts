import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { remoteName } from '../../domain/ids.js';
import { CountingJob } from '../support/counting-job.js';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { expectAllSlotsFree, expectAllWell } from './support/all-well.js';

let stack: Stack;
let job: CountingJob;
beforeAll(async () => {
  stack = await Stack.start({ ownTemporal: true, ownPostgres: true });
  job = await CountingJob.make(stack);
  for (const queue of ['stopped', 'lost', 'no-store']) await stack.queue(queue);
});
afterAll(() => stack.stop());

/** What the job has printed, whoever has read it. */
const printed = (id: string): string =>
  readFileSync(join(stack.workFolder, 'jobs', remoteName(id, 1), 'stdout'), 'utf8');

const workflowOf = (id: string): Promise<string> =>
  stack.inTemporal(async (client) => (await client.workflow.getHandle(`launch/${id}`).describe()).status.name);

describe('while Temporal is away', () => {
  test('launches are accepted and cancelled at once, and run in order when it is back', async () => {
    const running = await job.enqueue('stopped', { lines: 20, hold: true, after: 20 });
    await stack.untilState(running, ['running']);
    const early = await job.enqueue('stopped');
    const unwanted = await job.enqueue('stopped');

    await stack.temporal?.goAway();
    const late = [
      await job.enqueue('stopped', {}, { priority: 'low' }),
      await job.enqueue('stopped', {}, { priority: 'high' }),
    ];
    expect(await stack.cancel(unwanted)).toBe('stopped');
    expect(await stack.show(unwanted)).toMatchObject({ state: 'stopped', failure: { code: 'cancelled' } });
    // What runs goes on, and so does its log.
    job.release(running);
    await until(async () => (await stack.logText(running, 'stdout')).endsWith(`end of ${running}\n`), {
      what: 'the log of the running job to be whole',
    });

    await stack.temporal?.comeBack();
    await expectAllWell(stack, job, 'stopped', [
      ...[running, early, ...late].map((id) => ({ id })),
      { id: unwanted, state: 'stopped' },
    ]);
    await expectAllSlotsFree(stack, job, 'stopped', 1);
  });
});

describe("when Temporal's data is lost for good", () => {
  test('everything waiting runs in order, and what ran is adopted', async () => {
    const running = await job.enqueue('lost', { lines: 100, hold: true, after: 20 });
    const pid = await job.atWork(running);
    const waiting: string[] = [];
    for (const priority of ['low', 'medium', 'high']) waiting.push(await job.enqueue('lost', {}, { priority }));

    await stack.temporal?.goAway();
    await stack.temporal?.comeBack({ emptied: true });
    await until(async () => (await workflowOf(running)) === 'RUNNING', {
      what: 'a new workflow for what runs',
      ms: 90_000,
    });
    expect(job.starts(running)).toEqual([pid]);
    expect(stack.jobProcesses().map((each) => each.pid)).toContain(pid);
    expect((await stack.show(running)).state).toBe('running');
    job.release(running);
    await expectAllWell(
      stack,
      job,
      'lost',
      [running, ...waiting].map((id) => ({ id })),
    );
    await expectAllSlotsFree(stack, job, 'lost', 1);
  });
});

describe('while PostgreSQL is away', () => {
  test('the API says so, jobs go on, and nothing of their logs is missing when it is back', async () => {
    const running = await job.enqueue('no-store', { lines: 100, hold: true, after: 50 });
    await until(async () => (await stack.logText(running, 'stdout')).includes('line 5 '), { what: 'the log to begin' });
    const waiting = await job.enqueue('no-store');

    await stack.postgresAway();
    const answer = await fetch(`${stack.apiUrl}/api/v1/launches`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${stack.userKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ queue: 'no-store', job: job.job }),
    });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ code: 'store-unavailable', fault: 'platform' });
    const late = job.enqueue('no-store');

    await until(() => printed(running).includes('line 100 '), { what: 'the job to go on' });
    job.release(running);
    await until(() => printed(running).endsWith(`end of ${running}\n`), { what: 'the job to end' });

    await stack.postgresBack();
    const ids = [running, waiting, await late];
    await expectAllWell(
      stack,
      job,
      'no-store',
      ids.map((id) => ({ id })),
    );
    await expectAllSlotsFree(stack, job, 'no-store', 1);
  });
});
