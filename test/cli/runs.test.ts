import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { defineRuns } from '../../cli/commands/runs.js';
import { ensureProject } from '../../store/projects.js';
import { saveAlert } from '../../store/run-alerts.js';
import { applyStream } from '../../store/run-stream.js';
import { upsertRun } from '../../store/run-upsert.js';
import { startTestApi, type TestApi } from '../api/support/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());
afterEach(() => vi.restoreAllMocks());

/** The command in this process: what it writes on standard output. */
async function davitRuns(...args: string[]): Promise<string> {
  let said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    said += String(chunk);
    return true;
  });
  const command = new Command().exitOverride();
  defineRuns(command);
  await command.parseAsync([...args, '--url', api.url, '--api-key', api.keys.ada], { from: 'user' });
  vi.restoreAllMocks();
  return said;
}

test('davit runs lists runs, and shows one with its values and what it alerted to', async () => {
  const project = await ensureProject(api.db, api.ids.lab, 'seen');
  const { run } = await upsertRun(api.db, {
    projectId: project.id,
    name: 'r1',
    userId: api.ids.ada,
    fields: { displayName: 'first try', config: '{"lr": {"value": 0.5}}', summary: '{"loss": 2, "_step": 7}' },
  });
  for (const text of ['it is 9', 'it is 10'])
    await saveAlert(api.db, run.id, { title: 'Loss is high', text, severity: 'WARN' }, 0);

  const listed = await davitRuns('list', '--project', 'lab/seen', '--state', 'running');
  expect(listed).toMatch(/^lab\/seen\/r1 +running +first try +ada /m);
  expect(await davitRuns('list', '--project', 'lab/seen', '--state', 'failed')).toBe('There are no such runs.\n');

  const shown = await davitRuns('show', 'lab/seen/r1');
  expect(shown).toMatch(/config +lr = 0.5\n/);
  expect(shown).toMatch(/summary +loss = 2\n/);
  expect(shown).not.toContain('_step');
  expect(shown).toMatch(/alerts +WARN \d+ s ago: Loss is high: it is 10\n +WARN \d+ s ago: Loss is high: it is 9\n/);
  const alerts = [
    { title: 'Loss is high', text: 'it is 10', severity: 'WARN' },
    { title: 'Loss is high', text: 'it is 9', severity: 'WARN' },
  ];
  expect(JSON.parse(await davitRuns('show', 'lab/seen/r1', '--json'))).toMatchObject({ name: 'r1', alerts });
  await expect(davitRuns('show', 'r1')).rejects.toThrow('"r1" is not project/run, or entity/project/run');
  await expect(davitRuns('show', 'lab/seen/r2')).rejects.toThrow('There is no run "lab/seen/r2"');
});

test('davit runs metrics shows what each metric of a run was at its least, greatest, mean and last', async () => {
  const project = await ensureProject(api.db, api.ids.lab, 'seen');
  const { run } = await upsertRun(api.db, { projectId: project.id, name: 'r3', userId: api.ids.ada, fields: {} });
  const lines = ['{"_step":0,"loss":NaN,"v/acc":1}', '{"_step":1,"loss":2.5,"note":"all\\ngood"}'];
  await applyStream(api.db, run.id, {
    lines: [{ file: 'history', offset: 0, lines }],
    preempting: false,
    complete: false,
  });

  const shown = await davitRuns('metrics', 'lab/seen/r3');
  expect(shown).toMatch(/^METRIC +LINES +MIN +MAX +MEAN +LAST$/m);
  expect(shown).toMatch(/^_step +2 +0 +1 +0.5 +1$/m);
  expect(shown).toMatch(/^loss +2 +2.5 +2.5 +2.5 +2.5$/m);
  expect(shown).toMatch(/^note +1 +- +- +- +all good$/m);
  const json = JSON.parse(await davitRuns('metrics', 'lab/seen/r3', '--prefix', 'v/', '--json')) as unknown;
  expect(json).toMatchObject([{ name: 'v/acc', min: 1, max: 1, mean: 1, last: 1 }]);
  expect(await davitRuns('metrics', 'lab/seen/r3', '--name', 'los')).toBe('There are no such metrics.\n');
  expect(await davitRuns('metrics', 'lab/seen/r3', '--system')).toBe('There are no such metrics.\n');
});
