import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';

export function defineKeysRevoke(command: Command): void {
  addConnectOptions(command.argument('<id>', 'key, as `davit keys list` shows it'))
    .description('make a key open nothing any more')
    .option('--json', 'as JSON')
    .action(async (id: string, options: ConnectOptions & { json?: boolean }) => {
      await connect(options).client.DELETE('/keys/{id}', { params: { path: { id } } });
      new Output(options.json === true).result({ id, revoked: true }, () => `Revoked ${id}.`);
    });
}
