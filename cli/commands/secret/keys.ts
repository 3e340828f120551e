import type { Command } from 'commander';
import { newKeyLine } from '../../../store/keyring.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { answerOf } from '../launches/answer.js';

/** For who runs the installation: the keys that secrets are stored under, and changing them (docs/secrets.md). */

export function defineSecretKeys(command: Command): void {
  addConnectOptions(command)
    .description('show the keys that secrets are stored under, and how much lies under each (site admins)')
    .option('--json', 'as JSON')
    .action(async (options: ConnectOptions & { json?: boolean }) => {
      const { current, keys } = answerOf(await connect(options).client.GET('/secret-keys'));
      const out = new Output(options.json === true);
      out.result({ current, keys }, () =>
        keys.length === 0
          ? 'No key is configured. Make one: davit secret new-key'
          : out.table(
              ['KEY', 'STATE', 'SECRETS', 'OF LAUNCHES'],
              keys.map(({ id, configured, secrets, running }) => [
                id,
                id === current
                  ? 'for new ones'
                  : !configured
                    ? 'missing'
                    : secrets + running === 0
                      ? 'not needed any more'
                      : 'opens older ones',
                secrets,
                running,
              ]),
            ),
      );
    });
}

export function defineSecretReseal(command: Command): void {
  addConnectOptions(command)
    .description('store everything under the first key, so that older ones are not needed any more (site admins)')
    .option('--json', 'as JSON')
    .action(async (options: ConnectOptions & { json?: boolean }) => {
      const done = answerOf(await connect(options).client.POST('/secret-keys/reseal'));
      new Output(options.json === true).result(
        done,
        () => `Stored ${done.resealed} anew. davit secret keys shows what lies where.`,
      );
    });
}

export function defineSecretNewKey(command: Command): void {
  command
    .description('print a new key, a line for the file of DAVIT_SECRET_KEYS_FILE')
    .action(() => void process.stdout.write(`${newKeyLine(new Date())}\n`));
}
