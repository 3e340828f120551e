import type { Api } from '../client/index.js';
import type { Fact } from './output/facts.js';
import { factLines } from './output/facts.js';
import type { Output } from './output/output.js';
import { ago } from './output/output.js';
import { oneLine } from './output/terminal.js';
import { cut } from './output/width.js';

type RunState = Api<'Run'>['state'];
const nameWidth = 10;
/** A summary may have thousands of values; all of them are in the JSON. */
const shownValues = 20;

/** A run as its author wants to see it: how it ended, its last values, and what it alerted to. */
export function runWords(run: Api<'RunDetail'>, out: Output): string {
  const { colors } = out;
  const exit = run.exitCode === null ? '' : `, exit code ${run.exitCode}`;
  const facts: Fact[] = [
    ['named', run.displayName],
    ['by', run.username],
    ['started', ago(run.createdAt)],
    ['ended', run.endedAt === null ? null : `${ago(run.endedAt)}${exit}`],
    ['heard', run.endedAt === null ? ago(run.heartbeatAt) : null],
    ['launch', run.launchId],
    ['on', run.host || null],
    ['tags', run.tags.length === 0 ? null : run.tags.join(', ')],
    ['notes', run.notes || null],
    ['lines', `${run.historyLines} of history, ${run.consoleLines} of console`],
    ['config', valueLines(run.config)],
    ['summary', valueLines(run.summary)],
    ['alerts', run.alerts.map(({ at, severity, title, text }) => `${severity} ${ago(at)}: ${title}: ${text}`)],
  ];
  return [
    `${colors.bold(oneLine(`${run.entity}/${run.project}/${run.name}`))}  ${colors[colorOf(run.state)](run.state)}`,
    ...factLines(facts, nameWidth, colors),
  ].join('\n');
}

/** What the client keeps for itself begins with an underscore. */
function valueLines(values: Record<string, unknown>): string[] {
  const own = Object.entries(values).filter(([name]) => !name.startsWith('_'));
  const lines = own.slice(0, shownValues).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return own.length > shownValues ? [...lines, `and ${own.length - shownValues} more (--json shows all)`] : lines;
}

/** The client's own (`_step`, `_runtime`) among them: there they say how far the run is. */
export function metricWords(metrics: readonly Api<'RunMetric'>[], out: Output): string {
  if (metrics.length === 0) return 'There are no such metrics.';
  return out.table(
    ['METRIC', 'LINES', 'MIN', 'MAX', 'MEAN', 'LAST'],
    metrics.map(({ name, lines, min, max, mean, last }) => [
      oneLine(name),
      lines,
      numberWords(min),
      numberWords(max),
      numberWords(mean),
      lastWords(last),
    ]),
  );
}

/** NaN and infinities come as words. */
const numberWords = (value: number | string | null): string | null =>
  typeof value === 'number' ? String(Number(value.toPrecision(6))) : value;

/** Cells of a terminal. */
const longestLast = 40;

function lastWords(value: unknown): string | null {
  if (value === null || typeof value === 'number') return numberWords(value);
  return cut(oneLine(typeof value === 'string' ? value : JSON.stringify(value)), longestLast);
}

function colorOf(state: RunState): 'green' | 'red' | 'yellow' {
  if (state === 'running' || state === 'finished') return 'green';
  return state === 'failed' || state === 'crashed' ? 'red' : 'yellow';
}
