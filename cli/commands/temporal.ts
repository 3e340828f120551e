import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { Option } from 'commander';
import type { Command } from 'commander';
import { plainEnvironment } from '../stack/find-program.js';
import { defaultHome, homeAt } from '../stack/home.js';
import { findTemporal } from '../stack/temporal-program.js';
import { temporalArguments } from '../stack/temporal.js';
import { stopSignal } from '../stop-signals.js';
import { wholeAbove0 } from './options.js';

const footer = `
A server for one machine, its database in one file: the one that davit up starts, apart. It asks nobody who they are: let only Davit's own parts
reach it. Beyond one machine use a Temporal cluster or Temporal Cloud, and give its address to server, worker and agents.`;

/** The same program with the same settings as under `davit up`. */
export function defineTemporal(command: Command): void {
  command
    .option('--folder <path>', 'where its database file lies (default: temporal in the data folder)')
    .addOption(new Option('--host <address>', 'the address to listen on').default('127.0.0.1'))
    .option('--port <number>', 'the port of its frontend', wholeAbove0, 7233)
    .option('--ui-port <number>', 'the port of its web pages', wholeAbove0, 8233)
    .addHelpText('after', footer)
    .action(run);
}

async function run({ folder = homeAt(defaultHome(process.env)).temporal, ...at }: TemporalOptions): Promise<void> {
  const signal = stopSignal();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  // A server elsewhere, which the environment may name for the other parts, is not what is asked for.
  const env = { ...process.env, TEMPORAL_ADDRESS: '', TEMPORAL_PROFILE: '', TEMPORAL_CONFIG_FILE: '' };
  const choice = await findTemporal({ env, temporalFolder: folder, say, warn: say, signal });
  if (choice.source === 'environment') throw new Error('an environment without an address named a server');
  const child = spawn(choice.program, temporalArguments({ folder, ...at }), {
    cwd: folder,
    env: { ...plainEnvironment(process.env), TEMPORAL_VERSION_CHECK_DISABLED: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode) => resolve(exitCode ?? 1));
  });
  process.exitCode = signal.aborted ? 0 : code;
}

interface TemporalOptions {
  folder?: string;
  host: string;
  port: number;
  uiPort: number;
}
