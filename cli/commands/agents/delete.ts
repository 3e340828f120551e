import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { qualified } from '../../references.js';

export function defineAgentsDelete(command: Command): void {
  addConnectOptions(command.argument('<name>', 'agent, or entity/agent'))
    .description('forget an agent that is gone and holds nothing')
    .option('--json', 'as JSON')
    .addHelpText('after', '\n  davit agents delete old-box')
    .action(async (reference: string, options: ConnectOptions & { json?: boolean }) => {
      const api = connect(options);
      const { entity, name: agent } = await qualified(reference, api);
      await api.client.DELETE('/agents/{entity}/{agent}', { params: { path: { entity, agent } } });
      new Output(options.json === true).result(
        { entity, name: agent, deleted: true },
        () => `Forgot the agent ${entity}/${agent}.`,
      );
    });
}
