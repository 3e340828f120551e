import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inventRunName, projectNameProblem, runNameProblem } from '../../domain/run-name.js';
import { afterStream, type RunLife, type StreamSign } from '../../domain/run-state.js';
import { isRunOpen, runStates } from '../../domain/words.js';

const life: fc.Arbitrary<RunLife> = fc.record({
  state: fc.constantFrom(...runStates),
  stopped: fc.boolean(),
  exitCode: fc.constantFrom(null, 0, 1, 137),
});
const sign: fc.Arbitrary<StreamSign> = fc.record({
  complete: fc.boolean(),
  exitCode: fc.constantFrom(undefined, 0, 1, 255),
  preempting: fc.boolean(),
  extends: fc.boolean(),
});

test('the same request again, which then brings nothing new, changes nothing', () => {
  fc.assert(
    fc.property(life, sign, (before, once) => {
      const after = afterStream(before, once);
      expect(afterStream(after, { ...once, extends: false })).toEqual(after);
    }),
  );
});

test('only the last request ends a run, and only new lines open an ended one', () => {
  fc.assert(
    fc.property(life, sign, (before, request) => {
      const after = afterStream(before, request);
      if (request.complete) expect(isRunOpen(after.state)).toBe(false);
      else if (isRunOpen(before.state) || before.state === 'crashed') expect(isRunOpen(after.state)).toBe(true);
      else expect(isRunOpen(after.state)).toBe(request.extends);
    }),
  );
});

test('how a run ended is read from its exit code, its stop and its pre-emption', () => {
  const end = (before: Partial<RunLife>, exitCode: number | undefined) =>
    afterStream(
      { state: 'running', stopped: false, exitCode: null, ...before },
      { complete: true, exitCode, preempting: false, extends: false },
    ).state;
  expect(end({}, 0)).toBe('finished');
  expect(end({}, undefined)).toBe('finished');
  expect(end({}, 1)).toBe('failed');
  expect(end({ stopped: true }, 255)).toBe('killed');
  expect(end({ stopped: true }, 0)).toBe('finished');
  expect(end({ state: 'preempting' }, 1)).toBe('preempted');
  expect(end({ state: 'preempting' }, 0)).toBe('finished');
});

test('invented names are three plain parts for any chance', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(), (chance, n) => {
      expect(inventRunName(n, () => chance)).toMatch(new RegExp(`^[a-z]+-[a-z]+-${n}$`));
    }),
  );
});

test('names that would break a path are refused, those of the client pass', () => {
  for (const name of ['abc12345', 'run 1', 'é☃', '100%', 'a.b-c_d', '...'])
    expect(runNameProblem(name), name).toBeUndefined();
  for (const name of [
    '',
    ' a',
    'a ',
    'a/b',
    'a:b',
    'a;b',
    'a,b',
    'a#b',
    'a?b',
    "a'b",
    'a\\b',
    'a\u0000b',
    '.',
    '..',
    'x'.repeat(129),
  ])
    expect(runNameProblem(name), JSON.stringify(name)).toBeDefined();
  for (const name of ['demo', 'my project', 'uncategorized', 'é'])
    expect(projectNameProblem(name), name).toBeUndefined();
  for (const name of ['', '..', 'a/b', 'a%b', 'a:b', 'a#b', 'a\nb', 'x'.repeat(129)])
    expect(projectNameProblem(name), JSON.stringify(name)).toBeDefined();
});
