import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { x as extract } from 'tar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchCommit, type GitFetch } from '../../sources/git/fetch.js';
import { Engine } from '../support/engine.js';
import { startGitServer, type GitRepository, type GitServer } from '../support/git-server.js';
import { writeFile } from 'node:fs/promises';

let git: GitServer;
let engine: Engine;
let folder: string;
beforeAll(async () => {
  git = await startGitServer();
  folder = mkdtempSync(join(tmpdir(), 'davit-fetch-'));
  engine = await Engine.start({ gitAllowed: [git.url] });
  await engine.queue('q');
  await engine.startAgent({ queues: ['q'] });
});
afterAll(async () => {
  await engine.stop();
  await git.close();
  rmSync(folder, { recursive: true, force: true });
});

let fetched = 0;
async function fetchInto(repository: GitRepository, commit: string, over: Partial<GitFetch> = {}) {
  const place = join(folder, String(++fetched));
  const toFile = join(place, 'code.tar.gz');
  let said = '';
  await fetchCommit({
    remote: repository.url,
    commit,
    allowed: [git.url],
    toFile,
    tmpFolder: join(place, 'tmp'),
    signal: AbortSignal.timeout(60_000),
    onLog: (text) => (said += text),
    ...over,
  });
  await extract({ file: toFile, cwd: place });
  return { said, place, read: (path: string) => readFileSync(join(place, path), 'utf8') };
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => ({ code: 'none', message: '' }),
    (error: unknown) => error as { code: string; message: string },
  );

describe('what is fetched', () => {
  test('is the commit, also when no branch names it any more, without anything of git', async () => {
    const repo = git.repository('rewritten');
    const first = repo.commit({ 'a.txt': 'first', 'run.sh': '#!/bin/sh\n' });
    repo.git('update-index', '--chmod=+x', 'run.sh');
    const second = repo.commit({ 'a.txt': 'second' });
    expect((await fetchInto(repo, first)).read('a.txt')).toBe('first');
    const { place, read } = await fetchInto(repo, second);
    expect(read('a.txt')).toBe('second');
    expect(readdirSync(place).sort()).toEqual(['a.txt', 'code.tar.gz', 'run.sh', 'tmp']);
  });

  test('has its submodules, also those of submodules, and none from where the policy forbids', async () => {
    const [inner, middle, outer] = ['inner', 'middle', 'outer'].map((name) => git.repository(name));
    if (!inner || !middle || !outer) throw new Error('no repositories');
    inner.commit({ 'deep.txt': 'deep' });
    middle.addSubmodule(inner, 'inner', inner.url);
    middle.commit({ 'middle.txt': 'middle' });
    outer.addSubmodule(middle, 'parts/middle', '../middle.git');
    const commit = outer.commit({ 'outer.txt': 'outer' });
    const { read } = await fetchInto(outer, commit);
    expect([read('outer.txt'), read('parts/middle/middle.txt'), read('parts/middle/inner/deep.txt')]).toEqual([
      'outer',
      'middle',
      'deep',
    ]);

    const bad = git.repository('bad-submodule');
    bad.addSubmodule(inner, 'x', 'ext::sh -c touch% /tmp/x');
    const aimed = bad.commit({});
    expect(await failureOf(fetchInto(bad, aimed))).toMatchObject({ code: 'git-refused' });
  });

  test('has the changes of the job on top, or says that they do not apply', async () => {
    const repo = git.repository('patched');
    const commit = repo.commit({ 'a.txt': 'one\n' });
    await writeFile(join(repo.folder, 'a.txt'), 'two\n');
    await writeFile(join(repo.folder, 'new.txt'), 'new\n');
    repo.git('add', '--intent-to-add', 'new.txt');
    const diff = `${repo.git('diff')}\n`;
    const patch = (text: string) => ({ patch: (file: string) => writeFile(file, text) });
    const { read } = await fetchInto(repo, commit, patch(diff));
    expect([read('a.txt'), read('new.txt')]).toEqual(['two\n', 'new\n']);
    const other = repo.commit({ 'a.txt': 'three\n', 'new.txt': 'there\n' });
    expect(await failureOf(fetchInto(repo, other, patch(diff)))).toMatchObject({ code: 'patch-failed' });
  });

  test('is refused by name when it is not there, and leaves nothing behind', async () => {
    const repo = git.repository('known');
    const commit = repo.commit({ a: '1' });
    const none = 'f'.repeat(40);
    expect(await failureOf(fetchInto(repo, none))).toMatchObject({ code: 'git-ref-unknown' });
    const nowhere = { ...repo, url: `${git.url}nowhere.git` };
    expect(await failureOf(fetchInto(nowhere, commit))).toMatchObject({ code: 'git-unreachable' });
    expect(await failureOf(fetchInto(repo, commit, { allowed: [] }))).toMatchObject({ code: 'git-refused' });
    git.requirePassword('ada:hunter2');
    try {
      const locked = await failureOf(fetchInto(repo, commit));
      expect(locked).toMatchObject({ code: 'git-unreachable' });
      const wrong = await failureOf(fetchInto(repo, commit, { credentials: 'ada:wrong-word' }));
      expect(wrong.code).toBe('git-unreachable');
      expect(wrong.message).not.toContain('wrong-word');
      const { read, said } = await fetchInto(repo, commit, { credentials: 'ada:hunter2' });
      expect(read('a')).toBe('1');
      expect(said).not.toMatch(/hunter2|YWRhOmh1bnRlcjI=/);
    } finally {
      git.requirePassword(undefined);
    }
    for (const one of [fetched - 1, fetched]) expect(readdirSync(join(folder, String(one), 'tmp'))).toEqual([]);
  });

  test('stops at once when nobody wants it any more', async () => {
    const repo = git.repository('unwanted');
    const commit = repo.commit({ a: '1' });
    const abort = new AbortController();
    const work = fetchInto(repo, commit, { signal: abort.signal, onLog: () => abort.abort(new Error('enough')) });
    expect((await failureOf(work)).message).toBe('enough');
  });
});

