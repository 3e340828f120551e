import type { Api } from '../client/index.js';
import type { Fact } from './output/facts.js';
import { factLines } from './output/facts.js';
import type { Output } from './output/output.js';
import { ago, duration } from './output/output.js';
import { plain } from './output/terminal.js';
import { waitingFacts } from './waiting-words.js';

type Launch = Api<'LaunchDetail'>;

/** A launch as a person wants to see it: what it is, how it stands and why, what to do next, what happened. */
export function launchWords(
  launch: Launch,
  waiting: Api<'LaunchWaiting'> | undefined,
  apiUrl: string,
  out: Output,
): string {
  const { colors } = out;
  const section = (title: string, facts: readonly Fact[]): string[] => {
    const lines = factLines(facts, nameWidth, colors);
    return lines.length === 0 ? [] : ['', colors.bold(title), ...lines];
  };
  return [
    headline(launch, out),
    ...factLines(aboutFacts(launch, apiUrl), nameWidth, colors),
    ...(waiting === undefined ? [] : section('Why it waits', waitingFacts(waiting))),
    ...section(launch.state === 'stopped' ? 'Why it ended' : 'Why it failed', failureFacts(launch)),
    '',
    colors.bold('What happened (UTC)'),
    ...launch.timeline.map((event) => `  ${colors.dim(event.at.slice(11, 23))}  ${plain(event.sentence)}`),
  ].join('\n');
}

const nameWidth = 10;

function headline({ id, state, hold, reason, position }: Launch, { colors }: Output): string {
  const paint =
    { finished: colors.green, failed: colors.red, stopped: colors.yellow, queued: colors.yellow }[
      state as 'finished'
    ] ?? colors.cyan;
  const held = hold === null ? '' : hold.cause === 'user' ? ', held' : `, ${hold.cause}`;
  const place = position === null ? '' : `, position ${position}`;
  return `${colors.bold(id)}  ${paint(`${state}${held}${place}`)}${reason === null ? '' : `: ${plain(reason)}`}`;
}

function aboutFacts(launch: Launch, apiUrl: string): Fact[] {
  const { hold, expiresAt, deadline, requires, agent, node } = launch;
  const labels = Object.entries(requires).map(([name, value]) => `${name}=${value}`);
  return [
    ['job', launch.jobVersion ?? launch.job],
    ['project', `${launch.entity}/${launch.project}`],
    ['queue', `${launch.queue.entity}/${launch.queue.name} (${launch.target})`],
    ['priority', launch.priority],
    ['requires', labels.length === 0 ? null : labels.join(', ')],
    ['held', hold === null ? null : heldWords(hold)],
    ['agent', agent === null ? null : `${agent}${node === null ? '' : ` on ${node}`}`],
    ['image', imageWords(launch)],
    ['attempt', launch.attempt > 1 ? String(launch.attempt) : null],
    ['retries', retriesWords(launch)],
    ['accepted', `${ago(launch.createdAt)} from ${launch.author}`],
    ['expires', expiresAt === null || launch.state !== 'queued' ? null : `if it still waits ${within(expiresAt)}`],
    ['time-out', deadline === null ? null : `${deadline.code} ${within(deadline.at)}`],
    ['took', tookWords(launch)],
    ['exit code', launch.exitCode === null ? null : String(launch.exitCode)],
    [
      'run',
      launch.run === null
        ? null
        : `${launch.run.displayName} (${launch.run.state}) ${new URL(launch.run.url, apiUrl).href}`,
    ],
  ];
}

const within = (moment: string): string => {
  const seconds = Math.max(0, Math.round((Date.parse(moment) - Date.now()) / 1000));
  return `in ${duration(seconds)} (${moment.slice(0, 10)} ${moment.slice(11, 19)} UTC)`;
};

function imageWords({ image }: Launch): string | null {
  if (image === null) return null;
  return image.name === image.image ? image.image : `${image.name} (${image.image.replace(/^.*@/, '')})`;
}

function heldWords({ cause, by, reason, releaseAt }: NonNullable<Launch['hold']>): string {
  const who = { user: 'held', parked: 'parked', 'back-off': 'pauses before its next try' }[cause];
  // The one who holds for a pause or a park is Davit itself.
  const from = by === null || cause !== 'user' ? '' : ` by ${by}`;
  return `${who}${from}${reason === null ? '' : `: ${reason}`}${releaseAt === null ? '' : `; released ${within(releaseAt)}`}`;
}

/** How often it was tried again, and for what. */
function retriesWords({ retries, request }: Launch): string | null {
  const used = Object.entries(retries);
  if (used.length === 0) return null;
  const causes = (request['retry'] as { causes?: Record<string, { attempts: number }> } | undefined)?.causes;
  return used
    .map(([cause, n]) => `${cause} ${n}${causes?.[cause] === undefined ? '' : ` of ${causes[cause].attempts}`}`)
    .join(', ');
}

const faultWords: Record<NonNullable<Launch['failure']>['fault'], string> = {
  user: 'the request, the job or its set-up: whoever launched it can mend it',
  target: 'the machine or service on which the job runs',
  platform: 'Davit itself or what it stands on, not the job',
};
const stageWords: Record<NonNullable<Launch['failure']>['stage'], string> = {
  enqueue: 'while it was accepted or waited',
  claim: 'while an agent took it',
  prepare: 'while its code and packages were prepared',
  submit: 'while it was handed to the target',
  run: 'while it ran',
};

function failureFacts({ id, state, failure, claimedAt }: Launch): Fact[] {
  if (failure === null || state === 'finished') return [];
  return [
    ['what', failure.message],
    ['when', `${stageWords[failure.stage]} (stage ${failure.stage})`],
    ['fault', `${faultWords[failure.fault]} (${failure.fault})`],
    ['next', failure.fix],
    ['log', claimedAt === null ? null : `davit launches logs ${id}`],
    ['again', `davit launches retry ${id}`],
    ['code', failure.code],
  ];
}

function tookWords({ startedAt, endedAt, createdAt }: Launch): string | null {
  if (endedAt === null)
    return startedAt === null ? null : `running for ${seconds(startedAt, new Date().toISOString())}`;
  return `${seconds(createdAt, endedAt)}${startedAt === null ? '' : `, of which it ran ${seconds(startedAt, endedAt)}`}`;
}

const seconds = (from: string, to: string): string =>
  duration(Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000)));
