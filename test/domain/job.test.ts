import { describe, expect, test } from 'vitest';
import {
  artifactIdOfReference,
  artifactReference,
  minorPythonVersion,
  parseEntryPoint,
  parseJobReference,
  scriptOfEntryPoint,
  versionIndexOf,
} from '../../domain/job.js';

describe('an entry point is split as a person means it', () => {
  const cases: [string, string[] | undefined][] = [
    ['python train.py', ['python', 'train.py']],
    ['  python   -u  train.py ', ['python', '-u', 'train.py']],
    ['python "my train.py" --name=\'a b\'', ['python', 'my train.py', '--name=a b']],
    ['["python","a b","it\'s"]', ['python', 'a b', "it's"]],
    ['python "train.py', undefined],
    ['', undefined],
    ['[]', undefined],
    ['[1]', undefined],
    ['[broken', undefined],
  ];
  test.each(cases)('%s', (text, words) => expect(parseEntryPoint(text)).toEqual(words));
});

describe('the script that an entry point starts is known, or not guessed at', () => {
  const cases: [string[], string | undefined][] = [
    [['python', 'train.py'], 'train.py'],
    [['python3.11', '-u', './src/train.py', 'other.py'], 'src/train.py'],
    [['train.py'], 'train.py'],
    [['./bin/run'], 'bin/run'],
    [['bash', 'run.sh'], 'run.sh'],
    [['torchrun', '--nproc-per-node', '2', 'train.py'], 'train.py'],
    [['python', '-m', 'train'], undefined],
    [['python', '-c', 'print("x.py")'], undefined],
    [['python', '-W', 'ignore', 'train.py'], undefined],
    [['python', '/opt/train.py'], undefined],
    [['/opt/run.sh'], undefined],
    [['nvidia-smi'], undefined],
  ];
  test.each(cases)('%j', (words, script) => expect(scriptOfEntryPoint(words)).toBe(script));
});

test('a reference names entity, project, job and version, with the rest filled in', () => {
  const home = { entity: 'ada', project: 'demo' };
  expect(parseJobReference('train', home)).toEqual({ entity: 'ada', project: 'demo', name: 'train', alias: 'latest' });
  expect(parseJobReference('p/train:v3', home)).toEqual({ entity: 'ada', project: 'p', name: 'train', alias: 'v3' });
  expect(parseJobReference('lab/p/train:good', home)).toEqual({
    entity: 'lab',
    project: 'p',
    name: 'train',
    alias: 'good',
  });
  expect(parseJobReference('train', { entity: 'ada' })).toBeUndefined();
  for (const wrong of ['', ':', 'a/b/c/d', 'a:b:c', 'a:', '/a'])
    expect(parseJobReference(wrong, home), wrong).toBeUndefined();
});

test('versions, wire ids and Python versions are read as they are written', () => {
  expect(['v0', 'v12', 'v01', 'V1', 'latest'].map(versionIndexOf)).toEqual([0, 12, undefined, undefined, undefined]);
  expect(artifactIdOfReference(artifactReference(114))).toBe(114);
  expect(artifactReference(114)).toBe('wandb-artifact://_id/QXJ0aWZhY3Q6MTE0');
  expect(artifactIdOfReference('wandb-artifact://_id/x')).toBeUndefined();
  expect(['3.11.7\n', 'python-3.9.1', '3.12', '2.7', 'x'].map(minorPythonVersion)).toEqual([
    '3.11',
    '3.9',
    '3.12',
    undefined,
    undefined,
  ]);
});
