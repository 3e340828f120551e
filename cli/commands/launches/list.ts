import { Option } from 'commander';
import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { labelsFrom } from '../../launch-filter.js';
import { ago, Output } from '../../output/output.js';
import { everyPage } from '../../pages.js';
import { collect } from '../collect.js';
import { given, wholeAbove0 } from '../options.js';

const examples = `
  davit launches list --queue gpu --state queued,held
  davit launches list --queue gpu --order line            # as they will be taken
  davit launches list --project vision --state failed --author ada --json`;

export function defineList(command: Command): void {
  addConnectOptions(command)
    .description('list launches, newest first or in the order of their line')
    .option('-q, --queue <name>', 'of this queue, or entity/queue')
    .option('-p, --project <name>', 'of this project')
    .option('-s, --state <states>', 'in these states, separated by commas; held is one of them')
    .option('--author <name>', 'of this user')
    .option('--priority <names>', 'of these priorities, separated by commas')
    .option('--job <name>', 'of this job, any version')
    .option('--label <name=value>', 'that require this label of their agent; may be repeated', collect)
    .addOption(new Option('--order <name>', 'line: as they will be taken, with --queue').choices(['newest', 'line']))
    .option('--limit <number>', 'so many', wholeAbove0, 50)
    .option('--json', 'as JSON')
    .addHelpText('after', examples)
    .action(async (options: ListOptions) => {
      const { client } = connect(options);
      const labels = labelsFrom(options.label, '--label');
      const { queue, project, state, author, priority, job, order } = options;
      const filter = given({
        ...{ queue, project, state, author, priority, job, order },
        labels:
          labels &&
          Object.entries(labels)
            .map(([name, value]) => `${name}=${value}`)
            .join(','),
      });
      const launches = await everyPage<Api<'Launch'>>(
        async (cursor) => (await client.GET('/launches', { params: { query: { ...filter, ...cursor } } })).data,
        options.limit,
      );
      const out = new Output(options.json === true);
      out.result(launches, () =>
        launches.length === 0
          ? 'There are no such launches.'
          : out.table(
              ['LAUNCH', 'STATE', 'JOB', 'QUEUE', 'PROJECT', 'BY', 'ACCEPTED'],
              launches.map((one) => [
                one.id,
                stateWords(one),
                one.jobVersion ?? one.job,
                `${one.queue.entity}/${one.queue.name}`,
                `${one.entity}/${one.project}`,
                one.author,
                ago(one.createdAt),
              ]),
            ),
      );
    });
}

interface ListOptions extends ConnectOptions {
  queue?: string;
  project?: string;
  state?: string;
  author?: string;
  priority?: string;
  job?: string;
  label?: string[];
  order?: 'newest' | 'line';
  limit: number;
  json?: boolean;
}

function stateWords({ state, failure, hold }: Api<'Launch'>): string {
  if (failure !== null) return `${state} (${failure.code})`;
  return hold === null ? state : hold.cause === 'user' ? 'held' : `${state} (${hold.cause})`;
}
