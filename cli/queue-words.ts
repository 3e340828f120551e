import type { Api } from '../client/index.js';
import { durationWord, shortDuration } from './durations.js';
import type { Output } from './output/output.js';
import { ago } from './output/output.js';
import { plain } from './output/terminal.js';
import { retryWords, timeoutWords } from './retry-words.js';
import type { RetryPolicy } from './retry-words.js';

type Queue = Api<'Queue'>;
type Agent = Api<'Agent'>;

export const queueState = (queue: Pick<Queue, 'paused' | 'draining'>): string =>
  queue.paused ? (queue.draining ? 'paused, draining' : 'paused') : queue.draining ? 'draining' : 'open';

/** A queue as a person wants to see it: how it stands, who serves it, what it allows. */
export function queueWords(queue: Queue, agents: readonly Agent[], out: Output): string {
  const { colors } = out;
  const state = queueState(queue);
  const oldest = queue.oldestWaitingMs === null ? '' : `, the oldest for ${shortDuration(queue.oldestWaitingMs)}`;
  const held = queue.held === 0 ? '' : `, and ${queue.held} held`;
  const facts: [string, string | null][] = [
    ['paused', pausedWords(queue)],
    ['draining', drainingWords(queue)],
    ['target', queue.target],
    ['waiting', `${queue.waiting}${oldest}${held}`],
    ['running', `${queue.running}`],
    ['agents', agentsWords(agents)],
    ['order', orderWords(queue)],
    ['limits', limitWords(queue)],
    ['projects', queue.projects.length === 0 ? null : queue.projects.map(projectWords).join('; ')],
    ['retry', queue.retry === null ? 'preempted=5 (the default)' : retryWords(queue.retry as unknown as RetryPolicy)],
    ['time-outs', timeoutWords(queue.timeouts)],
    ['run', queue.requireRun ? 'a job must call wandb.init' : 'a job need not call wandb.init'],
    ['secrets', secretWords(queue)],
    ['config', JSON.stringify(queue.resourceConfig)],
    ['variables', variableWords(queue)],
    ['inputs', queue.inputs === 'warn' ? 'that do not fit what the job takes are only warned of' : null],
    ['made', `${ago(queue.createdAt)} by ${queue.createdBy}`],
  ];
  const hint =
    agents.length === 0 && queue.agents === 0
      ? ['', `${colors.bold('next')}  No agent serves it: launches wait until one runs (davit agent).`]
      : [];
  return [
    `${colors.bold(nameOf(queue))}  ${(state === 'open' ? colors.green : colors.yellow)(state)}`,
    ...(queue.description === '' ? [] : [plain(queue.description)]),
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(11)}${plain(value)}`])),
    ...hint,
  ].join('\n');
}

const nameOf = (queue: Queue): string => `${queue.entity}/${queue.name}`;

function pausedWords(queue: Queue): string | null {
  if (!queue.paused) return null;
  const why = byAndWhy(queue.pausedBy, queue.pauseReason);
  return `${ago(queue.pausedAt)}${why}; davit queue resume ${nameOf(queue)} goes on`;
}

function drainingWords(queue: Queue): string | null {
  if (!queue.draining) return null;
  const why = byAndWhy(queue.drainedBy, queue.drainReason);
  return `${ago(queue.drainedAt)}${why}; takes no new launches; davit queue undrain ${nameOf(queue)} opens it again`;
}

const byAndWhy = (by: string | null, why: string | null): string =>
  `${by === null ? '' : ` by ${by}`}${why === null ? '' : `: ${why}`}`;

function agentsWords(agents: readonly Agent[]): string {
  if (agents.length === 0) return 'none';
  const shown = agents.slice(0, 10).map((agent) => {
    const condition = agent.quarantine !== null ? ' quarantined' : agent.status === 'active' ? '' : ` ${agent.status}`;
    return `${agent.name}${condition} (${agent.slots.used} of ${agent.slots.total ?? '∞'} slots)`;
  });
  return `${shown.join(', ')}${agents.length > shown.length ? `, and ${agents.length - shown.length} more` : ''}`;
}

const orderWords = ({ discipline, priorities }: Queue): string =>
  `${priorities ? 'by priority, then ' : 'no priorities; '}${discipline === 'fair' ? 'fair between projects' : 'first come, first served'}`;

export function limitWords(queue: Pick<Queue, 'maxRunning' | 'maxRunningPerProject' | 'maxWaiting' | 'ttlMs'>): string {
  const limits = [
    queue.maxRunning === null ? null : `${queue.maxRunning} running`,
    queue.maxRunningPerProject === null ? null : `${queue.maxRunningPerProject} running a project`,
    queue.maxWaiting === null ? null : `${queue.maxWaiting} waiting`,
    queue.ttlMs === null ? null : `stopped after waiting ${durationWord(queue.ttlMs)}`,
  ].filter((word) => word !== null);
  return limits.length === 0 ? 'none' : limits.join(', ');
}

function secretWords({ secrets, secretVariables }: Queue): string | null {
  const given = Object.entries(secretVariables).map(([variable, name]) => `${variable}=${name} for every job`);
  const words = [...secrets, ...given];
  return words.length === 0 ? null : words.join(', ');
}

interface Variable {
  schema: { type: string; enum?: unknown[]; minimum?: number; maximum?: number; default?: unknown };
}

function variableWords({ templateVariables }: Queue): string | null {
  const words = Object.entries(templateVariables as Record<string, Variable>).map(([name, { schema }]) => {
    const { type, enum: choices, minimum, maximum, default: standard } = schema;
    const range = minimum === undefined && maximum === undefined ? '' : ` ${minimum ?? ''}..${maximum ?? ''}`;
    const what = choices === undefined ? `${type}${range}` : choices.join('|');
    return `${name} (${what}${standard === undefined ? ', needed' : `, default ${JSON.stringify(standard)}`})`;
  });
  return words.length === 0 ? null : words.join(', ');
}

const projectWords = ({ project, maxRunning, weight }: Queue['projects'][number]): string =>
  [project, maxRunning === null ? '' : `at most ${maxRunning} running`, weight === 1 ? '' : `weight ${weight}`]
    .filter((word) => word !== '')
    .join(' ');
