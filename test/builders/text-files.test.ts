import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { contextArchive, textFile, textInside } from '../../builders/build-context.js';
import { requirementsOf } from '../../builders/code/own-requirements.js';

const code = mkdtempSync(join(tmpdir(), 'davit-texts-'));
afterAll(() => rmSync(code, { recursive: true, force: true }));

it('a text of the code that would fill the memory of the agent is refused by its name, unread', async () => {
  const ofCommit = { requirements: undefined, source: { kind: 'git' as const, remote: 'x', commit: 'x' } };
  const context = { files: {}, folder: code, prefix: '', obeysDockerIgnore: true };
  const reads: [string, () => Promise<unknown>][] = [
    ['requirements.txt', () => requirementsOf(ofCommit, code)],
    ['pyproject.toml', () => textFile(join(code, 'pyproject.toml'))],
    ['.dockerignore', () => contextArchive(context)],
    ['Dockerfile', () => textInside(code, 'Dockerfile', 'Dockerfile')],
  ];
  for (const [name, read] of reads) {
    const path = join(code, name);
    writeFileSync(path, '');
    truncateSync(path, 8 * 1024 ** 3);
    await expect(read()).rejects.toMatchObject({ code: 'code-invalid', message: expect.stringContaining(name) });
    writeFileSync(path, 'a');
    await expect(read()).resolves.toBeDefined();
  }
});

it('a folder in the place of a Dockerfile is told as that', async () => {
  mkdirSync(join(code, 'folder'));
  await expect(textInside(code, 'folder', 'Dockerfile')).rejects.toMatchObject({ code: 'build-failed' });
});
