import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { Connected, ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { reportError } from '../../output/report-error.js';
import { qualified } from '../../references.js';
import { answerOf } from '../launches/answer.js';

type Agent = Api<'Agent'>;

/** What an operator tells agents. Each may be repeated; it counts at once for claims, and is told with the next heartbeat. */
export function defineAgentsOrders(command: Command): void {
  define(command.command('drain'), {
    description: 'let agents take nothing new; what they hold goes on',
    examples: '\n  davit agents drain box-1        # then wait: davit agents show box-1',
    act: async ({ client }, path) =>
      answerOf(await client.POST('/agents/{entity}/{agent}/drain', { params: { path } })),
    done: ({ slots }, name) =>
      `${name} takes nothing new; it holds ${slots.used === 0 ? 'nothing' : `${slots.used}`}. Undo: davit agents activate ${name}`,
  });
  define(command.command('stop'), {
    description: 'end the process of agents; running jobs go on and are followed by the next one at the same place',
    examples:
      '\n  davit agents stop box-1         # exit code 79: whoever starts it again should not, until it is activated',
    act: async ({ client }, path) => answerOf(await client.POST('/agents/{entity}/{agent}/stop', { params: { path } })),
    done: ({ slots }, name) =>
      `${name} is told to end${slots.used === 0 ? '' : `; its ${slots.used} running jobs go on`}. Its name is refused until davit agents activate ${name}`,
  });
  define(command.command('activate'), {
    description: 'let agents work again that were drained or stopped',
    examples: '\n  davit agents activate box-1',
    act: async ({ client }, path) =>
      answerOf(await client.POST('/agents/{entity}/{agent}/activate', { params: { path } })),
    done: ({ status }, name) =>
      status === 'stopped' || status === 'lost'
        ? `${name} may work again. Its process does not run: start it (davit agent).`
        : `${name} takes launches again.`,
  });
  define(command.command('release'), {
    description: 'let agents out of quarantine; their failures until now are forgotten',
    examples: '\n  davit agents show box-1         # the evidence\n  davit agents release box-1',
    act: async ({ client }, path) =>
      answerOf(await client.POST('/agents/{entity}/{agent}/release', { params: { path } })),
    done: (_, name) => `${name} is out of quarantine and takes launches again.`,
  });
}

interface Order {
  description: string;
  examples: string;
  act(api: Connected, path: { entity: string; agent: string }): Promise<Agent>;
  done(agent: Agent, name: string): string;
}

function define(command: Command, { description, examples, act, done }: Order): void {
  addConnectOptions(command.argument('<name...>', 'agents, or entity/agent'))
    .description(description)
    .option('--json', 'one JSON line for each')
    .addHelpText('after', examples)
    .action(async (references: string[], options: ConnectOptions & { json?: boolean }) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      // One that is refused does not keep the others from being told.
      for (const reference of references) {
        try {
          const { entity, name } = await qualified(reference, api);
          const agent = await act(api, { entity, agent: name });
          out.line(agent, () => done(agent, `${entity}/${name}`));
        } catch (error) {
          process.exitCode = Math.max(Number(process.exitCode ?? 0), reportError(error, out.json));
        }
      }
    });
}
