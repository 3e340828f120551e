import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { addConnectOptions, connect } from '../connect.js';
import type { ConnectOptions } from '../connect.js';
import { everyPage } from '../pages.js';
import { ago, Output } from '../output/output.js';
import type { components } from '../../client/index.js';
import { qualified } from '../references.js';

type Queue = components['schemas']['Queue'];
type Common = ConnectOptions & { json?: boolean };

export function defineQueue(command: Command): void {
  addConnectOptions(command.command('create').argument('<name>', 'queue, or entity/queue'))
    .description('make a queue')
    .option('--target <name>', 'where its launches run', 'process')
    .option('--description <text>', 'what it is for')
    .option('--no-require-run', 'a job that never calls wandb.init may succeed')
    .option('--resource-config <json>', 'parameters for the target, as a JSON object', jsonObject)
    .option('--json', 'print the queue as JSON')
    .action(async (name: string, options: CreateOptions) => {
      const api = connect(options);
      const { entity, name: queue } = await qualified(name, api);
      const { data } = await api.client.POST('/queues', {
        body: {
          entity,
          name: queue,
          // The API says which targets there are; this list here would only grow old.
          target: options.target as Queue['target'],
          requireRun: options.requireRun,
          ...(options.description === undefined ? {} : { description: options.description }),
          ...(options.resourceConfig === undefined ? {} : { resourceConfig: options.resourceConfig }),
        },
      });
      new Output(options.json === true).result(data, () => `Made the queue ${entity}/${queue} (${options.target}).`);
    });

  addConnectOptions(command.command('list'))
    .description('list queues')
    .option('--entity <name>', 'of this entity only')
    .option('--json', 'as JSON')
    .action(async (options: Common & { entity?: string }) => {
      const { client } = connect(options);
      const query = options.entity === undefined ? {} : { entity: options.entity };
      const queues = await everyPage<Queue>(
        async (cursor) => (await client.GET('/queues', { params: { query: { ...query, ...cursor } } })).data,
      );
      const out = new Output(options.json === true);
      out.result(queues, () =>
        queues.length === 0
          ? 'There are no queues. Make one: davit queue create NAME'
          : out.table(
              ['QUEUE', 'TARGET', 'WAITING', 'RUNNING', 'AGENTS', 'STATE'],
              queues.map((one) => [
                `${one.entity}/${one.name}`,
                one.target,
                one.waiting,
                one.running,
                one.agents,
                one.paused ? 'paused' : 'open',
              ]),
            ),
      );
    });

  addConnectOptions(command.command('show').argument('<name>', 'queue, or entity/queue'))
    .description('show a queue')
    .option('--json', 'as JSON')
    .action(async (name: string, options: Common) => {
      const api = connect(options);
      const { entity, name: queue } = await qualified(name, api);
      const { data } = await api.client.GET('/queues/{entity}/{queue}', { params: { path: { entity, queue } } });
      const out = new Output(options.json === true);
      out.result(data, () => (data === undefined ? '' : wordsOf(data, out)));
    });
}

interface CreateOptions extends Common {
  target: string;
  description?: string;
  requireRun: boolean;
  resourceConfig?: Record<string, unknown>;
}

function wordsOf(queue: Queue, out: Output): string {
  const hint = queue.agents === 0 ? `  ${out.colors.yellow('launches wait until an agent serves it')}` : '';
  return [
    `${out.colors.bold(`${queue.entity}/${queue.name}`)}${queue.paused ? ' (paused)' : ''}`,
    ...(queue.description === '' ? [] : [queue.description]),
    `target    ${queue.target}`,
    `waiting   ${queue.waiting}`,
    `running   ${queue.running}`,
    `agents    ${queue.agents}${hint}`,
    `run       ${queue.requireRun ? 'a job must call wandb.init' : 'a job need not call wandb.init'}`,
    `config    ${JSON.stringify(queue.resourceConfig)}`,
    `made      ${ago(queue.createdAt)} by ${queue.createdBy}`,
  ].join('\n');
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('It must be a JSON object, such as {"maxLogBytes": 1000000}.');
}
