import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planRequest, prepareContext } from './jobs.js';
import { processFixture } from './process-fixture.js';

const { root, target, open, archiveOf, prepare, run, remove } = processFixture();
afterAll(remove);

describe('code', () => {
  it('arrives as it was, and the job starts in its folder', async () => {
    const archive = await archiveOf({ 'train.py': 'print(open("data/a.txt").read())', 'data/a.txt': 'deep' });
    expect((await run({ command: ['python', 'train.py'] }, archive)).stdout).toBe('deep\n');
  });

  it('starts in its working folder', async () => {
    const archive = await archiveOf({
      'sub/train.py': 'import os; print(os.path.basename(os.getcwd()), os.environ["PWD"] == os.getcwd())',
    });
    expect((await run({ command: ['python', 'train.py'], workingDir: 'sub' }, archive)).stdout).toBe('sub True\n');
  });

  it('may hold links that stay inside', async () => {
    const archive = await archiveOf({ 'a/x.txt': 'linked' }, (folder) => {
      symlinkSync('../a/x.txt', join(folder, 'a', 'y.txt'));
      symlinkSync('a', join(folder, 'b'));
      linkSync(join(folder, 'a', 'x.txt'), join(folder, 'hard.txt'));
    });
    expect((await run({ command: ['cat', 'b/x.txt', 'hard.txt'] }, archive)).stdout).toBe('linkedlinked');
  });

  it.each<[string, (folder: string) => void]>([
    ['an absolute link', (folder) => symlinkSync('/etc/passwd', join(folder, 'link'))],
    ['a link that climbs out', (folder) => symlinkSync('../../secret', join(folder, 'link'))],
    [
      'links that climb out together',
      (folder) => {
        mkdirSync(join(folder, 'd', 'e'), { recursive: true });
        symlinkSync('d/e/..', join(folder, 'f'));
        symlinkSync('.', join(folder, 'd', 'self'));
        symlinkSync('d/self/../../..', join(folder, 'g'));
      },
    ],
  ])('with %s is refused', async (_, spoil) => {
    const archive = await archiveOf({ 'train.py': '' }, spoil);
    await expect(prepare({ command: ['python', 'train.py'] }, archive)).rejects.toMatchObject({ code: 'code-invalid' });
  });

  it.each([
    ['a path that climbs out', '../escaped.txt', 'REGTYPE'],
    ['an absolute path', '/tmp/davit-escaped.txt', 'REGTYPE'],
    ['a pipe', 'pipe', 'FIFOTYPE'],
    ['a device', 'device', 'CHRTYPE'],
  ])('with %s is refused and writes nothing there', async (_, path, type) => {
    const file = join(mkdtempSync(join(root, 'bad-')), 'code.tar.gz');
    const script =
      'import sys, tarfile\nwith tarfile.open(sys.argv[1], "w:gz") as t:\n    i = tarfile.TarInfo(sys.argv[2]); i.type = getattr(tarfile, sys.argv[3]); t.addfile(i)';
    execFileSync('python3', ['-c', script, file, path, type]);
    await expect(prepare({ command: ['true'] }, file)).rejects.toMatchObject({ code: 'code-invalid' });
    expect(existsSync('/tmp/davit-escaped.txt')).toBe(false);
  });

  it('that is no archive, too many files or too large is refused', async () => {
    const noise = join(root, 'noise.tar.gz');
    writeFileSync(noise, 'not an archive');
    await expect(prepare({ command: ['true'] }, noise)).rejects.toMatchObject({ code: 'code-invalid' });
    const archive = await archiveOf({ a: 'x'.repeat(5000), b: '', c: '' });
    await expect(prepare({ command: ['true'] }, archive, open({ maxCodeFiles: 2 }))).rejects.toMatchObject({
      code: 'code-invalid',
    });
    await expect(prepare({ command: ['true'] }, archive, open({ maxCodeBytes: 4999 }))).rejects.toMatchObject({
      code: 'code-invalid',
    });
  });

  it('that cannot be fetched says so', async () => {
    const plan = target.plan(planRequest({ command: ['true'], codeDigest: 'cd' }));
    const context = prepareContext({ fetchCode: () => Promise.reject(new Error('connection refused')) });
    await expect(target.prepare(plan, context)).rejects.toMatchObject({ code: 'code-fetch-failed' });
  });
});

describe('the entry point is checked before anything starts:', () => {
  it.each<[string, string[], string, string, RegExp]>([
    ['a missing script', ['python', 'nope.py'], '', 'missing-entry-point', /"nope\.py" is not in the job's code/],
    [
      'a missing script behind options',
      ['python3', '-u', '-X', 'dev', 'nope.py'],
      '',
      'missing-entry-point',
      /nope\.py/,
    ],
    ['a missing shell script', ['bash', 'nope.sh'], '', 'missing-entry-point', /nope\.sh/],
    ['a script outside', ['python', '../train.py'], '', 'missing-entry-point', /outside/],
    ['a missing working folder', ['python', 'train.py'], 'nope', 'missing-entry-point', /"nope"/],
    ['an empty command', [], '', 'missing-entry-point', /empty/],
    ['a missing program', ['no-such-program'], '', 'command-not-found', /no-such-program/],
    ['a bare script', ['train.py'], '', 'command-not-found', /use "python train\.py"/],
    ['a script without permission', ['./train.sh'], '', 'command-not-found', /not executable/],
    ['a missing file', ['./nope'], '', 'command-not-found', /does not exist/],
  ])('%s', async (_, command, workingDir, code, message) => {
    const archive = await archiveOf({ 'train.py': 'print(1)', 'train.sh': 'echo 1' });
    const error: unknown = await prepare({ command, workingDir }, archive).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each([
    [['python', 'train.py', 'x']],
    [['python3', '-u', 'train.py', 'x']],
    [['pythonCPython 3.11', 'train.py', 'x']],
    [['pythonCPython', '3.11.2', 'train.py', 'x']],
    [['python', '-m', 'train', 'x']],
    [['python', '-c', 'import sys; sys.argv.insert(1, "x"); import train']],
  ])('%j runs', async (command) => {
    const archive = await archiveOf({ 'train.py': 'import sys; print(sys.argv[1])' });
    expect((await run({ command }, archive)).stdout).toBe('x\n');
  });
});
