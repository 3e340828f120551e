import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newLaunchId, parseRemoteName, remoteName } from '../../domain/ids.js';
import { jobEnvironment } from '../../domain/job-environment.js';
import { launchRequestSchema } from '../../domain/launch-request.js';
import { planRequestOf } from '../../domain/plan-request.js';
import { mergeConfig } from '../../domain/resource-config.js';
import type { ResolvedLaunch } from '../../domain/resolved-launch.js';

const resolved: ResolvedLaunch = {
  entity: 'ada',
  project: 'demo',
  queueEntity: 'ada',
  queue: 'q',
  target: 'process',
  job: { entity: 'ada', project: 'demo', name: 'train', version: 'v0', artifactId: 1 },
  runName: 'abcd1234',
  displayName: undefined,
  author: 'ada',
  resourceConfig: {},
};
const bytes = (n: number): Uint8Array => crypto.getRandomValues(new Uint8Array(n));

describe('what is run', () => {
  test('overrides beat the job: entry point replaced, arguments appended, own variables never shadow the launch’s', () => {
    const request = planRequestOf({
      launchId: 'l'.repeat(20),
      attempt: 2,
      resolved,
      overrides: {
        entryPoint: ['python', 'other.py'],
        args: ['--fast'],
        environment: { A: '1', WANDB_PROJECT: 'elsewhere' },
      },
      source: {
        kind: 'code',
        entryPoint: ['python', 'train.py'],
        requirements: undefined,
        pythonVersion: undefined,
        codeDigest: 'd',
      },
      apiUrl: 'http://127.0.0.1:8080',
    });
    expect(request.command).toEqual(['python', 'other.py', '--fast']);
    expect(request.environment).toMatchObject({
      A: '1',
      WANDB_PROJECT: 'demo',
      WANDB_RUN_ID: 'abcd1234',
      WANDB_RESUME: 'allow',
    });
    expect(request.environment).not.toHaveProperty('WANDB_API_KEY');
  });

  test('a config of any length and content comes out of its pieces as it went in', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.integer({ min: 0, max: 80_000 }),
        (config, padding) => {
          const whole = { ...config, padding: 'x'.repeat(padding) };
          const environment = jobEnvironment({
            launchId: 'l',
            attempt: 1,
            resolved,
            overrides: { config: whole },
            apiUrl: 'http://x',
          });
          const pieces = Object.keys(environment).filter((name) => /^WANDB_CONFIG_\d+$/.test(name)).length;
          const text =
            environment['WANDB_CONFIG'] ??
            Array.from({ length: pieces }, (_, n) => environment[`WANDB_CONFIG_${n}`]).join('');
          expect(text).toBe(JSON.stringify(whole));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('merging keeps what the other side does not name, replaces the rest, and changes neither', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (base, over) => {
          const before = JSON.stringify([base, over]);
          const merged = mergeConfig(base, over);
          expect(JSON.stringify([base, over])).toBe(before);
          expect(new Set(Object.keys(merged))).toEqual(new Set([...Object.keys(base), ...Object.keys(over)]));
          expect(mergeConfig(merged, over)).toEqual(merged);
          expect(mergeConfig(base, {})).toEqual(base);
        },
      ),
    );
    expect(mergeConfig({ a: { b: 1, c: [1, 2] } }, { a: { c: [3] } })).toEqual({ a: { b: 1, c: [3] } });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    mergeConfig({}, JSON.parse('{"__proto__": {"polluted": 1}}') as Record<string, unknown>);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('names', () => {
  test('launch ids sort by time and carry through the remote name', () => {
    const ids = [1, 2, 1_000, Date.now(), Date.now() + 1].map((ms) => newLaunchId(ms, bytes));
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids) expect(parseRemoteName(remoteName(id, 7))).toEqual({ launchId: id, attempt: 7 });
    expect(parseRemoteName('davit-../../etc-1')).toBeUndefined();
  });

  test('a request with an unknown key, a path that leaves the job, or a wrong priority is refused by name', () => {
    const base = { queue: 'q', job: 'j' };
    const problem = (request: unknown) => JSON.stringify(launchRequestSchema.safeParse(request).error?.issues ?? []);
    expect(problem(base)).toBe('[]');
    expect(problem({ ...base, prioritty: 'high' })).toContain('prioritty');
    expect(problem({ ...base, priority: 'urgent' })).toContain('priority');
    for (const workingDir of ['/etc', '../x', 'a/../../b', 'a\\b']) {
      expect(problem({ ...base, overrides: { workingDir } })).toContain('must stay inside the job');
    }
  });
});
