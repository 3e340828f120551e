import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { exportLines } from '../../cli/shell.js';

describe('the lines of davit env', () => {
  test('give a shell the very values, whatever stands in them', () => {
    const variables = {
      PLAIN: 'http://127.0.0.1:8080',
      QUOTED: `it's "quoted"`,
      EXPANDED: '$HOME `id` $(id) \\ !x *',
      BROKEN: 'two\nlines ; exit 3',
    };
    const print = `${Object.keys(variables)
      .map((name) => `printf '%s\\0' "$${name}"`)
      .join('; ')}`;
    const output = execFileSync('sh', ['-c', `eval "$LINES_TO_EVAL"; ${print}`], {
      env: { PATH: process.env['PATH'], LINES_TO_EVAL: exportLines(variables, 'sh') },
      encoding: 'utf8',
    });
    expect(output.split('\0').slice(0, -1)).toEqual(Object.values(variables));
  });

  test('have a form for fish', () => {
    expect(exportLines({ A: `it's` }, 'fish')).toBe(`set -gx A 'it\\'s'`);
  });
});
