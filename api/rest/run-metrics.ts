import { z } from 'zod';
import { meanOf, type MetricStats } from '../../domain/metric-stats.js';
import { listMetrics } from '../../store/metric-stats.js';
import { defineRoute } from './route.js';
import { requireRun, runParams } from './runs.js';
import { defaultLimit, nameCursor, page, pageOf, pageQuery, readCursor } from './schemas.js';

/** JSON has no numbers for these. */
const numberSchema = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);

const metricSchema = z
  .object({
    name: z.string().describe('As logged; what lies in a nested value has its path with dots.'),
    lines: z.int().describe('Lines of the history that have it.'),
    types: z
      .record(z.string(), z.int())
      .describe('Lines by kind of value: number, string, boolean, list, map, nil, or the kind of a medium.'),
    min: numberSchema.nullable().describe('Of its numbers, infinities included and NaN not; null: there is none.'),
    max: numberSchema.nullable().describe('Likewise.'),
    mean: z.number().nullable().describe('Of its finite numbers; null: there is none.'),
    first: numberSchema.nullable().describe('Its first number; null: there is none.'),
    last: z.unknown().describe('Its last value of any kind; null when that is longer than 2,000 characters.'),
    nondecreasing: z.boolean().describe('It has numbers, and none is less than the one before it.'),
  })
  .meta({ id: 'RunMetric' });

function toMetric([name, stats]: [string, MetricStats]): z.input<typeof metricSchema> {
  const { types, min, max, firstNumber, last, monotonic } = stats;
  return {
    name,
    lines: Object.values(types).reduce((sum, n) => sum + n, 0),
    types,
    min: min ?? null,
    max: max ?? null,
    mean: meanOf(stats) ?? null,
    first: firstNumber ?? null,
    last,
    nondecreasing: firstNumber !== undefined && monotonic,
  };
}

const metrics = defineRoute({
  method: 'get',
  path: '/runs/{entity}/{project}/{run}/metrics',
  operationId: 'listRunMetrics',
  summary: 'Metrics of a run by name, each with its least, greatest, mean and last value',
  description:
    'Of all lines, however many: these figures are kept while the run logs. NaN and infinities are strings. Of a run with more than ' +
    '10,000 names, the first 10,000.',
  tag: 'runs',
  auth: 'user',
  params: runParams,
  query: z.strictObject({
    ...pageQuery,
    // Longer than elsewhere: it holds a name.
    cursor: z.string().max(4_000).optional().describe('`nextCursor` of the page before.'),
    name: z.string().min(1).max(500).optional().describe('This one only.'),
    prefix: z.string().min(1).max(500).optional().describe('Names that begin so.'),
    source: z
      .enum(['history', 'system'])
      .optional()
      .describe('history (default): what the run logged. system: what its client measured of the machine.'),
  }),
  response: pageOf(metricSchema, 'RunMetricPage'),
  handler: async ({ actor, params, query, deps }) => {
    const run = await requireRun(deps, actor, params);
    const limit = query.limit ?? defaultLimit;
    const after = readCursor(nameCursor, query.cursor);
    const rows = await listMetrics(deps.db, run.id, query.source === 'system' ? 'events' : 'history', {
      limit,
      ...(after === undefined ? {} : { after }),
      ...(query.name === undefined ? {} : { key: query.name }),
      ...(query.prefix === undefined ? {} : { prefix: query.prefix }),
    });
    return page(rows, limit, toMetric, ([name]) => name);
  },
});

export const runMetricRoutes = [metrics];
