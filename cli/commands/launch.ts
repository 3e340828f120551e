import { randomUUID } from 'node:crypto';
import { Option } from 'commander';
import type { Command } from 'commander';
import { DavitError } from '../../domain/errors.js';
import { priorities } from '../../domain/words.js';
import type { Api } from '../../client/index.js';
import { isWorthRetrying } from '../../client/index.js';
import { addConnectOptions, connect } from '../connect.js';
import type { Connected } from '../connect.js';
import { dryRun } from '../dry-run.js';
import { durationOption } from '../durations.js';
import { followLaunch } from '../follow.js';
import { requestOf, subjectOf } from '../launch-request.js';
import type { LaunchOptions, Request } from '../launch-request.js';
import { Output } from '../output/output.js';
import { Progress } from '../output/progress.js';
import { pause } from '../wait-for.js';
import { collect } from './collect.js';

const footer = `
The word after "launch" is a folder if there is one of that name, else a job: name:alias, project/name:alias or entity/project/name:alias.
Words after -- are handed to the job. Without --detach the command follows the launch and answers with the job's exit code.
Ctrl-C leaves and the launch goes on; a second Ctrl-C within 5 seconds cancels it.

  davit launch examples
  davit launch examples --config epochs=400 --config learning_rate=0.02 --name longer
  davit launch team/vision/train:best --queue gpu --priority high --detach -- --verbose
  davit launch train --queue gpu --requires gpu=a100 --retry preempted=5,exit:137=1 --timeout run=2h,start=10m
  davit launch --image registry.example.org/team/train:1.2 --queue docker -- --epochs 10
  davit launch --git https://git.example.org/ada/flowers.git --ref main --entry-point "python train.py" --queue docker
  davit launch train --queue gpu --set gpus=2 --dry-run`;

export function defineLaunch(command: Command): void {
  addConnectOptions(
    command
      .argument('[folder|job]', 'what to launch, without --image and --git')
      .argument('[args...]', 'arguments for the job, after --'),
  )
    .option('-q, --queue <name>', 'queue, or entity/queue', 'default')
    .option(
      '-p, --project <name>',
      'project, or entity/project, of the run and of the job of a folder (default: that of the folder or job)',
    )
    .option('--image <image>', 'run this container image, without a job')
    .option('--git <remote>', 'make a job of this repository and run it; wants --entry-point')
    .option('-g, --ref <name>', 'branch, tag or commit of the repository, or of a git job instead of its own')
    .option('--credentials <secret>', 'with --git: name of the secret that opens the repository')
    .option('-E, --entry-point <command>', 'what to run, instead of what the job says')
    .option('--working-dir <path>', 'folder of the code in which it starts')
    .option('--set <name=value>', "value of one of the queue's template variables; may be repeated", collect)
    .option('-R, --resource-args <json|file>', "parameters for the target, over the queue's")
    .option(
      '-c, --config <key=value>',
      'override a value of wandb.config; JSON or text; dots reach into objects',
      collect,
    )
    .option('--config-file <file>', 'the same from a JSON or YAML file')
    .option(
      '--file <path=file>',
      'values to lay over a JSON or YAML file that the program reads; may be repeated',
      collect,
    )
    .option('--artifact <name=entity/project/name:alias>', 'what use_artifact gets instead; may be repeated', collect)
    .option('-D, --dockerfile <path>', 'Dockerfile inside the code, instead of what the job says')
    .option('-b, --build-context <path>', 'folder of the code that the Dockerfile sees')
    .option('-B, --base-image <image>', 'image that the code is put on, instead of a Dockerfile')
    .option('--builder <name>', "builder, instead of the agent's own")
    .option('-e, --env <name=value>', 'an environment variable of the job; not for secrets', collect)
    .option('--secret <variable=name>', 'a variable that holds a secret of the queue; may be repeated', collect)
    .addOption(new Option('--priority <name>', 'place in line').choices(priorities))
    .option('-n, --name <name>', 'name of the run')
    .option('--job-name <name>', 'name of the job that is made of the folder (default: that of the folder)')
    .option('--no-require-run', 'the job may succeed without ever calling wandb.init')
    .option('--requires <label=value>', 'run only on an agent with this label; may be repeated', collect)
    .addOption(new Option('--require <label=value>', 'the same as --requires').argParser(collect).hideHelp())
    .option('--retry <causes>', 'try again for these causes, so often: preempted=5,exit:137=2; none: never')
    .option('--retry-backoff <range>', 'pause before the first and at most before a later try, such as 10s..10m')
    .addOption(new Option('--retry-attempt <number>', 'number of the attempt after a retry').choices(['same', 'new']))
    .addOption(new Option('--retry-run <run>', 'go on with the same run, or make a new one').choices(['resume', 'new']))
    .option('--timeout <stage=duration>', 'end what takes longer: prepare, start, run, total', collect)
    .option('--ttl <duration>', 'stop it if it waits longer than this', durationOption)
    .option('--hold', 'let it wait until somebody releases it')
    .option('--dry-run', 'say what it would do, when it would start and whether it is accepted; change nothing')
    .option('-d, --detach', 'enqueue, print the id, and leave')
    .option('--cancel-on-interrupt', 'a signal to this command cancels the launch')
    .option('--idempotency-key <key>', 'the same key with the same launch is accepted once (default: a new one)')
    .option('--json', 'JSON: one document with --detach, else one line for each event')
    .addHelpText('after', footer)
    .action(async (word: string | undefined, words: string[], options: LaunchOptions) => {
      const { subject, args } = subjectOf(word, words, options);
      const api = connect(options);
      const out = new Output(options.json === true);
      const progress = new Progress(out.json);
      try {
        if (options.dryRun === true) {
          process.exitCode = await dryRun(subject, args, options, api, out);
          return;
        }
        const request = await requestOf(subject, args, options, api, progress);
        const accepted = await enqueue(api, request, options.idempotencyKey ?? randomUUID(), progress);
        progress.stop();
        if (options.detach === true) {
          out.result(accepted, () => accepted.id);
          return;
        }
        for (const warning of accepted.warnings) progress.say(`warning: ${warning}`);
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
      if (data === undefined || !('id' in data)) throw new DavitError('internal', 'The API answered without a body.');
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
