import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { agentState, labelWords, slotWords } from '../../agent-words.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { ago, Output } from '../../output/output.js';
import { everyPage } from '../../pages.js';

const shownQueues = 3;

export function defineAgentsList(command: Command): void {
  addConnectOptions(command)
    .description('list agents: whether they take launches, their slots, queues and labels')
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
              ['AGENT', 'STATE', 'HEARD', 'SLOTS', 'QUEUES', 'LABELS', 'VERSION'],
              agents.map((one) => [
                `${one.entity}/${one.name}`,
                agentState(one),
                ago(one.heartbeatAt),
                slotWords(one),
                queueWords(one.queues),
                labelWords(one.labels) || '-',
                one.version,
              ]),
            ),
      );
    });
}

const queueWords = (queues: readonly string[]): string =>
  queues.length === 0
    ? '-'
    : `${queues.slice(0, shownQueues).join(', ')}${queues.length > shownQueues ? ` and ${queues.length - shownQueues} more` : ''}`;
