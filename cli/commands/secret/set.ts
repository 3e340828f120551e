import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { qualified } from '../../references.js';
import { secretFrom } from '../../secret-value.js';
import { answerOf } from '../launches/answer.js';
import { given } from '../options.js';

const footer = `
The value is asked for without being shown, or read from standard input (one line's end behind it is left out), or from a file, byte for byte.
It is never part of the command line, and nothing shows it again.

  davit secret set hugging-face
  pass show hf | davit secret set lab/hugging-face --description "read only"
  davit secret set deploy-key --from-file id_ed25519`;

export function defineSecretSet(command: Command): void {
  addConnectOptions(command.argument('<name>', 'secret, or entity/secret'))
    .description('make a secret, or give it another value')
    .option('--from-file <file>', 'take the value from this file')
    .option('--description <text>', 'what it is for')
    .option('--json', 'as JSON')
    .addHelpText('after', footer)
    .action(async (reference: string, options: SetOptions) => {
      const api = connect(options);
      const { entity, name: secret } = await qualified(reference, api);
      const value = await secretFrom(options.fromFile, `Value of ${entity}/${secret}: `);
      const set = answerOf(
        await api.client.PUT('/entities/{entity}/secrets/{secret}', {
          params: { path: { entity, secret } },
          body: { value, ...given({ description: options.description }) },
        }),
      );
      const next = set.queues.length > 0 ? '' : ` No queue allows it yet: davit secret allow ${reference} QUEUE`;
      new Output(options.json === true).result(set, () => `Set ${entity}/${secret}, version ${set.version}.${next}`);
    });
}

interface SetOptions extends ConnectOptions {
  fromFile?: string;
  description?: string;
  json?: boolean;
}
