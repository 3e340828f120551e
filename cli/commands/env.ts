import { Option } from 'commander';
import type { Command } from 'commander';
import { DavitError } from '../../domain/errors.js';
import { exitCodes } from '../output/exit-codes.js';
import { Output } from '../output/output.js';
import { reportError } from '../output/report-error.js';
import { runningStack } from '../running-stack.js';
import { exportLines } from '../shell.js';
import { defaultHome } from '../stack/home.js';

export function defineEnv(command: Command): void {
  command
    .addOption(
      new Option('--shell <name>', 'for which shell').choices(['sh', 'fish']).default('sh', 'sh, bash and zsh'),
    )
    .option('--json', 'as a JSON object')
    .addHelpText('after', '\nUse: eval "$(davit env)"')
    .action((options: { json?: boolean; shell: 'sh' | 'fish' }) => {
      const stack = runningStack(process.env);
      if (stack === null) {
        reportError(
          new DavitError('not-running', `No stack runs on ${defaultHome(process.env)}.`),
          options.json === true,
        );
        process.exitCode = exitCodes.failed;
        return;
      }
      const variables = {
        WANDB_BASE_URL: stack.url,
        WANDB_API_KEY: stack.key,
        DAVIT_URL: stack.url,
        DAVIT_API_KEY: stack.key,
      };
      new Output(options.json === true).result(variables, () => exportLines(variables, options.shell));
    });
}
