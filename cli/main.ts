#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { DavitError } from '../domain/errors.js';
import { defineAgent } from './commands/agent.js';
import { defineAgents } from './commands/agents.js';
import { defineDoctor } from './commands/doctor.js';
import { defineEnv } from './commands/env.js';
import { defineJob } from './commands/job.js';
import { defineKeys } from './commands/keys.js';
import { defineLaunch } from './commands/launch.js';
import { defineLaunches } from './commands/launches.js';
import { defineQueue } from './commands/queue.js';
import { defineRuns } from './commands/runs.js';
import { defineSecret } from './commands/secret.js';
import { defineServer } from './commands/server.js';
import { defineSweep } from './commands/sweep.js';
import { defineTemporal } from './commands/temporal.js';
import { defineUp } from './commands/up.js';
import { defineWorker } from './commands/worker.js';
import { exitCodes } from './output/exit-codes.js';
import { reportError } from './output/report-error.js';
import { version } from './version.js';

const program = new Command('davit')
  .description('Puts machine-learning jobs onto compute.')
  .version(version, '-V, --version')
  .enablePositionalOptions()
  .showHelpAfterError('(davit help shows what there is)')
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed, 2 wrong usage, 69 no API, 77 not allowed, 79 agent stopped by an operator, 130 interrupted.',
  );

defineUp(program.command('up').description('start everything on this machine, in this terminal'));
defineEnv(
  program.command('env').description('print the lines that give a shell the address and the key of the running stack'),
);
defineDoctor(program.command('doctor').description('say what is there, what is missing and how to get it'));
defineLaunch(program.command('launch').description('launch a folder or a job, and follow it to its end'));
defineLaunches(
  program
    .command('launches')
    .description('list, show and follow launches; move, hold, cancel and repeat them, one or many'),
);
defineQueue(program.command('queue').description('watch, make, change, pause and drain queues'));
defineJob(program.command('job').description('make and show jobs'));
defineRuns(program.command('runs').description('list and show runs: values, state, alerts'));
defineSweep(program.command('sweep').description('show sweeps; pause, resume, stop and cancel them'));
defineAgents(program.command('agents').description('show agents, drain, stop and release them'));
defineKeys(program.command('keys').description('make, list and revoke keys of users and agents'));
defineSecret(program.command('secret').description('set, list, allow and delete secrets that jobs are given'));
defineServer(program.command('server').description('run the API'));
defineWorker(program.command('worker').description('run the workflows'));
defineTemporal(program.command('temporal').description('run the Temporal server of `davit up` by itself'));
defineAgent(program.command('agent').description('take launches from queues and run them here'));

for (const name of ['server', 'worker', 'agent']) {
  // Marks the process for `davit up`, which finds by it what outlived a crash.
  program.commands
    .find((command) => command.name() === name)
    ?.addOption(new Option('--data-folder <path>').hideHelp())
    .addOption(new Option('--json', 'errors as JSON').hideHelp());
}

const wantsJson = process.argv.slice(2, separatorAt(process.argv)).includes('--json');
overrideExits(program);
process.stdout.on('error', leaveOnClosedPipe);
process.stderr.on('error', leaveOnClosedPipe);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = error instanceof CommanderError ? endOfCommander(error) : reportError(error, wantsJson);
}

/** Commander ends the process itself, with 1 for wrong usage; ours is 2. */
function overrideExits(command: Command): void {
  command.exitOverride();
  if (wantsJson) command.configureOutput({ writeErr: () => undefined });
  for (const child of command.commands) overrideExits(child);
}

/** Help and version end well; everything else it has told in words already, unless JSON is wanted. */
function endOfCommander(error: CommanderError): number {
  if (error.exitCode === 0) return exitCodes.ok;
  if (wantsJson) reportError(new DavitError('wrong-usage', error.message.replace(/^error: /, '')), true);
  return exitCodes.usage;
}

function separatorAt(argv: string[]): number {
  const at = argv.indexOf('--');
  return at === -1 ? argv.length : at;
}

/** `davit launches list | head` is no error. */
function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
}
