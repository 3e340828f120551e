import { describe, expect, it } from 'vitest';
import { pythonCommand } from '../../targets/process/entry-point.js';
import {
  decisiveLine,
  indexWasUnreachable,
  normaliseRequirements,
  pointsIntoCode,
} from '../../domain/python-requirements.js';

describe('requirements that mean the same', () => {
  it('are the same: comments, blank lines, continuations and line ends do not count', () => {
    const plain = ['a==1', 'b>=2 --hash=sha256:00', 'c @ https://x/#egg=c'];
    expect(
      normaliseRequirements('\uFEFF# top\r\n\r\na==1  # why\r\nb>=2 \\\r\n  --hash=sha256:00\nc @ https://x/#egg=c'),
    ).toEqual(plain);
    expect(normaliseRequirements(plain.join('\n'))).toEqual(plain);
  });

  it.each([
    ['-e .', true],
    ['-r more.txt', true],
    ['-c limits.txt', true],
    ['--requirement=more.txt', true],
    ['./pkg', true],
    ['.[train]', true],
    ['../shared', true],
    ['pkg @ file:///x', true],
    ['file:wheels/x.whl', true],
    ['x-1.0-py3-none-any.whl', true],
    ['--find-links wheels', true],
    ['--find-links https://x/wheels', false],
    ['torch==2.1.0+cu118', false],
    ['pkg @ https://x/pkg.whl', false],
    ['pkg @ git+https://x/pkg', false],
    ['--extra-index-url https://x/simple', false],
    ['a[extra]>=1; python_version < "3.12"', false],
  ])('%s points into the code: %s', (line, expected) => {
    expect(pointsIntoCode([line])).toBe(expected);
  });
});

describe('the line that says why an installer failed', () => {
  it.each([
    [
      'ERROR: Could not find a version that satisfies the requirement six==99 (from versions: 1.16.0)\nERROR: No matching distribution found for six==99\n[notice] A new release of pip',
      'No matching distribution found for six==99',
    ],
    [
      '  error: subprocess-exited-with-error\n  × Getting requirements did not run successfully.\nERROR: Failed to build wheel for x\n',
      'Failed to build wheel for x',
    ],
    [
      '  × No solution found when resolving dependencies:\n  ╰─▶ Because six==99 was not found and you require\n      six==99, we can conclude that it is hopeless.\n',
      'Because six==99 was not found and you require six==99, we can conclude that it is hopeless',
    ],
    [
      'Using Python 3.11\n\u001b[31merror\u001b[0m: No solution found when resolving dependencies\n  cause: Because there is no version of six==99.0, no.\n',
      'Because there is no version of six==99.0, no',
    ],
    [
      "error: Couldn't parse requirement in `.davit-requirements-e3b7.txt` at position 12\n  cause: Expected one of `@`, found `a`\n         not a requirement\n",
      "Couldn't parse requirement in `requirements.txt` at position 12: Expected one of `@`, found `a`",
    ],
    ['ERROR: HTTP error 403 for https://me:secret@index/simple/x', 'HTTP error 403 for https://***@index/simple/x'],
    ['', 'the installer ended without a word'],
  ])('%#', (output, line) => {
    expect(decisiveLine(output)).toBe(line);
  });

  it('an index that cannot be reached is told by what pip and uv print then', () => {
    expect(indexWasUnreachable("Retrying (Retry(total=4)) after connection broken by 'NewConnectionError('")).toBe(
      true,
    );
    expect(indexWasUnreachable('  cause: error sending request for url (http://127.0.0.1:9/simple/x/)')).toBe(true);
    expect(indexWasUnreachable('ERROR: No matching distribution found for x==9')).toBe(false);
  });
});

describe('python in an entry point', () => {
  it.each([
    [['python', 'a.py'], { args: ['a.py'], version: undefined }],
    [['python3.11', 'a.py'], { args: ['a.py'], version: '3.11' }],
    [['python3', '-u', 'a.py'], { args: ['-u', 'a.py'], version: undefined }],
    [['pythonCPython 3.11', 'a.py'], { args: ['a.py'], version: '3.11' }],
    [['pythonCPython 3.11.2', 'a.py'], { args: ['a.py'], version: '3.11' }],
    [['pythonCPython', '3.11.2', 'a.py'], { args: ['a.py'], version: '3.11' }],
    [['/usr/bin/python3', 'a.py'], undefined],
    [['pythonista', 'a.py'], undefined],
    [['bash', 'a.sh'], undefined],
    [[], undefined],
  ])('%j', (command, expected) => {
    expect(pythonCommand(command)).toEqual(expected);
  });
});
