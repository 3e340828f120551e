import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../support/engine.js';
import { until } from '../support/until.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
  for (const name of ['q', 'nobody', 'alone']) await engine.queue(name);
  await engine.startAgent({ queues: ['q'], maxJobs: 2 });
});
afterAll(() => engine.stop());

const sentencesOf = async (id: string): Promise<string[]> =>
  (await engine.show(id)).timeline.map((event) => event.sentence);

describe('a launch whose time is over', () => {
  test('while its job runs: the job is ended, and the launch failed with the code of the time-out', async () => {
    const job = await engine.script('endless', 'echo begun; sleep 1000');
    const id = await engine.enqueue('q', job, { timeouts: { runMs: 4_500, prepareMs: 600_000, startMs: 600_000 } });
    const running = await engine.untilState(id, ['running']);
    expect(running.deadline).toEqual({ code: 'run-timeout', at: expect.any(String) as string });
    expect(await engine.ended(id)).toMatchObject({
      state: 'failed',
      exitCode: 143,
      failure: { code: 'run-timeout', stage: 'run', message: 'The job ran for longer than 4.5 s.' },
      deadline: null,
    });
    expect(await sentencesOf(id)).toEqual(
      expect.arrayContaining([
        'Asked to stop by davit: The job ran for longer than 4.5 s.',
        'Failed with exit code 143: The job ran for longer than 4.5 s.',
      ]),
    );
  });

  test('gets its grace first, and is killed when it does not use it', async () => {
    const deaf = await engine.script('deaf', `trap 'echo asked' TERM; while :; do sleep 0.1; done`);
    const overrides = { resourceConfig: { graceSeconds: 1 } };
    const id = await engine.enqueue('q', deaf, { overrides, timeouts: { runMs: 4_000 } });
    expect(await engine.ended(id)).toMatchObject({
      state: 'failed',
      exitCode: 137,
      failure: { code: 'run-timeout' },
    });
    expect(await engine.logText(id, 'stdout')).toContain('asked');
  });

  test('while it is prepared: the preparation is stopped, and nothing was started', async () => {
    const job = await engine.job('slow', `sh -c ":>${join(engine.folder, 'slow.started')}"`, {
      'requirements.txt': './pkg\n',
      'pkg/pyproject.toml':
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "slow"\nversion = "1"\n',
      'pkg/backend.py': `
import time
def build_wheel(folder, config_settings=None, metadata_directory=None):
    time.sleep(1000)
`,
    });
    const id = await engine.enqueue('q', job, { timeouts: { prepareMs: 8_000 } });
    expect(await engine.ended(id)).toMatchObject({
      state: 'failed',
      exitCode: null,
      failure: { code: 'prepare-timeout', message: 'It was not ready for the target within 8 s.' },
    });
    expect(existsSync(join(engine.folder, 'slow.started'))).toBe(false);
  });

  test('while it waits: it ends at once, held or not', async () => {
    const job = await engine.script('waits', 'true');
    const timeouts = { totalMs: 1_200 };
    const ids = [
      await engine.enqueue('nobody', job, { timeouts }),
      await engine.enqueue('nobody', job, { timeouts, hold: true }),
    ];
    for (const id of ids) {
      expect(await engine.ended(id)).toMatchObject({
        state: 'failed',
        agent: null,
        failure: { code: 'total-timeout', message: 'The launch had not ended 1.2 s after it was accepted.' },
      });
    }
  });

  test('between two tries: it is not tried again', async () => {
    const job = await engine.script('again', 'exit 1');
    const retry = { causes: { exit: { attempts: 9 } }, backoff: { initialMs: 600_000 } };
    const id = await engine.enqueue('q', job, { retry, timeouts: { totalMs: 25_000 } });
    await until(async () => (await engine.show(id)).hold?.cause === 'back-off', { what: 'its pause' });
    expect(await engine.ended(id)).toMatchObject({ state: 'failed', attempt: 2, failure: { code: 'total-timeout' } });
  });

  test('with its agent away: the next agent of its place ends the job', async () => {
    const agent = await engine.startAgent({ name: 'leaves', queues: ['alone'] });
    const job = await engine.script('left', 'sleep 1000');
    // Nobody may be there any more when its time is over.
    const id = await engine.enqueue('alone', job, { timeouts: { runMs: 15_000 } });
    await engine.untilState(id, ['running']);
    const watchers = engine.agents.filter((each) => each !== agent);
    await Promise.all([agent.drain(), ...watchers.map((each) => each.drain())]);
    await engine.untilState(id, ['stopping']);
    await engine.startAgent({ name: 'comes', maxJobs: 2 });
    expect(await engine.ended(id)).toMatchObject({ state: 'failed', failure: { code: 'run-timeout' } });
  });
});

describe('beside a time-out', () => {
  test('a cancel by a person, while the job has its grace, is what the launch ends by', async () => {
    const deaf = await engine.script('stubborn', `trap '' TERM; while :; do sleep 0.1; done`);
    const overrides = { resourceConfig: { graceSeconds: 12 } };
    const id = await engine.enqueue('q', deaf, { overrides, timeouts: { runMs: 4_000 } });
    expect(await engine.untilState(id, ['stopping'])).toMatchObject({ cancelledBy: 'davit' });
    expect(await engine.cancel(id)).toBe('stopping');
    expect(await engine.ended(id)).toMatchObject({
      state: 'stopped',
      cancelledBy: engine.entity,
      failure: { code: 'cancelled' },
    });
  });

  test('a job that is quicker ends as it ends', async () => {
    const job = await engine.script('quick', 'sleep 0.5; exit 4');
    const id = await engine.enqueue('q', job, {
      timeouts: { prepareMs: 60_000, startMs: 60_000, runMs: 60_000, totalMs: 120_000 },
    });
    expect(await engine.ended(id)).toMatchObject({
      state: 'failed',
      exitCode: 4,
      failure: { code: 'job-failed' },
      deadline: null,
    });
  });
});
