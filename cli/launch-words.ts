import type { Api } from '../client/index.js';
import type { Output } from './output/output.js';
import { ago, duration } from './output/output.js';
import { plain } from './output/terminal.js';

/** A launch as a person wants to see it: what it is, how it stands, what happened. */
export function launchWords(launch: Api<'LaunchDetail'>, apiUrl: string, out: Output): string {
  const { colors } = out;
  const paint =
    { finished: colors.green, failed: colors.red, stopped: colors.yellow }[launch.state as 'finished'] ?? colors.cyan;
  const facts: [string, string | null][] = [
    ['job', launch.jobVersion ?? launch.job],
    ['project', `${launch.entity}/${launch.project}`],
    ['queue', `${launch.queue.entity}/${launch.queue.name} (${launch.target})`],
    ['priority', launch.priority],
    ['position', launch.position === null ? null : `${launch.position}${launch.held ? ', held' : ''}`],
    ['agent', launch.agent === null ? null : `${launch.agent}${launch.node === null ? '' : ` on ${launch.node}`}`],
    ['attempt', launch.attempt > 1 ? String(launch.attempt) : null],
    ['accepted', `${ago(launch.createdAt)} from ${launch.author}`],
    ['took', tookWords(launch)],
    ['exit code', launch.exitCode === null ? null : String(launch.exitCode)],
    [
      'run',
      launch.run === null
        ? null
        : `${launch.run.displayName} (${launch.run.state}) ${new URL(launch.run.url, apiUrl).href}`,
    ],
  ];
  const failure =
    launch.failure === null
      ? []
      : [
          '',
          `${colors.bold('why ')}  ${plain(launch.failure.message)}`,
          `${colors.bold('next')}  ${launch.failure.fix}`,
          colors.dim(
            `code  ${launch.failure.code}, stage ${launch.failure.stage}, fault of the ${launch.failure.fault}`,
          ),
        ];
  return [
    `${colors.bold(launch.id)}  ${paint(launch.state)}${launch.reason === null ? '' : `: ${plain(launch.reason)}`}`,
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(10)}${plain(value)}`])),
    ...failure,
    '',
    ...launch.timeline.map((event) => `  ${colors.dim(event.at.slice(11, 23))}  ${plain(event.sentence)}`),
  ].join('\n');
}

function tookWords({ startedAt, endedAt, createdAt }: Api<'Launch'>): string | null {
  if (endedAt === null)
    return startedAt === null ? null : `running for ${seconds(startedAt, new Date().toISOString())}`;
  return `${seconds(createdAt, endedAt)}${startedAt === null ? '' : `, of which it ran ${seconds(startedAt, endedAt)}`}`;
}

const seconds = (from: string, to: string): string =>
  duration(Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000)));