describe('a launch of a git job', () => {
  const jobs = '/entities/{entity}/projects/{project}/jobs/{job}/versions/git' as const;
  const make = async (
    job: string,
    body: { remote: string; ref?: string; patch?: string; credentials?: string; entryPoint: string },
  ) => {
    const params = { path: { entity: engine.entity, project: 'demo', job } };
    const { data } = await engine.client.POST(jobs, { params, body });
    return `${engine.entity}/demo/${job}:${data?.version ?? ''}`;
  };

  test('runs the files of its commit as a process, with the changes that the job brings', async () => {
    const repo = git.repository('runs');
    repo.commit({ 'run.sh': 'cat word.txt; echo "$@"\n', 'word.txt': 'committed\n' });
    await writeFile(join(repo.folder, 'word.txt'), 'changed\n');
    const patch = repo.git('diff');
    repo.git('checkout', '--quiet', '.');
    const plain = await make('plain', { remote: repo.url, entryPoint: 'sh run.sh' });
    const changed = await make('changed', { remote: repo.url, patch, entryPoint: 'sh run.sh' });
    repo.commit({ 'word.txt': 'later\n' });
    for (const [job, word] of [
      [plain, 'committed'],
      [changed, 'changed'],
    ] as const) {
      const id = await engine.enqueue('q', job, { overrides: { args: ['a b'] } });
      expect(await engine.ended(id)).toMatchObject({ state: 'finished' });
      expect(await engine.logText(id, 'stdout')).toBe(`${word}\na b\n`);
      expect(await engine.logText(id, 'prepare')).toContain(`of ${repo.url}`);
    }
    const later = await engine.enqueue('q', plain, { overrides: { ref: 'main' } });
    expect(await engine.ended(later)).toMatchObject({ state: 'finished' });
    expect(await engine.logText(later, 'stdout')).toContain('later');
  });

  test('whose list of packages is no list fails before it is read, with the cause', async () => {
    const repo = git.repository('huge-list');
    repo.commit({ 'run.sh': 'true', 'requirements.txt': '#'.repeat(1024 ** 2 + 1) });
    const job = await make('huge-list', { remote: repo.url, entryPoint: 'sh run.sh' });
    const ended = await engine.ended(await engine.enqueue('q', job));
    expect(ended).toMatchObject({
      state: 'failed',
      failure: { code: 'code-invalid', stage: 'prepare', fault: 'user' },
    });
    expect(ended.failure?.message).toContain('requirements.txt');
  });

  test('whose secret opens no such address fails with the cause', async () => {
    const repo = git.repository('other-kind');
    const commit = repo.commit({ 'run.sh': 'true' });
    const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n';
    await engine.client.PUT('/entities/{entity}/secrets/{secret}', {
      params: { path: { entity: engine.entity, secret: 'ssh-key' } },
      body: { value: key },
    });
    await engine.client.PATCH('/queues/{entity}/{queue}', {
      params: { path: { entity: engine.entity, queue: 'q' } },
      body: { secrets: ['ssh-key'] },
    });
    const job = await make('other-kind', { remote: repo.url, ref: commit, credentials: 'ssh-key', entryPoint: 'sh x' });
    const ended = await engine.ended(await engine.enqueue('q', job));
    expect(ended).toMatchObject({ state: 'failed', failure: { code: 'git-refused', stage: 'prepare', fault: 'user' } });
  });

  test('whose commit is gone fails in the preparation, with the cause', async () => {
    const repo = git.repository('gone');
    repo.commit({ a: '1' });
    const job = await make('gone', { remote: repo.url, ref: 'e'.repeat(40), entryPoint: 'sh run.sh' });
    const ended = await engine.ended(await engine.enqueue('q', job));
    expect(ended).toMatchObject({
      state: 'failed',
      failure: { code: 'git-ref-unknown', stage: 'prepare', fault: 'user' },
    });
  });
});

test('an agent that starts removes the keys and clones that a killed one of its name left, and nobody else’s', async () => {
  const workFolder = join(folder, 'work');
  const tmp = join(workFolder, 'tmp', engine.entity);
  for (const name of ['killed', 'other']) {
    mkdirSync(join(tmp, name, 'key-x'), { recursive: true });
    writeFileSync(join(tmp, name, 'key-x', 'key'), 'secret');
  }
  const agent = await engine.startAgent({ name: 'killed', queues: ['q'], workFolder });
  expect(readdirSync(tmp)).toEqual(['other']);
  await agent.drain();
});
