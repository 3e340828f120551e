import { DavitError } from '../domain/errors.js';
import { parseEntryPoint } from '../domain/job.js';
import type { Priority } from '../domain/words.js';
import type { Api } from '../client/index.js';
import { nameOfRemote } from '../domain/git-remote.js';
import { partsOfImage } from '../domain/image-name.js';
import { projectOf } from './job-reference.js';
import { createdWords } from './job-words.js';
import { createGitJob } from './source-job.js';
import { given } from './commands/options.js';
import type { Connected, ConnectOptions } from './connect.js';
import { guessEntryPoint, isFolder, nameOfFolder, uploadFolder } from './folder-job.js';
import { labelsFrom } from './launch-filter.js';
import type { Progress } from './output/progress.js';
import { configFrom, environmentFrom, filesFrom, pairsFrom, resourceArgsFrom, secretsFrom } from './overrides.js';
import { retryFrom, timeoutsFrom } from './retry-words.js';
import type { RetryOptions } from './retry-words.js';

/** The request of `davit launch`, from its words and options. */

export interface LaunchOptions extends ConnectOptions, RetryOptions {
  image?: string;
  git?: string;
  ref?: string;
  credentials?: string;
  set?: string[];
  file?: string[];
  artifact?: string[];
  resourceArgs?: string;
  workingDir?: string;
  dockerfile?: string;
  buildContext?: string;
  baseImage?: string;
  builder?: string;
  require?: string[];
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
    files: filesFrom(options.file),
    artifacts: pairsFrom(options.artifact, '--artifact'),
    resourceConfig: resourceArgsFrom(options.resourceArgs),
    workingDir: options.workingDir,
    dockerfile: options.dockerfile,
    buildContext: options.buildContext,
    baseImage: options.baseImage,
    builder: options.builder,
  });
  const requires = [...(options.requires ?? []), ...(options.require ?? [])];
  const common = {
    queue: options.queue,
    ...given({
      name: options.name,
      priority: options.priority,
      // Left out, the queue decides.
      requireRun: options.requireRun ? undefined : false,
      requires: labelsFrom(requires.length === 0 ? undefined : requires, '--require'),
      templateVariables: pairsFrom(options.set, '--set'),
      retry: retryFrom(options),
      timeouts: timeoutsFrom(options.timeout),
      ttlMs: options.ttl,
      hold: options.hold,
    }),
  };
  return { common, overrides };
}

/** What is launched: the word after "launch", or what --image or --git names. */
export type Subject = { word: string } | { image: string } | { git: string };

/** With --image or --git there is no such word: then it is the first argument of the job. */
export function subjectOf(
  word: string | undefined,
  args: string[],
  { image, git }: LaunchOptions,
): { subject: Subject; args: string[] } {
  if (image !== undefined && git !== undefined)
    throw new DavitError('wrong-usage', '--image and --git exclude each other.');
  const all = word === undefined ? args : [word, ...args];
  if (image !== undefined) return { subject: { image }, args: all };
  if (git !== undefined) return { subject: { git }, args: all };
  if (word === undefined)
    throw new DavitError('wrong-usage', 'What is to be launched? Name a folder or a job, or say --image or --git.');
  return { subject: { word }, args };
}

export async function requestOf(
  subject: Subject,
  args: string[],
  options: LaunchOptions,
  api: Connected,
  progress: Progress,
): Promise<Request> {
  if ('image' in subject) return requestOfImage(subject.image, args, options, api);
  if ('git' in subject) return requestOfGit(subject.git, args, options, api, progress);
  return requestOfWord(subject.word, args, options, api, progress);
}

async function requestOfWord(
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

/** An image as it is, without a job of its own. */
export async function requestOfImage(
  image: string,
  args: string[],
  options: LaunchOptions,
  api: Connected,
): Promise<Request> {
  const { common, overrides } = commonOf(args, options);
  const into = await projectOf(options.project ?? nameOfImage(image), api);
  return { ...common, image, ...into, overrides: { ...overrides, ...entryPointOverride(options) } };
}

const nameOfImage = (image: string): string =>
  (partsOfImage(image).name.split('/').at(-1) ?? '').replace(/^[^A-Za-z0-9]+/, '').slice(0, 64) || 'image';

/** A job of the commit is made first, as with a folder. */
async function requestOfGit(
  remote: string,
  args: string[],
  options: LaunchOptions,
  api: Connected,
  progress: Progress,
): Promise<Request> {
  const { common, overrides } = commonOf(args, options);
  const { entryPoint, ref, credentials } = options;
  if (entryPoint === undefined)
    throw new DavitError('missing-entry-point', 'What in the repository should run? Say --entry-point.');
  const job = options.jobName ?? nameOfRemote(remote);
  const path = { ...(await projectOf(options.project ?? job, api)), job };
  progress.wait(`looking up ${ref ?? 'the default branch'} of ${remote}`);
  const made = await createGitJob(api.client, path, { remote, entryPoint, ...given({ ref, credentials }) });
  progress.say(createdWords(made, entryPoint));
  const { entity, project } = path;
  return { ...common, job: `${entity}/${project}/${made.job}:${made.version}`, entity, project, overrides };
}

const entryPointOverride = ({ entryPoint }: LaunchOptions) =>
  given({ entryPoint: entryPoint === undefined ? undefined : parseEntryPoint(entryPoint) });

export async function requestOfJob(
  job: string,
  args: string[],
  options: LaunchOptions,
  api: Connected,
): Promise<Request> {
  const { common, overrides } = commonOf(args, options);
  if (looksLikePath(job)) throw new DavitError('wrong-usage', `There is no folder ${job}.`);
  const into = options.project === undefined ? undefined : await projectOf(options.project, api);
  return {
    ...common,
    job,
    ...into,
    overrides: { ...overrides, ...entryPointOverride(options), ...given({ ref: options.ref }) },
  };
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
