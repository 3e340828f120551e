import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../api/support/api.js';
import { startPython, wandbEnvironment } from '../support/run-python.js';
import { newestWandb, oldestWandb, wandbPython, type WandbVersion } from '../support/wandb-clients.js';

/** Clients make a job of a run themselves when they are asked to; it is then a job like others. */

let api: TestApi;
const folders: string[] = [];
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

const codeRun = `
import wandb
with wandb.init(config={"lr": 0.1}) as run:
    run.log_code(".", include_fn=lambda path, *rest: path.endswith("train.py"))
    run.log({"loss": 1.0})
`;
const gitRun = `
import wandb
with wandb.init(config={"lr": 0.1}) as run:
    run.log({"loss": 1.0})
`;

async function run(version: WandbVersion, script: string, environment: Record<string, string>, git: boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'davit-test-job-'));
  folders.push(folder);
  await writeFile(join(folder, 'train.py'), script);
  const env = { ...wandbEnvironment(folder, { url: api.url, key: api.keys.ada }), ...environment };
  const inRepository = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@example.test', ...args], { cwd: folder, env });
  if (git) {
    inRepository('init', '--quiet');
    inRepository('remote', 'add', 'origin', 'https://git.example.test/ada/flowers.git');
    inRepository('add', 'train.py');
    inRepository('commit', '--quiet', '--message', 'first');
  }
  const { code, output } = await startPython(await wandbPython(version), ['train.py'], { folder, env }).done;
  expect(code, output).toBe(0);
  return git ? inRepository('rev-parse', 'HEAD').toString().trim() : '';
}

async function jobsIn(project: string): Promise<{ name: string; kind: string; latestVersion: string }[]> {
  const { status, text, body } = await api.call('GET', `/entities/ada/projects/${project}/jobs`);
  expect(status, text).toBe(200);
  return body.items;
}

describe.each([oldestWandb, newestWandb])('wandb %s', (version) => {
  const wanted = { WANDB_DISABLE_JOB_CREATION: 'false' };
  const project = (kind: string) => `${kind}-${version.replaceAll('.', '-')}`;

  test('a run that logs its code leaves a job of that code, under the name that was asked for', async () => {
    const env = { ...wanted, WANDB_PROJECT: project('code'), WANDB_JOB_NAME: 'mine' };
    await run(version, codeRun, env, false);
    expect(await jobsIn(project('code'))).toMatchObject([{ name: 'mine', kind: 'code', latestVersion: 'v0' }]);
    const { body } = await api.call('GET', `/entities/ada/projects/${project('code')}/jobs/mine`);
    expect(body.versions[0].entryPoint.at(-1)).toBe('train.py');
    expect(body.versions[0].codeDigest).toMatch(/^[0-9a-f]{32}$/);
  });

  test('a run in a repository leaves a job of its commit, named after the repository and the program', async () => {
    const commit = await run(version, gitRun, { ...wanted, WANDB_PROJECT: project('git') }, true);
    const [job, ...others] = await jobsIn(project('git'));
    expect(others).toEqual([]);
    expect(job).toMatchObject({ kind: 'git', latestVersion: 'v0' });
    expect(job?.name).toMatch(/^job-https___git\.example\.test_ada_flowers\.git_train\.py$/);
    const { body } = await api.call('GET', `/entities/ada/projects/${project('git')}/jobs/${job?.name}`);
    expect(body.versions[0].source.git).toEqual({ remote: 'https://git.example.test/ada/flowers.git', commit });
  });
});
