import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { ago, Output } from '../../output/output.js';
import { everyPage } from '../../pages.js';

export function defineSecretList(command: Command): void {
  addConnectOptions(command)
    .description('list secrets by name, and which queues allow them')
    .option('--entity <name>', 'whose (default: your own)')
    .option('--json', 'as JSON')
    .action(async (options: ConnectOptions & { entity?: string; json?: boolean }) => {
      const api = connect(options);
      const entity = options.entity ?? (await api.entity());
      const secrets = await everyPage<Api<'Secret'>>(
        async (query) =>
          (await api.client.GET('/entities/{entity}/secrets', { params: { path: { entity }, query } })).data,
      );
      const out = new Output(options.json === true);
      out.result(secrets, () =>
        secrets.length === 0
          ? `${entity} has no secrets. Make one: davit secret set NAME`
          : out.table(
              ['SECRET', 'FOR', 'QUEUES', 'SET', 'USED'],
              secrets.map((one) => [
                one.name,
                one.description === '' ? '-' : one.description,
                one.queues.length === 0 ? 'none' : one.queues.join(', '),
                `${ago(one.updatedAt)} by ${one.updatedBy}`,
                ago(one.usedAt),
              ]),
            ),
      );
    });
}
