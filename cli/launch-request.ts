import { DavitError } from '../domain/errors.js';
import { parseEntryPoint } from '../domain/job.js';
import type { Priority } from '../domain/words.js';
import type { Api } from '../client/index.js';
import { createdWords, projectOf } from './commands/job.js';
import { given } from './commands/options.js';
import type { Connected, ConnectOptions } from './connect.js';
import { guessEntryPoint, isFolder, nameOfFolder, uploadFolder } from './folder-job.js';
import { labelsFrom } from './launch-filter.js';
import type { Progress } from './output/progress.js';
import { configFrom, environmentFrom, secretsFrom } from './overrides.js';
import { retryFrom, timeoutsFrom } from './retry-words.js';
import type { RetryOptions } from './retry-words.js';

/** The request of `davit launch`, from its words and options. */

export interface LaunchOptions extends ConnectOptions, RetryOptions {
  requires?: string[];
  timeout?: string[];
  ttl?: number;
  hold?: boolean;
  dryRun?: boolean;
  queue: string;
  project?: string;
  entryPoint?: string;
  config?: string[];
  configFile?: string;
  env?: string[];
  secret?: string[];
  priority?: Priority;
  name?: string;
  jobName?: string;
  requireRun: boolean;
  detach?: boolean;
  cancelOnInterrupt?: boolean;
  idempotencyKey?: string;
  json?: boolean;
}

export type Request = Api<'LaunchRequest'>;

/** What the options say, whatever is launched. */
function commonOf(args: string[], options: LaunchOptions) {
  const overrides = given({
    args: args.length === 0 ? undefined : args,
    config: configFrom(options.configFile, options.config),
    environment: environmentFrom(options.env),
    secrets: secretsFrom(options.secret),
  });
  const common = {
    queue: options.queue,
    ...given({
      name: options.name,
      priority: options.priority,
      // Left out, the queue decides.
      requireRun: options.requireRun ? undefined : false,
      requires: labelsFrom(options.requires, '--requires'),
      retry: retryFrom(options),
      timeouts: timeoutsFrom(options.timeout),
      ttlMs: options.ttl,
      hold: options.hold,
    }),
  };
  return { common, overrides };
}

export async function requestOf(
  subject: string,
  args: string[],
  options: LaunchOptions,
  api: Connected,
  progress: Progress,
): Promise<Request> {
  if (!isFolder(subject)) return requestOfJob(subject, args, options, api);
  const { common, overrides } = commonOf(args, options);
  const entryPoint = options.entryPoint ?? guessEntryPoint(subject);
  const { entity, project } = await projectOf(options.project ?? nameOfFolder(subject), api);
  progress.wait(`uploading ${subject}`);
  const made = await uploadFolder(api.client, {
    folder: subject,
    entity,
    project,
    job: options.jobName ?? nameOfFolder(subject),
    entryPoint,
  });
  progress.say(createdWords(made, entryPoint));
  // By its version: what `latest` means may change before the launch is accepted.
  return { ...common, job: `${made.entity}/${made.project}/${made.job}:${made.version}`, entity, project, overrides };
}

export async function requestOfJob(
  job: string,
  args: string[],
  options: LaunchOptions,
  api: Connected,
): Promise<Request> {
  const { common, overrides } = commonOf(args, options);
  if (looksLikePath(job)) throw new DavitError('wrong-usage', `There is no folder ${job}.`);
  const entryPoint = options.entryPoint === undefined ? undefined : parseEntryPoint(options.entryPoint);
  const into = options.project === undefined ? undefined : await projectOf(options.project, api);
  return { ...common, job, ...into, overrides: { ...overrides, ...given({ entryPoint }) } };
}

/** The same as if the folder had been uploaded as the version that there is: for a dry run. */
export async function requestForFolder(
  folder: string,
  args: string[],
  options: LaunchOptions,
  api: Connected,
): Promise<Request> {
  const { common, overrides } = commonOf(args, options);
  const { entity, project } = await projectOf(options.project ?? nameOfFolder(folder), api);
  const name = options.jobName ?? nameOfFolder(folder);
  const entryPoint = parseEntryPoint(options.entryPoint ?? guessEntryPoint(folder));
  const job = `${entity}/${project}/${name}:latest`;
  return { ...common, job, entity, project, overrides: { ...overrides, ...given({ entryPoint }) } };
}

/** Somebody who writes ./x or a/b/c/d means a folder that is not there. */
const looksLikePath = (subject: string): boolean =>
  /^(\.{0,2}\/|~)/.test(subject) || subject.endsWith('/') || subject.split('/').length > 3;
