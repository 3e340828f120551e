import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { followLaunch } from '../../follow.js';
import { Output } from '../../output/output.js';
import { given } from '../options.js';
import { answerOf } from './answer.js';

export function defineRelaunch(command: Command): void {
  addConnectOptions(command.argument('<id>', 'launch'))
    .description('enqueue the same again, as a new launch with a new run, and follow it')
    .option('-q, --queue <name>', 'in another queue')
    .option('-n, --name <name>', 'name of the new run')
    .option('-d, --detach', 'print the id and leave')
    .option('--json', 'JSON: one document with --detach, else one line for each event')
    .action(async (id: string, options: RelaunchOptions) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      const { queue, name } = options;
      const accepted = answerOf(
        await api.client.POST('/launches/{id}/relaunch', {
          params: { path: { id } },
          headers: { 'Idempotency-Key': randomUUID() },
          body: given({ queue, name }),
        }),
      );
      if (options.detach === true) return out.result(accepted, () => accepted.id);
      if (out.json) out.line({ type: 'accepted', ...accepted }, () => '');
      else process.stderr.write(`launch ${accepted.id}\n`);
      process.exitCode = await followLaunch(api, accepted.id, out, { cancelOnInterrupt: false });
    });
}

interface RelaunchOptions extends ConnectOptions {
  queue?: string;
  name?: string;
  detach?: boolean;
  json?: boolean;
}
