import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../support/engine.js';
import { until } from '../support/until.js';

const run = promisify(execFile);
let engine: Engine;
let job: string;
beforeAll(async () => {
  engine = await Engine.start();
  await engine.queue('q');
  job = await engine.script('quick', 'true');
});
afterAll(() => engine.stop());

/** The `temporal` program as an operator types it. */
async function temporal(...args: string[]): Promise<string> {
  const { stdout } = await run(engine.temporal.program, [...args, '--address', engine.temporal.address]);
  return stdout;
}
const waiting = async (): Promise<string[]> => {
  const query = `LaunchQueue='${engine.entity}/q' AND LaunchStatus='queued'`;
  const found = JSON.parse(await temporal('workflow', 'list', '--query', query, '--output', 'json')) as {
    execution: { workflowId: string };
  }[];
  return found.map(({ execution }) => execution.workflowId).sort();
};

describe('with Temporal’s own command', () => {
  test('waiting launches are found by queue and state, and a launch started by hand is one like any other', async () => {
    const ids = [await engine.enqueue('q', job), await engine.enqueue('q', job)];
    const input = { queue: 'q', job: 'quick', entity: engine.entity, project: 'demo', requireRun: false };
    const started = [
      'workflow',
      'start',
      '--type',
      'launch',
      '--task-queue',
      'launch-control',
      '--workflow-id',
      'by-hand',
    ];
    await temporal(...started, '--input', JSON.stringify(input));
    const expected = [...ids.map((id) => `launch/${id}`), 'by-hand'].sort();
    await until(async () => JSON.stringify(await waiting()) === JSON.stringify(expected), {
      what: 'three waiting launches',
    });

    await engine.startAgent();
    for (const id of ids) expect(await engine.ended(id)).toMatchObject({ state: 'finished' });
    const byHand = await until(
      async () => (await engine.client.GET('/launches', { params: { query: { author: 'temporal' } } })).data?.items[0],
      { what: 'the launch made by hand' },
    );
    expect(await engine.ended(byHand.id)).toMatchObject({ state: 'finished', exitCode: 0 });
    // What is searched is written behind what is told.
    await until(async () => (await waiting()).length === 0, { what: 'no launch to be found waiting' });
    const history = JSON.parse(await temporal('workflow', 'show', '--workflow-id', 'by-hand', '--output', 'json')) as {
      events: unknown[];
    };
    expect(history.events.length).toBeLessThanOrEqual(40);
  });

  test('a start with a wrong input fails at once and says what is wrong', async () => {
    const started = [
      'workflow',
      'execute',
      '--type',
      'launch',
      '--task-queue',
      'launch-control',
      '--workflow-id',
      'wrong',
    ];
    const failed = await temporal(
      ...started,
      '--input',
      '{"queue":"nobody","job":"quick","entity":"ada","project":"demo"}',
    ).catch(
      (error: unknown) => (error as { stdout: string; stderr: string }).stdout + (error as { stderr: string }).stderr,
    );
    expect(failed).toContain('has no queue "nobody"');
    const shapeless = await temporal(...started, '--input', '{"qeue":"q"}').catch(
      (error: unknown) => (error as { stdout: string; stderr: string }).stdout + (error as { stderr: string }).stderr,
    );
    expect(shapeless).toContain('This is not a launch');
  });
});
