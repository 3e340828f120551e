import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { ago, Output } from '../../output/output.js';
import { answerOf } from '../launches/answer.js';

export function defineKeysList(command: Command): void {
  addConnectOptions(command)
    .description('list the keys that you made')
    .option('--json', 'as JSON')
    .action(async (options: ConnectOptions & { json?: boolean }) => {
      const { items } = answerOf(await connect(options).client.GET('/keys'));
      const out = new Output(options.json === true);
      out.result(items, () =>
        items.length === 0
          ? 'There are no keys of yours. Make one: davit keys create'
          : out.table(
              ['KEY', 'KIND', 'ENDS IN', 'FOR', 'OPENS', 'USED', 'STATE'],
              items.map((one) => [
                one.id,
                one.kind,
                one.hint,
                one.description === '' ? '-' : one.description,
                one.kind !== 'agent'
                  ? 'all that you may'
                  : (one.queues?.join(', ') ?? `every queue of ${one.entity ?? '-'}`),
                ago(one.lastUsedAt),
                stateOf(one),
              ]),
            ),
      );
    });
}

const stateOf = (key: { revokedAt: string | null; expiresAt: string | null }): string =>
  key.revokedAt !== null
    ? 'revoked'
    : key.expiresAt !== null && Date.parse(key.expiresAt) <= Date.now()
      ? 'expired'
      : 'valid';
