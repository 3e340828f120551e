import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Keyring, newKeyLine } from '../../store/keyring.js';
import { startGitServer, type GitServer } from '../support/git-server.js';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';

let git: GitServer;
let api: TestApi;
beforeAll(async () => {
  git = await startGitServer();
  api = await startTestApi({}, { git: { allowed: [git.url] }, keyring: Keyring.parse(newKeyLine(new Date())) });
  await makeLaunchable(api);
});
afterAll(async () => {
  await api.close();
  await git.close();
});

let repositories = 0;
const create = (job: string, body: Record<string, unknown>) =>
  api.call('POST', `/entities/lab/projects/demo/jobs/${job}/versions/git`, {
    body: { entryPoint: 'python train.py', ...body },
  });
const enqueue = (body: Record<string, unknown>, query = '') =>
  api.call('POST', `/launches${query}`, { body: { queue: 'lab/q', ...body } });

describe('a git job', () => {
  test('is of the commit that its branch was when it was made, wherever the branch goes', async () => {
    const flowers = git.repository('flowers');
    const first = flowers.commit({ 'train.py': 'print(1)' });
    const made = await create('moves', { remote: flowers.url, ref: 'main', pythonVersion: '3.11' });
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({ version: 'v0', commit: first, message: 'Created', files: 0 });
    const second = flowers.commit({ 'train.py': 'print(2)' });
    const again = await create('moves', { remote: flowers.url });
    expect(again.body).toMatchObject({ version: 'v1', commit: second });
    // The same commit again, though named differently by whoever asks, is what there is.
    expect((await create('moves', { remote: flowers.url })).body).toMatchObject({ version: 'v1', created: false });

    const { body } = await api.call('GET', '/entities/lab/projects/demo/jobs/moves');
    expect(body.versions.map((one: { source: { git: unknown } }) => one.source.git)).toEqual([
      { remote: flowers.url, commit: second, ref: 'main' },
      { remote: flowers.url, commit: first, ref: 'main' },
    ]);
    const planned = await enqueue({ job: 'lab/demo/moves:v0' }, '?dryRun=true');
    expect(planned.body.plan).toMatchObject({
      source: { kind: 'git', remote: flowers.url, commit: first },
      command: ['python', 'train.py'],
      pythonVersion: '3.11',
    });
    expect(planned.body.plan.codeDigest).toMatch(/^[0-9a-f]{64}$/);
  });

  test('tags are their commits, and a whole commit needs nobody to be asked', async () => {
    const tags = git.repository('tags');
    const first = tags.commit({ a: '1' });
    tags.git('tag', '--annotate', '--message', 'first', 'v1.0');
    tags.git('tag', 'light');
    tags.commit({ a: '2' });
    tags.push();
    for (const ref of ['v1.0', 'light', 'refs/tags/v1.0', first])
      expect((await create('tags', { remote: tags.url, ref })).body.commit, ref).toBe(first);
    const nowhere = `${git.url}never.git`;
    expect((await create('unseen', { remote: nowhere, ref: first })).status).toBe(201);
  });

  test('a launch may name another branch: what that is now is what runs, also when it is launched again', async () => {
    const repo = git.repository('branches');
    const main = repo.commit({ 'train.py': '1' });
    await create('branched', { remote: repo.url, patch: 'diff --git a/x b/x' });
    repo.git('checkout', '--quiet', '-b', 'try/this');
    const tried = repo.commit({ 'train.py': '2' });
    const accepted = await enqueue({ job: 'lab/demo/branched', overrides: { ref: 'try/this' } });
    expect(accepted.status, accepted.text).toBe(201);
    repo.commit({ 'train.py': '3' });
    const launch = async (id: string) => (await api.call('GET', `/launches/${id}`)).body;
    expect((await launch(accepted.body.id)).resolved.git).toEqual({ ref: 'try/this', commit: tried });
    const again = await api.call('POST', `/launches/${accepted.body.id}/relaunch`, { body: {} });
    expect((await launch(again.body.id)).resolved.git.commit).toBe(tried);

    // Changes on top of one commit say nothing about another.
    const plans = await Promise.all(
      [undefined, 'try/this', main].map(async (ref) => {
        const overrides = ref === undefined ? {} : { ref };
        return (await enqueue({ job: 'lab/demo/branched', overrides }, '?dryRun=true')).body.plan.source.patched;
      }),
    );
    expect(plans).toEqual([true, undefined, true]);
  });

  const refused: [string, Record<string, unknown>, number, string][] = [
    ['a branch that is not there', { ref: 'no-such' }, 400, 'git-ref-unknown'],
    ['a part of a commit', { ref: '0123abcd' }, 400, 'git-ref-unknown'],
    ['a revision that is an option', { ref: '--upload-pack=x' }, 400, 'invalid-request'],
    ['a repository that is not there', { remote: 'none.git' }, 502, 'git-unreachable'],
    ['another transport', { remote: 'ext::sh -c touch% /tmp/x' }, 400, 'git-refused'],
    ['a file of the machine', { remote: 'file:///etc' }, 400, 'git-refused'],
    ['a password in the address', { remote: 'https://ada:hunter2@git.example.test/x' }, 400, 'git-refused'],
    ['a secret that is not there', { credentials: 'none' }, 404, 'unknown-secret'],
    ['no entry point', { entryPoint: '"python' }, 400, 'missing-entry-point'],
    ['a Dockerfile outside', { dockerfile: '../Dockerfile' }, 400, 'invalid-request'],
    ['a Dockerfile and a base image', { dockerfile: 'Dockerfile', baseImage: 'python:3.11' }, 400, 'invalid-request'],
  ];
  test.each(refused)('%s is refused by name', async (_, { remote, ...body }, status, code) => {
    const repo = git.repository(`refused-${++repositories}`);
    repo.commit({ a: '1' });
    const address = remote === 'none.git' ? `${git.url}none.git` : (remote ?? repo.url);
    const answer = await create('refused', { remote: address, ...body });
    expect([answer.status, answer.body.code], answer.text).toEqual([status, code]);
    expect(answer.text).not.toContain('hunter2');
  });

  test('a private repository is opened by a named secret, and by nothing else', async () => {
    const repo = git.repository('private');
    const commit = repo.commit({ a: '1' });
    git.requirePassword('ada:hunter2');
    try {
      const without = await create('private', { remote: repo.url });
      expect([without.status, without.body.code]).toEqual([502, 'git-unreachable']);
      await api.call('PUT', '/entities/lab/secrets/deploy-key', { body: { value: 'ada:hunter2' } });
      // Whoever names the address sees what opens it: so it must be one that launches may have anyway.
      const closed = await create('private', { remote: repo.url, credentials: 'deploy-key' });
      expect(closed.body.code).toBe('secret-not-allowed');
      await api.call('PATCH', '/queues/lab/q', { body: { secrets: ['deploy-key'] } });
      const made = await create('private', { remote: repo.url, credentials: 'deploy-key' });
      expect(made.body, made.text).toMatchObject({ commit });
      const shown = await api.call('GET', '/entities/lab/projects/demo/jobs/private');
      expect(shown.body.versions[0].source.git.credentials).toBe('deploy-key');
      expect(shown.text).not.toContain('hunter2');
      // A branch of a launch is looked up with the same secret.
      const accepted = await enqueue({ job: 'lab/demo/private', overrides: { ref: 'main' } });
      expect(accepted.status, accepted.text).toBe(201);
      const elsewhere = await api.call('POST', '/queues', { body: { entity: 'lab', name: 'bare', target: 'process' } });
      expect(elsewhere.status).toBe(201);
      const refused = await enqueue({ queue: 'lab/bare', job: 'lab/demo/private', overrides: { ref: 'main' } });
      expect(refused.body.code).toBe('secret-not-allowed');
      // Nor is it taken without a branch to look up, or moved there: its agent could not fetch it.
      const unpinned = await enqueue({ queue: 'lab/bare', job: 'lab/demo/private' });
      expect([unpinned.status, unpinned.body.code], unpinned.text).toEqual([403, 'secret-not-allowed']);
      const moved = await api.call('POST', `/launches/${accepted.body.id}/transfer`, { body: { queue: 'lab/bare' } });
      expect([moved.status, moved.body.code], moved.text).toEqual([403, 'secret-not-allowed']);
      await api.call('DELETE', '/entities/lab/secrets/deploy-key');
      expect((await enqueue({ job: 'lab/demo/private' })).body.code).toBe('secret-not-allowed');
    } finally {
      git.requirePassword(undefined);
    }
  });

  test('a key that a killed API left is gone when the next one listens', async () => {
    const tmpFolder = mkdtempSync(join(tmpdir(), 'davit-api-tmp-'));
    mkdirSync(join(tmpFolder, 'key-x'));
    writeFileSync(join(tmpFolder, 'key-x', 'key'), 'secret');
    const next = await startTestApi({}, { git: { tmpFolder } });
    try {
      expect(existsSync(join(tmpFolder, 'key-x'))).toBe(false);
    } finally {
      await next.close();
      rmSync(tmpFolder, { recursive: true, force: true });
    }
  });

  test('only git jobs have branches', async () => {
    const answer = await enqueue({ job: 'lab/demo/train', overrides: { ref: 'main' } });
    expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([400, 'overrides.ref']);
  });
});
