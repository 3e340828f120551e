import { expect, test } from 'vitest';
import { joinConfigs, joinSummaries, leadsOf } from '../../domain/joined-json.js';

const parse = (text: string): unknown => JSON.parse(text);

test('what two processes say of a config is kept of both, the later word per key', () => {
  const first = '{"lr":{"value":1},"a":{"value":1},"_wandb":{"value":{"t":{"3":[1]},"e":{"w1":{"os":"x"}}}}}';
  const second = '{"lr":{"value":2},"b":{"value":2},"_wandb":{"value":{"t":{"3":[2]},"e":{"w2":{"os":"y"}}}}}';
  expect(parse(joinConfigs(first, second))).toEqual({
    lr: { value: 2 },
    a: { value: 1 },
    b: { value: 2 },
    _wandb: { value: { t: { 3: [2] }, e: { w1: { os: 'x' }, w2: { os: 'y' } } } },
  });
  // One that knows no environment does not wipe those of others.
  expect(parse(joinConfigs(first, '{"_wandb":{"value":{"t":{}}}}'))).toMatchObject({
    _wandb: { value: { e: { w1: { os: 'x' } } } },
  });
});

test('NaN and infinities stay bare words, and texts that look like them stay texts', () => {
  expect(joinSummaries('{"a":NaN,"b":1}', '{"c":-Infinity,"d":"NaN"}')).toBe('{"a":NaN,"b":1,"c":-Infinity,"d":"NaN"}');
});

test('a text that cannot be joined replaces, as it would of a single process', () => {
  expect(joinConfigs('', '{"a":{"value":1}}')).toBe('{"a":{"value":1}}');
  expect(joinConfigs('[1]', '{"a":{"value":1}}')).toBe('{"a":{"value":1}}');
});

test('the process that leads is the one whose environment it sends', () => {
  const config = '{"_wandb":{"value":{"e":{"w1":{}}}}}';
  expect(leadsOf(config, 'w1')).toBe(true);
  expect(leadsOf(config, 'w2')).toBe(false);
  expect(leadsOf('{}', 'w1')).toBe(false);
  expect(leadsOf(config, 'constructor')).toBe(false);
});
