import { randomUUID } from 'node:crypto';
import { Option } from 'commander';
import type { Command } from 'commander';
import { DavitError } from '../../domain/errors.js';
import { parseEntryPoint } from '../../domain/job.js';
import { priorities } from '../../domain/words.js';
import type { Api } from '../../client/index.js';
import { isWorthRetrying } from '../../client/index.js';
import { addConnectOptions, connect } from '../connect.js';
import type { Connected, ConnectOptions } from '../connect.js';
import { followLaunch } from '../follow.js';
import { guessEntryPoint, isFolder, nameOfFolder, uploadFolder } from '../folder-job.js';
import { Output } from '../output/output.js';
import { Progress } from '../output/progress.js';
import { configFrom, environmentFrom } from '../overrides.js';
import { pause } from '../wait-for.js';
import { collect } from './collect.js';
import { createdWords, projectOf } from './job.js';

const footer = `
The word after "launch" is a folder if there is one of that name, else a job: name:alias, project/name:alias or entity/project/name:alias.
Words after -- are handed to the job. Without --detach the command follows the launch and answers with the job's exit code.
Ctrl-C leaves and the launch goes on; a second Ctrl-C within 5 seconds cancels it.

  davit launch examples
  davit launch examples --config epochs=400 --config learning_rate=0.02 --name longer
  davit launch team/vision/train:best --queue gpu --priority high --detach -- --verbose`;

export function defineLaunch(command: Command): void {
  addConnectOptions(
    command.argument('<folder|job>', 'what to launch').argument('[args...]', 'arguments for the job, after --'),
  )
    .option('-q, --queue <name>', 'queue, or entity/queue', 'default')
    .option(
      '-p, --project <name>',
      'project, or entity/project, of the run and of the job of a folder (default: that of the folder or job)',
    )
    .option('--entry-point <command>', 'what to run, instead of what the job says')
    .option(
      '-c, --config <key=value>',
      'override a value of wandb.config; JSON or text; dots reach into objects',
      collect,
      [],
    )
    .option('--config-file <file>', 'the same from a JSON or YAML file')
    .option('-e, --env <name=value>', 'an environment variable of the job; not for secrets', collect, [])
    .addOption(new Option('--priority <name>', 'place in line').choices(priorities))
    .option('-n, --name <name>', 'name of the run')
    .option('--job-name <name>', 'name of the job that is made of the folder (default: that of the folder)')
    .option('--no-require-run', 'the job may succeed without ever calling wandb.init')
    .option('-d, --detach', 'enqueue, print the id, and leave')
    .option('--cancel-on-interrupt', 'a signal to this command cancels the launch')
    .option('--idempotency-key <key>', 'the same key with the same launch is accepted once (default: a new one)')
    .option('--json', 'JSON: one document with --detach, else one line for each event')
    .addHelpText('after', footer)
    .action(async (subject: string, args: string[], options: LaunchOptions) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      const progress = new Progress(out.json);
      try {
        const request = await requestOf(subject, args, options, api, progress);
        const accepted = await enqueue(api, request, options.idempotencyKey ?? randomUUID(), progress);
        progress.stop();
        if (options.detach === true) {
          out.result(accepted, () => accepted.id);
          return;
        }
        if (out.json) out.line({ type: 'accepted', ...accepted }, () => '');
        else progress.say(`launch ${accepted.id}`);
        process.exitCode = await followLaunch(api, accepted.id, out, {
          cancelOnInterrupt: options.cancelOnInterrupt === true,
        });
      } finally {
        progress.stop();
      }
    });
}

interface LaunchOptions extends ConnectOptions {
  queue: string;
  project?: string;
  entryPoint?: string;
  config: string[];
  configFile?: string;
  env: string[];
  priority?: (typeof priorities)[number];
  name?: string;
  jobName?: string;
  requireRun: boolean;
  detach?: boolean;
  cancelOnInterrupt?: boolean;
  idempotencyKey?: string;
  json?: boolean;
}

type Request = Api<'LaunchRequest'>;

async function requestOf(
  subject: string,
  args: string[],
  options: LaunchOptions,
  api: Connected,
  progress: Progress,
): Promise<Request> {
  const config = configFrom(options.configFile, options.config);
  const environment = environmentFrom(options.env);
  const common = {
    queue: options.queue,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    // Left out, the queue decides.
    ...(options.requireRun ? {} : { requireRun: false }),
  };
  const overrides = {
    ...(args.length === 0 ? {} : { args }),
    ...(config === undefined ? {} : { config }),
    ...(environment === undefined ? {} : { environment }),
  };

  if (!isFolder(subject)) {
    if (looksLikePath(subject)) throw new DavitError('wrong-usage', `There is no folder ${subject}.`);
    const entryPoint = options.entryPoint === undefined ? undefined : parseEntryPoint(options.entryPoint);
    const into = options.project === undefined ? undefined : await projectOf(options.project, api);
    return {
      ...common,
      job: subject,
      ...(into === undefined ? {} : into),
      overrides: { ...overrides, ...(entryPoint === undefined ? {} : { entryPoint }) },
    };
  }
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

/** Somebody who writes ./x or a/b/c/d means a folder that is not there. */
const looksLikePath = (subject: string): boolean =>
  /^(\.{0,2}\/|~)/.test(subject) || subject.endsWith('/') || subject.split('/').length > 3;

const patienceMs = 60_000;

/** Sends it until it is answered: the key makes it one launch, however often it is sent. */
async function enqueue(
  api: Connected,
  body: Request,
  idempotencyKey: string,
  progress: Progress,
): Promise<Api<'AcceptedLaunch'>> {
  const untilMs = Date.now() + patienceMs;
  for (let delayMs = 250; ; delayMs = Math.min(delayMs * 2, 5_000)) {
    try {
      const headers = { 'Idempotency-Key': idempotencyKey };
      const { data } = await api.client.POST('/launches', { body, headers });
      if (data === undefined) throw new DavitError('internal', 'The API answered without a body.');
      return data;
    } catch (error) {
      if (!isWorthRetrying(error) || Date.now() > untilMs) throw error;
      progress.wait(
        `the API does not answer (${error instanceof Error ? error.message : String(error)}); trying again`,
      );
      await pause(delayMs);
    }
  }
}
