import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { factLines } from '../../output/facts.js';
import { ago, Output } from '../../output/output.js';
import { qualified } from '../../references.js';
import { answerOf } from '../launches/answer.js';

export function defineSecretShow(command: Command): void {
  addConnectOptions(command.argument('<name>', 'secret, or entity/secret'))
    .description('show what is known of a secret; its value is shown to nobody')
    .option('--json', 'as JSON')
    .action(async (reference: string, options: ConnectOptions & { json?: boolean }) => {
      const api = connect(options);
      const { entity, name: secret } = await qualified(reference, api);
      const found = answerOf(
        await api.client.GET('/entities/{entity}/secrets/{secret}', { params: { path: { entity, secret } } }),
      );
      const out = new Output(options.json === true);
      out.result(found, () =>
        [
          out.colors.bold(`${found.entity}/${found.name}`),
          ...factLines(
            [
              ['for', found.description === '' ? null : found.description],
              ['queues', found.queues.length === 0 ? 'none allows it' : found.queues.join(', ')],
              ['version', `${found.version}`],
              ['made', `${ago(found.createdAt)} by ${found.createdBy}`],
              ['set', `${ago(found.updatedAt)} by ${found.updatedBy}`],
              ['used', found.usedAt === null ? 'never' : ago(found.usedAt)],
            ],
            9,
            out.colors,
          ),
        ].join('\n'),
      );
    });
}
