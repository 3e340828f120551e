#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { DavitError } from '../domain/errors.js';
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

/** Only the one that was asked for is loaded: all of them take a second. */
const commands: Record<string, { does: string; load: () => Promise<(command: Command) => void> }> = {
  up: {
    does: 'start everything on this machine, in this terminal',
    load: async () => (await import('./commands/up.js')).defineUp,
  },
  env: {
    does: 'print the lines that give a shell the address and the key of the running stack',
    load: async () => (await import('./commands/env.js')).defineEnv,
  },
  doctor: {
    does: 'say what is there, what is missing and how to get it',
    load: async () => (await import('./commands/doctor.js')).defineDoctor,
  },
  launch: {
    does: 'launch a folder or a job, and follow it to its end',
    load: async () => (await import('./commands/launch.js')).defineLaunch,
  },
  launches: {
    does: 'list, show and follow launches; move, hold, cancel and repeat them, one or many',
    load: async () => (await import('./commands/launches.js')).defineLaunches,
  },
  queue: {
    does: 'watch, make, change, pause and drain queues',
    load: async () => (await import('./commands/queue.js')).defineQueue,
  },
  job: { does: 'make and show jobs', load: async () => (await import('./commands/job.js')).defineJob },
  runs: {
    does: 'list and show runs: values, state, alerts',
    load: async () => (await import('./commands/runs.js')).defineRuns,
  },
  sweep: {
    does: 'show sweeps; pause, resume, stop and cancel them',
    load: async () => (await import('./commands/sweep.js')).defineSweep,
  },
  agents: {
    does: 'show agents, drain, stop and release them',
    load: async () => (await import('./commands/agents.js')).defineAgents,
  },
  keys: {
    does: 'make, list and revoke keys of users and agents',
    load: async () => (await import('./commands/keys.js')).defineKeys,
  },
  secret: {
    does: 'set, list, allow and delete secrets that jobs are given',
    load: async () => (await import('./commands/secret.js')).defineSecret,
  },
  server: { does: 'run the API', load: async () => (await import('./commands/server.js')).defineServer },
  worker: { does: 'run the workflows', load: async () => (await import('./commands/worker.js')).defineWorker },
  temporal: {
    does: 'run the Temporal server of `davit up` by itself',
    load: async () => (await import('./commands/temporal.js')).defineTemporal,
  },
  agent: {
    does: 'take launches from queues and run them here',
    load: async () => (await import('./commands/agent.js')).defineAgent,
  },
};
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const asked = words[0] === 'help' ? words[1] : words[0];
for (const [name, { does, load }] of Object.entries(commands)) {
  const command = program.command(name).description(does);
  if (name === asked) (await load())(command);
}

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
