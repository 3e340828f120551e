import { describe, expect, test } from 'vitest';
import { imageSource, planRequestOf, type JobSource, type PlanFacts } from '../../domain/plan-request.js';
import type { ResolvedLaunch } from '../../domain/resolved-launch.js';

const commit = 'a'.repeat(40);
const resolved: ResolvedLaunch = {
  entity: 'ada',
  project: 'demo',
  queueEntity: 'ada',
  queue: 'q',
  target: 'docker',
  job: { entity: 'ada', project: 'demo', name: 'train', version: 'v3', artifactId: 1 },
  runName: 'abcd1234',
  displayName: undefined,
  author: 'ada',
  resourceConfig: {},
};
const code: JobSource = {
  kind: 'code',
  entryPoint: ['python', 'train.py'],
  requirements: undefined,
  pythonVersion: undefined,
  codeDigest: 'd',
};
const plan = (over: Partial<PlanFacts> = {}, more: Partial<ResolvedLaunch> = {}) =>
  planRequestOf({
    launchId: 'l'.repeat(20),
    attempt: 1,
    resolved: { ...resolved, ...more },
    overrides: undefined,
    source: code,
    apiUrl: 'http://127.0.0.1:8080',
    ...over,
  });

describe('an image', () => {
  const image = { ...imageSource('team/train:1'), args: ['--data', '/d'] };

  test('starts what it has itself, with the arguments of job and launch', () => {
    expect(plan({ source: image, overrides: { args: ['--fast'] } })).toMatchObject({
      source: { kind: 'image', image: 'team/train:1' },
      entryPoint: [],
      args: ['--data', '/d', '--fast'],
      command: ['--data', '/d', '--fast'],
      build: {},
    });
  });

  test('starts what the launch says instead, without the arguments that belong to the other program', () => {
    expect(plan({ source: image, overrides: { entryPoint: ['sh', 'x'], args: ['--fast'] } })).toMatchObject({
      entryPoint: ['sh', 'x'],
      args: ['--fast'],
      command: ['sh', 'x', '--fast'],
    });
  });

  test('without a job says so to the program, and names no job that it would have used', () => {
    const { environment } = plan({ source: imageSource('x:1') }, { job: undefined, image: 'x:1' });
    expect(environment).toMatchObject({ WANDB_DOCKER: 'x:1', WANDB_ARTIFACTS: '{}' });
  });
});

describe('a commit', () => {
  const git = { remote: 'https://h.test/x.git', commit };
  const source: JobSource = { ...code, kind: 'git', codeDigest: undefined, git: { ...git, patchDigest: 'p' } };

  test('has a digest of its own: of repository, commit and changes', () => {
    const digest = (facts: JobSource, more: Partial<ResolvedLaunch> = {}) => plan({ source: facts }, more).codeDigest;
    const other = { git: { ref: 'x', commit: 'b'.repeat(40) } };
    const all = [
      digest(source),
      digest({ ...source, git }),
      digest({ ...source, git: { ...git, patchDigest: 'q' } }),
      digest({ ...source, git: { ...git, remote: 'https://h.test/y.git' } }),
      digest(source, other),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(digest(source)).toBe(digest({ ...source, entryPoint: ['else'] }));
  });

  test('that the launch names takes the place of the job’s, whose changes are for its own', () => {
    expect(plan({ source }).source).toEqual({ kind: 'git', ...git, patched: true });
    expect(plan({ source }, { git: { ref: 'x', commit: 'b'.repeat(40) } }).source).toEqual({
      kind: 'git',
      remote: git.remote,
      commit: 'b'.repeat(40),
    });
  });

  test('without an address cannot be planned', () => {
    const { git: _git, ...lost } = source;
    expect(() => plan({ source: lost })).toThrow('names no repository');
  });
});

describe('what an image is made of', () => {
  const wishes = (job: JobSource['build'], overrides: PlanFacts['overrides'], resourceConfig = {}) =>
    plan({ source: { ...code, ...(job ? { build: job } : {}) }, overrides }, { resourceConfig }).build;

  test('is said by the config, then the job, then the launch; a base image and a Dockerfile exclude each other', () => {
    const config = { builder: { base_image: 'b:1', accelerator: { base_image: 'cuda:12' } } };
    expect(wishes(undefined, undefined, config)).toEqual({ baseImage: 'b:1', acceleratorBaseImage: 'cuda:12' });
    expect(wishes({ dockerfile: 'D', context: 'c' }, undefined, config)).toEqual({
      dockerfile: 'D',
      context: 'c',
      acceleratorBaseImage: 'cuda:12',
    });
    expect(wishes({ dockerfile: 'D', context: 'c' }, { baseImage: 'mine:2' })).toEqual({ baseImage: 'mine:2' });
    expect(wishes({ baseImage: 'b:1' }, { dockerfile: 'E', builder: 'buildkit' })).toEqual({
      dockerfile: 'E',
      builder: 'buildkit',
    });
  });
});

test('a program hears of the job that it is a run of, of other artifacts, and of values for its files', () => {
  const overrides = { artifacts: { 'data:latest': 'lab/sets/data:v2' }, files: { 'c.yaml': { a: { b: 1 } } } };
  const { environment } = plan({ overrides });
  expect(JSON.parse(environment['WANDB_ARTIFACTS'] ?? '')).toEqual({
    _wandb_job: 'ada/demo/train:v3',
    'data:latest': { entity: 'lab', project: 'sets', name: 'data:v2' },
  });
  expect(JSON.parse(environment['WANDB_LAUNCH_FILE_OVERRIDES'] ?? '')).toEqual({ 'c.yaml': { a: { b: 1 } } });
  // The key of a run reaches its own project only.
  const elsewhere = plan({}, { project: 'other' }).environment;
  expect(elsewhere['WANDB_ARTIFACTS']).toBe('{}');
});

test('macros of the launch are put into the resource config, and only those', () => {
  const { resourceConfig } = plan(
    {},
    { resourceConfig: { a: '${run_id}/${run_name}/${project_name}/${entity_name}/${author}/${image_uri}/${HOME}' } },
  );
  expect(resourceConfig).toEqual({ a: 'abcd1234/abcd1234/demo/ada/ada/${image_uri}/${HOME}' });
});
