import { join } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Logger } from 'pino';
import { createLog } from '../output/log.js';
import { version } from '../version.js';
import { loadConfig } from './load.js';
import type { Loaded } from './load.js';
import { redacted } from './print.js';
import type { Settings, Values } from './settings.js';
import { flagOf } from './settings.js';
import type { ProcessName } from './variables.js';

/** Gives a command a flag for each setting that may be seen by others of the machine, --config and --check. */
export function addSettings(command: Command, settings: Settings): Command {
  for (const [key, one] of Object.entries(settings)) {
    if (one.secret === 'yes') continue;
    const shown = one.defaultText ?? (one.default === undefined ? undefined : JSON.stringify(one.default));
    const words = `${one.description}${shown === undefined ? '' : ` (default: ${shown})`}`;
    if (one.isBoolean === true) {
      command
        .addOption(new Option(flagOf(key), words))
        .addOption(new Option(`--no-${flagOf(key).slice(2)}`).hideHelp());
    } else if (one.itemFlag !== undefined) {
      const collect = (value: string, earlier: string[] | undefined) => [...(earlier ?? []), value];
      command.addOption(
        new Option(`--${one.itemFlag} <value>`, `${words} Again and again for several.`).argParser(collect),
      );
    } else {
      command.addOption(new Option(`${flagOf(key)} <value>`, words));
    }
  }
  return command
    .option('--config <file>', 'a YAML file with settings (or DAVIT_CONFIG)')
    .option('--check', 'validate the configuration, print it without secrets, and exit');
}

interface Configured<S extends Settings> {
  loaded: Loaded<Values<S>>;
  log: Logger;
}

/** Loads the configuration of a process and says what it is; undefined when only that was asked for. */
export function configure<S extends Settings>(
  process_: ProcessName,
  settings: S,
  options: Record<string, unknown>,
  env: NodeJS.ProcessEnv,
  check: (loaded: Loaded<Values<S>>) => void = () => undefined,
): Configured<S> | undefined {
  const loaded = loadConfig(process_, settings, {
    flags: options,
    env,
    file: (options['config'] as string | undefined) ?? (env['DAVIT_CONFIG'] || undefined),
    ...(process_ === 'up' ? { defaultFile: join(homeOf(options, env), 'davit.yaml') } : {}),
  });
  check(loaded);
  const shown = redacted(settings, loaded);
  if (options['check'] === true) {
    process.stdout.write(`${JSON.stringify({ process: process_, version, settings: shown }, null, 2)}\n`);
    return undefined;
  }
  const values = loaded.values as { logLevel: 'info'; logFormat?: 'auto' };
  const log = createLog({ part: process_, level: values.logLevel, format: values.logFormat ?? 'auto' });
  const settingsLine = Object.fromEntries(Object.entries(shown).map(([key, { value }]) => [key, value]));
  // `up` speaks to a person: its start lines say what matters, and its parts log their own settings.
  if (process_ !== 'up') log.info({ version, settings: settingsLine }, `davit ${process_} ${version} starts`);
  return { loaded, log };
}

function homeOf(options: Record<string, unknown>, env: NodeJS.ProcessEnv): string {
  const flag = options['home'];
  return typeof flag === 'string' ? flag : env['DAVIT_HOME'] || join(env['HOME'] ?? '', '.davit');
}
