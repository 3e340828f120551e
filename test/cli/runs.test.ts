import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { defineRuns } from '../../cli/commands/runs.js';
import { ensureProject } from '../../store/projects.js';
import { saveAlert } from '../../store/run-alerts.js';
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
