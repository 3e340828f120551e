import { Option } from 'commander';
import type { Command } from 'commander';
import { DavitError } from '../../../domain/errors.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { durationOption } from '../../durations.js';
import { Output } from '../../output/output.js';
import { collect } from '../collect.js';
import { answerOf } from '../launches/answer.js';
import { given } from '../options.js';

export function defineKeysCreate(command: Command): void {
  addConnectOptions(command)
    .description('make a key and print it; nothing shows it again')
    .addOption(new Option('--kind <name>', 'of a user, or of an agent').choices(['user', 'agent']).default('user'))
    .option('--entity <name>', 'agent: the entity whose queues it may serve (default: your own)')
    .option('-q, --queue <name>', 'agent: bound to this queue; may be repeated (default: every queue)', collect)
    .option('--description <text>', 'what it is for')
    .option('--expires <duration>', 'opens nothing any more after this, such as 90d', durationOption)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
  davit keys create --description "my laptop" --expires 90d
  DAVIT_AGENT_KEY=$(davit keys create --kind agent --queue gpu --description box-1) davit agent --queues gpu`,
    )
    .action(async (options: CreateOptions) => {
      const { kind, description, queue, expires } = options;
      if (kind === 'user' && (queue !== undefined || options.entity !== undefined))
        throw new DavitError('wrong-usage', '--entity and --queue are for keys of agents: add --kind agent.');
      const api = connect(options);
      const common = given({
        description,
        expiresAt: expires === undefined ? undefined : new Date(Date.now() + expires).toISOString(),
      });
      const made = answerOf(
        await api.client.POST('/keys', {
          body:
            kind === 'user'
              ? { kind, ...common }
              : {
                  kind,
                  entity: options.entity ?? (await api.entity()),
                  ...(queue === undefined ? {} : { queues: queue }),
                  ...common,
                },
        }),
      );
      new Output(options.json === true).result(made, () => made.key);
    });
}

interface CreateOptions extends ConnectOptions {
  kind: 'user' | 'agent';
  entity?: string;
  queue?: string[];
  description?: string;
  expires?: number;
  json?: boolean;
}
