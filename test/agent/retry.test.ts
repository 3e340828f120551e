import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { release } from '../../store/line-operations.js';
import { Engine } from '../support/engine.js';
import type { LaunchDetail } from '../support/launcher.js';
import { until } from '../support/until.js';
import { newestWandb, wandbPython } from '../support/wandb-clients.js';

let engine: Engine;
beforeAll(async () => {
  // An index that nobody serves is asked five times otherwise.
  process.env['PIP_RETRIES'] = '1';
  engine = await Engine.start();
  for (const name of ['q', 'alone', 'wandb']) await engine.queue(name);
  await engine.startAgent({ maxJobs: 3 });
});
afterAll(() => engine.stop());

/**
 * A job that writes down each of its starts and whether another process of the launch was at work, and ends with the code written for its
 * attempt into `codes` (the last one counts for all that follow).
 */
async function telltale(name: string, codes: number[], before = '') {
  const file = join(engine.folder, `${name}.starts`);
  const busy = join(engine.folder, `${name}.busy`);
  const job = await engine.script(
    name,
    `
set -- ${codes.join(' ')}
[ ! -e ${busy}.$DAVIT_LAUNCH_ID ] || echo twice >>${file}
: >${busy}.$DAVIT_LAUNCH_ID
echo "$DAVIT_ATTEMPT $WANDB_RUN_ID \${WANDB_RESUME:-no}" >>${file}
${before}
i=1
while [ $i -lt $DAVIT_ATTEMPT ] && [ $# -gt 1 ]; do shift; i=$((i + 1)); done
sleep 0.2
rm ${busy}.$DAVIT_LAUNCH_ID
exit $1
`,
  );
  const starts = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);
  return { job, starts };
}

const quick = { initialMs: 100, factor: 1 };
const retriesIn = (launch: LaunchDetail): string[] =>
  launch.timeline.filter((event) => event.type === 'retry').map((event) => event.sentence);

describe('a job that fails', () => {
  test('is tried again as often as its policy says, in the same run, and the story counts', async () => {
    const { job, starts } = await telltale('thrice', [3, 4, 0]);
    const retry = { causes: { exit: { attempts: 3 } }, backoff: quick };
    const launch = await engine.ended(await engine.enqueue('q', job, { retry }));
    expect(launch).toMatchObject({ state: 'finished', exitCode: 0, attempt: 3, retries: { exit: 2 }, hold: null });
    const run = launch.runName;
    expect(starts()).toEqual([`1 ${run} no`, `2 ${run} allow`, `3 ${run} allow`]);
    expect(retriesIn(launch)).toEqual([
      expect.stringMatching(
        /^The job ended with exit code 3\. Will be tried again \(exit, 1 of 3\), from \d\d:\d\d:\d\d UTC\.$/,
      ),
      expect.stringMatching(
        /^The job ended with exit code 4\. Will be tried again \(exit, 2 of 3\), from \d\d:\d\d:\d\d UTC\.$/,
      ),
    ]);
  });

  test('failed when its retries are used up, and says how it failed last', async () => {
    const { job, starts } = await telltale('never', [1, 2]);
    const retry = { causes: { exit: { attempts: 1 } }, backoff: quick };
    const launch = await engine.ended(await engine.enqueue('q', job, { retry }));
    expect(launch).toMatchObject({
      state: 'failed',
      exitCode: 2,
      failure: { code: 'job-failed' },
      retries: { exit: 1 },
    });
    expect(starts()).toHaveLength(2);
  });

  test('is not tried again by default, nor for a code that its policy does not name', async () => {
    const { job, starts } = await telltale('once', [7]);
    const plain = await engine.ended(await engine.enqueue('q', job));
    const retry = { causes: { 'exit:8,9': { attempts: 3 } } };
    const other = await engine.ended(await engine.enqueue('q', job, { retry }));
    for (const launch of [plain, other]) expect(launch).toMatchObject({ state: 'failed', attempt: 1, retries: {} });
    expect(starts()).toHaveLength(2);
  });

  test('gets a run of its own each time when the policy says so, and the story names them all', async () => {
    const { job, starts } = await telltale('runs', [1, 1, 0]);
    const retry = { causes: { exit: { attempts: 5 } }, backoff: { initialMs: 0 }, run: 'new' };
    const launch = await engine.ended(await engine.enqueue('q', job, { retry }));
    expect(launch.state).toBe('finished');
    const runs = starts().map((line) => line.split(' ')[1] ?? '');
    expect(new Set(runs).size).toBe(3);
    expect(launch.runName).toBe(runs[2]);
    expect(launch.resolved['runName']).toBe(runs[2]);
    const [first, second] = retriesIn(launch);
    expect(first).toContain(`as run ${runs[1]} after ${runs[0]}`);
    expect(second).toContain(`as run ${runs[2]} after ${runs[1]}`);
  });

  test('that was only to be prepared may keep its attempt and its run', async () => {
    const job = await engine.job('no-index', 'python train.py', {
      'train.py': '',
      'requirements.txt': '--index-url http://127.0.0.1:9/simple\ndavit-none==1\n',
    });
    const retry = { causes: { submit: { attempts: 1 } }, backoff: quick, attempt: 'same', run: 'new' };
    const id = await engine.enqueue('q', job, { retry });
    const { runName } = await engine.show(id);
    expect(await engine.ended(id, 120_000)).toMatchObject({
      state: 'failed',
      failure: { code: 'package-index-unreachable' },
      attempt: 1,
      retries: { submit: 1 },
      runName,
    });
  });
});

