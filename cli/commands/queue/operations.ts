import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { Connected, ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { qualified } from '../../references.js';

type Queue = Api<'Queue'>;
type Path = { entity: string; queue: string };

/** What an operator does with a queue as a whole. Each may be repeated. */
export function defineQueueOperations(command: Command): void {
  define(command.command('pause').option('--reason <text>', 'a sentence for people'), {
    description: 'hand nothing out; what runs goes on',
    examples: '\n  davit queue pause gpu --reason "new disks until noon"',
    act: async ({ client }, path, { reason }) =>
      (await client.POST('/queues/{entity}/{queue}/pause', { params: { path }, body: bodyOf(reason) })).data,
    done: ({ running, waiting }, name) =>
      `Paused ${name}: nothing is handed out. ${waiting} wait, ${running} ${running === 1 ? 'goes' : 'go'} on. Resume: davit queue resume ${name}`,
  });
  define(command.command('resume'), {
    description: 'hand out again',
    examples: '\n  davit queue resume gpu',
    act: async ({ client }, path) => (await client.POST('/queues/{entity}/{queue}/resume', { params: { path } })).data,
    done: ({ waiting, agents }, name) =>
      `Resumed ${name}: ${waiting} wait, ${agents === 0 ? 'and no agent serves it at present' : `${agents} ${agents === 1 ? 'agent serves' : 'agents serve'} it`}.`,
  });
  define(command.command('drain').option('--reason <text>', 'a sentence for people'), {
    description: 'refuse new launches, work off the rest',
    examples: '\n  davit queue drain old-gpu --reason "moves to gpu on Friday"',
    act: async ({ client }, path, { reason }) =>
      (await client.POST('/queues/{entity}/{queue}/drain', { params: { path }, body: bodyOf(reason) })).data,
    done: ({ waiting, running }, name) =>
      `Draining ${name}: new launches are refused; ${waiting} wait and ${running} run. Undo: davit queue undrain ${name}`,
  });
  define(command.command('undrain'), {
    description: 'take new launches again',
    examples: '\n  davit queue undrain old-gpu',
    act: async ({ client }, path) => (await client.POST('/queues/{entity}/{queue}/undrain', { params: { path } })).data,
    done: (_, name) => `${name} takes new launches again.`,
  });
}

interface Operation {
  description: string;
  examples: string;
  act(api: Connected, path: Path, options: { reason?: string }): Promise<Queue | undefined>;
  done(queue: Queue, name: string): string;
}

function define(command: Command, { description, examples, act, done }: Operation): void {
  addConnectOptions(command.argument('<name>', 'queue, or entity/queue'))
    .description(description)
    .option('--json', 'print the queue as JSON')
    .addHelpText('after', examples)
    .action(async (reference: string, options: ConnectOptions & { reason?: string; json?: boolean }) => {
      const api = connect(options);
      const { entity, name } = await qualified(reference, api);
      const queue = await act(api, { entity, queue: name }, options);
      new Output(options.json === true).result(queue, () =>
        queue === undefined ? '' : done(queue, `${entity}/${name}`),
      );
    });
}

const bodyOf = (reason: string | undefined) => (reason === undefined ? {} : { reason });
