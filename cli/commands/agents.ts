import type { Command } from 'commander';
import type { Api } from '../../client/index.js';
import { addConnectOptions, connect } from '../connect.js';
import type { ConnectOptions } from '../connect.js';
import { ago, Output } from '../output/output.js';
import { everyPage } from '../pages.js';

export function defineAgents(command: Command): void {
  addConnectOptions(command.command('list', { isDefault: true }))
    .description('list agents and what they run')
    .option('--entity <name>', 'of this entity only')
    .option('--json', 'as JSON')
    .action(async (options: ConnectOptions & { entity?: string; json?: boolean }) => {
      const { client } = connect(options);
      const of = options.entity === undefined ? {} : { entity: options.entity };
      const agents = await everyPage<Api<'Agent'>>(
        async (cursor) => (await client.GET('/agents', { params: { query: { ...of, ...cursor } } })).data,
      );
      const out = new Output(options.json === true);
      out.result(agents, () =>
        agents.length === 0
          ? 'There are no agents. Launches wait until one runs: davit agent'
          : out.table(
              ['AGENT', 'STATUS', 'HEARD', 'SLOTS', 'QUEUES', 'RUNS'],
              agents.map((one) => [
                `${one.entity}/${one.name}`,
                one.status,
                ago(one.heartbeatAt),
                `${one.launches.length}/${one.maxJobs < 0 ? '∞' : one.maxJobs}`,
                one.queues.join(', '),
                one.launches.map(({ id }) => id).join(', '),
              ]),
            ),
      );
    });
}
