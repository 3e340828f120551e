import { Option } from 'commander';
import type { Command } from 'commander';
import { DavitError } from '../domain/errors.js';
import type { Api } from '../client/index.js';
import { collect } from './commands/collect.js';
import { given, jsonObject, limitOption, nullForNone } from './commands/options.js';
import type { OrNone } from './commands/options.js';
import { durationOption } from './durations.js';
import { readValues } from './overrides.js';
import { retryFrom, timeoutsFrom } from './retry-words.js';
import type { RetryOptions } from './retry-words.js';

/** What an admin may say about a queue, as options of `queue create` and `queue set`. */

export interface QueueSettingOptions extends RetryOptions {
  description?: string;
  requireRun?: boolean;
  resourceConfig?: Record<string, unknown>;
  templateVariables?: string;
  inputs?: 'enforce' | 'warn';
  maxRunning?: OrNone;
  maxRunningPerProject?: OrNone;
  projectLimit?: string[];
  weight?: string[];
  maxWaiting?: OrNone;
  ttl?: OrNone;
  fair?: boolean;
  fifo?: boolean;
  priorities?: boolean;
  timeout?: string[];
}

export type QueueSettings = Api<'QueueChange'>;
type Project = NonNullable<QueueSettings['projects']>[number];

export function addQueueSettings(command: Command): Command {
  return command
    .option('--description <text>', 'what it is for')
    .option('--require-run', 'a job that never calls wandb.init fails (the default)')
    .option('--no-require-run', 'a job that never calls wandb.init may succeed')
    .option('--resource-config <json>', 'parameters for the target, as a JSON object', jsonObject)
    .option(
      '--template-variables <json|file>',
      'what a launch may choose: {"gpus": {"schema": {"type": "integer", "maximum": 4, "default": 1}}}; {} for none',
    )
    .addOption(
      new Option(
        '--inputs <what>',
        'inputs that do not fit what the job takes: refuse the launch, or only warn',
      ).choices(['enforce', 'warn']),
    )
    .option('--max-running <number>', 'launches that run at once, over all agents; none: no limit', limitOption)
    .option('--max-running-per-project <number>', 'the same for each project; none: no limit', limitOption)
    .option('--project-limit <project=number>', 'the same for one project; none: as for each; may be repeated', collect)
    .option(
      '--weight <project=number>',
      'share of one project in a fair queue, 1 if not said; may be repeated',
      collect,
    )
    .option('--max-waiting <number>', 'more than so many that wait are refused; none: no limit', limitOption)
    .option('--ttl <duration>', 'a launch that waits longer is stopped, such as 7d; none: no limit', durationOrNone)
    .addOption(new Option('--fair', 'between projects: the one that runs least, by weight, is next').conflicts('fifo'))
    .option('--fifo', 'in the order of acceptance (the default)')
    .option('--priorities', 'launches may have a priority (the default)')
    .option('--no-priorities', 'refuse launches with a priority')
    .option(
      '--retry <causes>',
      'try again for these causes, so often: preempted=5,exit:137=2; none: never; default: preempted=5',
    )
    .option('--retry-backoff <range>', 'pause before the first and at most before a later try, such as 10s..10m')
    .addOption(new Option('--retry-attempt <number>', 'number of the attempt after a retry').choices(['same', 'new']))
    .addOption(new Option('--retry-run <run>', 'go on with the same run, or make a new one').choices(['resume', 'new']))
    .option(
      '--timeout <stage=duration>',
      'end what takes longer: prepare, start, run, total, such as run=2h,start=10m; none: no time-outs',
      collect,
    );
}

const durationOrNone = (text: string): OrNone => (text === 'none' ? text : durationOption(text));

/** What the options say, and nothing else. What they say in part (projects, time-outs) is put on top of what there is. */
export function queueSettingsFrom(options: QueueSettingOptions, before?: Api<'Queue'>): QueueSettings {
  const projects = projectsFrom(options, before);
  return given({
    description: options.description,
    requireRun: options.requireRun,
    resourceConfig: options.resourceConfig,
    templateVariables: templateVariablesFrom(options.templateVariables),
    inputs: options.inputs,
    maxRunning: nullForNone(options.maxRunning),
    maxRunningPerProject: nullForNone(options.maxRunningPerProject),
    maxWaiting: nullForNone(options.maxWaiting),
    ttlMs: nullForNone(options.ttl),
    priorities: options.priorities,
    discipline: options.fair === true ? ('fair' as const) : options.fifo === true ? ('fifo' as const) : undefined,
    retry: options.retry === 'default' ? null : retryFrom(options),
    timeouts: timeoutsOf(options.timeout, before),
    projects,
  });
}

/** The API says what is wrong with it. */
function templateVariablesFrom(text: string | undefined): QueueSettings['templateVariables'] | undefined {
  if (text === undefined) return undefined;
  return (text.trim().startsWith('{') ? jsonObject(text) : readValues(text)) as QueueSettings['templateVariables'];
}

function timeoutsOf(
  words: string[] | undefined,
  before: Api<'Queue'> | undefined,
): QueueSettings['timeouts'] | undefined {
  if (words?.includes('none') === true) return null;
  const said = timeoutsFrom(words);
  return said && { ...before?.timeouts, ...said };
}

function projectsFrom(options: QueueSettingOptions, before: Api<'Queue'> | undefined): Project[] | undefined {
  if (options.projectLimit === undefined && options.weight === undefined) return undefined;
  const entity = before?.entity;
  // One name for a project, however it was written: the API answers with entity/project.
  const nameOf = (name: string) => (entity !== undefined && !name.includes('/') ? `${entity}/${name}` : name);
  const projects = new Map<string, Project>((before?.projects ?? []).map((one) => [one.project, { ...one }]));
  const change = (flag: string, words: string[] | undefined, apply: (project: Project, value: string) => void) => {
    for (const word of words ?? []) {
      const [name = '', value = '', more] = word.split('=');
      if (name === '' || value === '' || more !== undefined)
        throw new DavitError('wrong-usage', `${flag} takes project=number, not "${word}".`);
      const project = projects.get(nameOf(name)) ?? { project: nameOf(name) };
      apply(project, value);
      projects.set(nameOf(name), project);
    }
  };
  change('--project-limit', options.projectLimit, (project, value) => {
    if (value !== 'none' && !/^\d{1,10}$/.test(value))
      throw new DavitError('wrong-usage', `--project-limit takes a whole number or none, not "${value}".`);
    project.maxRunning = value === 'none' ? null : Number(value);
  });
  change('--weight', options.weight, (project, value) => {
    if (!(Number(value) > 0)) throw new DavitError('wrong-usage', `--weight takes a number above 0, not "${value}".`);
    project.weight = Number(value);
  });
  return [...projects.values()];
}
