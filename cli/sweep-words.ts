import type { Api } from '../client/index.js';
import type { Fact } from './output/facts.js';
import { factLines } from './output/facts.js';
import type { Output } from './output/output.js';
import { ago } from './output/output.js';

type Sweep = Api<'Sweep'>;
type SweepRun = Api<'SweepRun'>;

/** "3 of 8": how many runs there are of how many there will be. */
export const runWords = ({ runs }: Sweep): string =>
  runs.expected === null ? String(runs.total) : `${runs.total} of ${runs.expected}`;

export const bestWords = ({ best }: Sweep): string | null =>
  best === null ? null : `${best.run} ${numberWords(best.value)}`;

/** A sweep as its author wants to see it: how far it is, what it found, and what was tried. */
export function sweepWords(sweep: Sweep, sets: readonly SweepRun[], out: Output): string {
  const { colors } = out;
  const { metric, runs, earlyTerminate } = sweep;
  const states = Object.entries(runs.byState).map(([state, n]) => `${n} ${state}`);
  const facts: Fact[] = [
    ['name', sweep.displayName || null],
    ['about', sweep.description || null],
    ['method', sweep.chooser === 'server' ? sweep.method : `${sweep.method}, chosen by ${chooserWords(sweep)}`],
    ['metric', metric && `${metric.goal} ${metric.name}${metric.target === null ? '' : `, target ${metric.target}`}`],
    ['best', bestWords(sweep)],
    ['runs', `${runWords(sweep)}${states.length === 0 ? '' : `: ${states.join(', ')}`}`],
    ['cap', runs.cap === null ? null : String(runs.cap)],
    [
      'stops',
      earlyTerminate && `bad runs early: ${earlyTerminate.type} at ${earlyTerminate.bands.join(', ')} logged values`,
    ],
    ['agents', `${sweep.agentsAlive} at work${sweep.heartbeatAt === null ? '' : `, heard ${ago(sweep.heartbeatAt)}`}`],
    ['made', ago(sweep.createdAt)],
  ];
  return [
    `${colors.bold(`${sweep.entity}/${sweep.project}/${sweep.name}`)}  ${paint(sweep, out)}`,
    ...factLines(facts, nameWidth, colors),
    ...setWords(sets, metric?.name, out),
    ...nextWords(sweep, out),
  ].join('\n');
}

const nameWidth = 8;

const chooserWords = ({ chooser }: Sweep): string =>
  chooser === 'controller' ? 'a local controller' : chooser === 'scheduler' ? 'a scheduler' : 'nobody';

function paint({ state }: Sweep, { colors }: Output): string {
  const word = state.toLowerCase();
  return state === 'CANCELED' ? colors.red(word) : state === 'PAUSED' ? colors.yellow(word) : colors.green(word);
}

function setWords(sets: readonly SweepRun[], metric: string | undefined, out: Output): string[] {
  if (sets.length === 0) return [];
  const rows = sets.map((one) => [
    one.run,
    one.runState ?? one.state,
    one.value === null ? '-' : numberWords(one.value),
    parameterWords(one.parameters),
  ]);
  return ['', out.table(['RUN', 'STATE', (metric ?? 'value').toUpperCase(), 'PARAMETERS'], rows)];
}

const parameterWords = (parameters: Record<string, unknown>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');

const numberWords = (value: number): string => String(Number(value.toPrecision(6)));

function nextWords(sweep: Sweep, { colors }: Output): string[] {
  const name = `${sweep.entity}/${sweep.project}/${sweep.name}`;
  const open = sweep.state === 'PENDING' || sweep.state === 'RUNNING';
  const next =
    sweep.state === 'PAUSED'
      ? `davit sweep resume ${name}`
      : open && sweep.agentsAlive === 0
        ? `start an agent: wandb agent ${name}`
        : undefined;
  return next === undefined ? [] : ['', `${colors.bold('next')}  ${next}`];
}
