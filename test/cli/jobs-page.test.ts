import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, DavitUp, newHome, repository } from '../support/davit-up.js';
import { DocPage } from '../support/doc-page.js';
import { startGitServer, type GitServer } from '../support/git-server.js';

/** The commands of docs/jobs.md, in the order in which they stand there. */

const home = newHome();
const page = new DocPage('jobs');
let git: GitServer;
let up: DavitUp;
beforeAll(async () => {
  await buildProgram();
  git = await startGitServer();
  // The page is about the jobs of ada, and the only git servers that need no leave speak https or ssh.
  up = await DavitUp.start(home.path, { env: { DAVIT_ENTITY: 'ada', DAVIT_GIT_ALLOWED: git.url } });
});
afterAll(async () => {
  await up.stop();
  await git.close();
  page.remove();
  home.remove();
});

describe('docs/jobs.md', { timeout: 300_000 }, () => {
  test('makes jobs, looks at them, compares them and runs one', async () => {
    const { code, stdout, stderr } = await page.typed('make', up);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('python -u train.py');
    const { data: versions } = await up.client.GET('/entities/{entity}/projects/{project}/jobs/{job}', {
      params: { path: { entity: 'ada', project: 'flowers', job: 'iris' } },
    });
    // The same folder three times, and one other entry point.
    expect(versions?.versions.map(({ version, aliases }) => [version, [...aliases].sort()])).toEqual([
      ['v1', ['best', 'latest']],
      ['v0', ['first']],
    ]);
    const { data: image } = await up.client.GET('/entities/{entity}/projects/{project}/jobs/{job}', {
      params: { path: { entity: 'ada', project: 'flowers', job: 'train' } },
    });
    expect(image?.versions[0]?.aliases).toContain('1.2');
    const { data: launches } = await up.client.GET('/launches', {});
    expect(launches?.items).toMatchObject([{ state: 'finished', jobVersion: 'iris:v1' }]);
  });

  test('inputs are enforced', async () => {
    const { code, stdout, stderr } = await page.typed('inputs', up);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('refused: learning_rate must be a number');
    expect(stderr).toContain('learning_rate');
  });

  test('a job of a repository is made, and launched from another branch', async () => {
    const flowers = git.repository('flowers');
    const files = Object.fromEntries(
      ['train.py', 'requirements.txt', 'iris.csv'].map((name) => [
        name,
        readFileSync(join(repository, 'examples', name), 'utf8'),
      ]),
    );
    flowers.commit(files);
    flowers.git('checkout', '--quiet', '-b', 'try/other-loss');
    const other = flowers.commit({ 'train.py': `${files['train.py']}\nprint("the other loss")\n` });
    const instead = { 'https://git.example.org/ada/': git.url };
    const { code, stdout, stderr } = await page.typed('git', up, { instead });
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('the other loss');
    const { data: launches } = await up.client.GET('/launches', {});
    const { data: launch } = await up.client.GET('/launches/{id}', {
      params: { path: { id: launches?.items[0]?.id ?? '' } },
    });
    expect(launch).toMatchObject({ state: 'finished', plan: { source: { kind: 'git', commit: other } } });
  });

  test('a template variable is filled in', async () => {
    const { code, stdout, stderr } = await page.typed('template', up);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/nice.*7/);
  });

  test('has no other commands', () => expect(page.left).toEqual([]));
});
