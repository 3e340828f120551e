import { expect, test } from 'vitest';
import { deriveSummary } from '../../domain/derived-summary.js';

const config = JSON.stringify({
  _wandb: {
    value: {
      m: [
        { '1': 'best', '7': [1, 2] },
        { '1': 'val\\.acc', '7': [2] },
        { '1': 'noise', '7': [6] },
      ],
    },
  },
});

test('a summary that is left to the server has the last values, and least and greatest where they were asked for', () => {
  const lines = [
    '{"_step":0,"loss":2,"best":5,"val.acc":1,"noise":1,"deep":{"a":1,"b":1}}',
    'broken {',
    '{"_step":1,"loss":NaN,"best":3,"deep":{"a":2}}',
    '{"_step":2,"best":4,"val.acc":0.5}',
  ];
  const summary = deriveSummary('{"mine":1}', config, lines);
  expect(summary).toContain('"loss":NaN');
  expect(JSON.parse(summary.replace('NaN', '"NaN"'))).toEqual({
    mine: 1,
    _step: 2,
    loss: 'NaN',
    best: { min: 3, max: 5 },
    'val.acc': { max: 1 },
    deep: { a: 2, b: 1 },
  });
  // In parts it is the same.
  expect(deriveSummary(deriveSummary('{"mine":1}', config, lines.slice(0, 2)), config, lines.slice(2))).toBe(summary);
});
