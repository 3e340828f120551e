import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { shortDuration } from '../../durations.js';
import { Output } from '../../output/output.js';
import { everyPage } from '../../pages.js';
import { queueState } from '../../queue-words.js';

export function defineQueueList(command: Command): void {
  addConnectOptions(command)
    .description('list queues')
    .option('--entity <name>', 'of this entity only')
    .option('--json', 'as JSON')
    .action(async (options: ConnectOptions & { json?: boolean; entity?: string }) => {
      const { client } = connect(options);
      const query = options.entity === undefined ? {} : { entity: options.entity };
      const queues = await everyPage<Api<'Queue'>>(
        async (cursor) => (await client.GET('/queues', { params: { query: { ...query, ...cursor } } })).data,
      );
      const out = new Output(options.json === true);
      out.result(queues, () =>
        queues.length === 0
          ? 'There are no queues. Make one: davit queue create NAME'
          : out.table(
              ['QUEUE', 'TARGET', 'WAITING', 'HELD', 'RUNNING', 'OLDEST', 'AGENTS', 'STATE'],
              queues.map((one) => [
                `${one.entity}/${one.name}`,
                one.target,
                one.waiting,
                one.held,
                one.maxRunning === null ? one.running : `${one.running}/${one.maxRunning}`,
                one.oldestWaitingMs === null ? '-' : shortDuration(one.oldestWaitingMs),
                one.agents,
                queueState(one),
              ]),
            ),
      );
    });
}
