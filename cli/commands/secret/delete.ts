import type { Command } from 'commander';
import { confirmed } from '../../confirm.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { qualified } from '../../references.js';
import { answerOf } from '../launches/answer.js';

export function defineSecretDelete(command: Command): void {
  addConnectOptions(command.argument('<name>', 'secret, or entity/secret'))
    .description('delete a secret and take it off the queues that allow it; jobs that run keep it')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'as JSON')
    .action(async (reference: string, options: ConnectOptions & { yes?: boolean; json?: boolean }) => {
      const api = connect(options);
      const { entity, name: secret } = await qualified(reference, api);
      const path = { entity, secret };
      const { queues } = answerOf(await api.client.GET('/entities/{entity}/secrets/{secret}', { params: { path } }));
      const used = queues.length === 0 ? 'No queue allows it' : `Allowed by ${queues.join(', ')}`;
      if (!(await confirmed(`Delete ${entity}/${secret}? ${used}; its value cannot be read or brought back.`, options)))
        return;
      await api.client.DELETE('/entities/{entity}/secrets/{secret}', { params: { path } });
      new Output(options.json === true).result(
        { entity, name: secret, deleted: true },
        () => `Deleted ${entity}/${secret}.`,
      );
    });
}