describe('a preempted job', () => {
  test(
    'said so to wandb before it died: it goes on in the same run, at once, and nobody takes it for its own failure',
    { timeout: 900_000 },
    async () => {
      const python = await wandbPython(newestWandb);
      const file = join(engine.folder, 'preempted.attempts');
      const job = await engine.job('preempted', 'sh run.sh', {
        'run.sh': `echo $DAVIT_ATTEMPT >>${file}; exec ${python} train.py`,
        'train.py': `
import os, signal, time, wandb
run = wandb.init(settings=wandb.Settings(x_file_stream_transmit_interval=1))
run.log({"attempt": int(os.environ["DAVIT_ATTEMPT"])})
if os.environ["DAVIT_ATTEMPT"] == "1":
    run.mark_preempting()
    while not os.path.exists("${file}.go"):
        time.sleep(0.1)
    os.killpg(os.getpgrp(), signal.SIGKILL)
run.finish()
`,
      });
      const id = await engine.enqueue('wandb', job, { requireRun: true });
      const { runName } = await engine.show(id);
      await until(async () => (await engine.show(id)).run?.state === 'preempting', {
        what: 'the run to say that it is being preempted',
        ms: 120_000,
      });
      appendFileSync(`${file}.go`, '');
      const launch = await engine.ended(id, 120_000);
      expect(launch).toMatchObject({
        state: 'finished',
        attempt: 2,
        retries: { preempted: 1 },
        runName,
        run: { name: runName, state: 'finished' },
      });
      expect(retriesIn(launch)).toEqual([
        'The job was preempted: its place was taken away for something else. Will be tried again (preempted, 1 of 5).',
      ]);
      expect(readFileSync(file, 'utf8')).toBe('1\n2\n');
      const run = await engine.database.db
        .selectFrom('run')
        .select(['history_lines', 'state', 'launch_id'])
        .where('name', '=', runName)
        .execute();
      expect(run).toEqual([{ history_lines: 2, state: 'finished', launch_id: id }]);
    },
  );
});

describe('while a launch waits for its next try', () => {
  const pausing = { causes: { exit: { attempts: 1 } }, backoff: { initialMs: 60_000 } };
  const heldFor = (id: string) =>
    until(async () => ((await engine.show(id)).hold ? engine.show(id) : undefined), { what: 'the pause', ms: 60_000 });

  test('its document says why and until when; its key opens nothing, and somebody may release it at once', async () => {
    const { job, starts } = await telltale('held', [5, 0]);
    const id = await engine.enqueue('q', job, { retry: pausing });
    const waiting = await heldFor(id);
    expect(waiting).toMatchObject({
      state: 'queued',
      held: true,
      hold: {
        cause: 'back-off',
        by: 'davit',
        reason: 'Waits 1 min before it is tried again (exit, 1 of 1). The job ended with exit code 5.',
      },
      exitCode: null,
      failure: null,
      agent: null,
      endedAt: null,
    });
    const keys = await engine.database.db
      .selectFrom('api_key')
      .select('revoked_at')
      .where('launch_id', '=', id)
      .execute();
    expect(keys.map((key) => key.revoked_at)).toEqual([expect.any(Date)]);
    await release(engine.database.db, id, 'ada');
    expect(await engine.ended(id)).toMatchObject({ state: 'finished', attempt: 2 });
    expect(starts()).toHaveLength(2);
  });

  test('the API may be away, and it runs once when both are over', async () => {
    const { job, starts } = await telltale('api-away', [5, 0]);
    // Long enough to be seen, and for an agent to leave in it.
    const retry = { causes: { exit: { attempts: 1 } }, backoff: { initialMs: 10_000 } };
    const id = await engine.enqueue('q', job, { retry });
    const { hold } = await heldFor(id);
    const over = new Date(hold?.releaseAt ?? 0).getTime();
    await engine.restartApi(() => until(() => Date.now() > over, { what: 'the end of the pause' }));
    expect(await engine.ended(id)).toMatchObject({ state: 'finished', attempt: 2, retries: { exit: 1 } });
    expect(starts()).toHaveLength(2);
  });

  test('its agent may leave for good, and another runs it', async () => {
    const first = await engine.startAgent({ name: 'first', queues: ['alone'] });
    const { job, starts } = await telltale('agent-away', [5, 0]);
    await Promise.all(engine.agents.filter((agent) => agent !== first).map((agent) => agent.drain()));
    const retry = { causes: { exit: { attempts: 1 } }, backoff: { initialMs: 10_000 } };
    const id = await engine.enqueue('alone', job, { retry });
    await heldFor(id);
    await first.drain();
    await engine.startAgent({ name: 'second', maxJobs: 3 });
    expect(await engine.ended(id)).toMatchObject({ state: 'finished', attempt: 2, agent: 'second' });
    expect(starts()).toHaveLength(2);
  });

  test('a cancel ends it', async () => {
    const { job, starts } = await telltale('cancelled', [5, 0]);
    const id = await engine.enqueue('q', job, { retry: pausing });
    await heldFor(id);
    expect(await engine.cancel(id)).toBe('stopped');
    expect(await engine.ended(id)).toMatchObject({ state: 'stopped', failure: { code: 'cancelled' } });
    expect(starts()).toHaveLength(1);
  });
});

test('many launches that fail again and again never run twice at once and are each tried as often as they may', async () => {
  const { job, starts } = await telltale('crowd', [1]);
  const retry = { causes: { 'exit:1': { attempts: 2 } }, backoff: { initialMs: 0 } };
  const ids: string[] = [];
  for (let i = 0; i < 8; i++) ids.push(await engine.enqueue('q', job, { retry }));
  for (const id of ids)
    expect(await engine.ended(id, 120_000)).toMatchObject({ state: 'failed', attempt: 3, retries: { 'exit:1': 2 } });
  expect(starts()).not.toContain('twice');
  expect(starts()).toHaveLength(24);
});
