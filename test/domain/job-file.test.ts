import { expect, test } from 'vitest';
import { md5Base64 } from '../../domain/digests.js';
import { jobFileSchema, jobFileText } from '../../domain/job-file.js';

const commit = '0123456789abcdef0123456789abcdef01234567';

test('an image job is the file that the wandb client writes, byte for byte', () => {
  // From a recorded `wandb job create image`: 385 bytes with this MD5.
  const text = jobFileText({ source: { kind: 'image', image: 'registry.example.test/team/train:1.2' } });
  expect([text.length, md5Base64(Buffer.from(text))]).toEqual([385, 'a62gWNcnj+R4VW0824nwbQ==']);
});

test('a git job has the keys of the wandb client in its order, and what only Davit knows behind them', () => {
  const source = {
    kind: 'git' as const,
    remote: 'https://git.example.test/a/b.git',
    commit,
    entryPoint: ['python', 'ü.py'],
  };
  const text = jobFileText({
    source: { ...source, ref: 'main', credentials: 'deploy-key' },
    pythonVersion: '3.11',
    dockerfile: 'Dockerfile',
    buildContext: 'sub',
    services: { foobar: 'always' },
  });
  expect(text).toContain('"\\u00fc.py"');
  const file = JSON.parse(text) as Record<string, Record<string, Record<string, unknown>>>;
  expect(Object.keys(file)).toEqual([
    '_version',
    'source_type',
    'source',
    'input_types',
    'output_types',
    'runtime',
    'services',
  ]);
  expect(file).toMatchObject({ _version: '0.17.0', source_type: 'repo', runtime: '3.11' });
  expect(Object.keys(file['source'] ?? {})).toEqual(['git', 'entrypoint', 'notebook', 'build_context', 'dockerfile']);
  expect(file['source']?.['git']).toEqual({
    remote: source.remote,
    commit,
    ref: 'main',
    credentials: 'deploy-key',
  });
  const plain = JSON.parse(jobFileText({ source })) as Record<string, unknown>;
  expect(plain).toMatchObject({ _version: 'v0', source: { git: { remote: source.remote, commit } } });
});

test('files of other clients are read, with whatever they hold besides', () => {
  const file = jobFileSchema.parse({
    source_type: 'repo',
    source: { git: { remote: 'x', commit: null, extra: 1 }, entrypoint: null, notebook: null, more: true },
    runtime: null,
    _partial: 'v0',
  });
  expect(file.source).toMatchObject({ more: true, git: { extra: 1 } });
  expect(() => jobFileSchema.parse({ source_type: 'else', source: {} })).toThrow();
});
