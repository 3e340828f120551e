import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { followLaunch } from '../../follow.js';
import { Output } from '../../output/output.js';

export function defineWatch(command: Command): void {
  addConnectOptions(command.argument('<id>', 'launch'))
    .description('follow a launch to its end; exits as the job does')
    .option('--cancel-on-interrupt', 'a signal to this command cancels the launch')
    .option('--json', 'one JSON line for each event')
    .action(async (id: string, options: ConnectOptions & { json?: boolean; cancelOnInterrupt?: boolean }) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      process.exitCode = await followLaunch(api, id, out, { cancelOnInterrupt: options.cancelOnInterrupt === true });
    });
}
