import type { Command } from 'commander';
import type { Api } from '../../client/index.js';
import { DavitError } from '../../domain/errors.js';
import { addConnectOptions, connect } from '../connect.js';
import type { Connected, ConnectOptions } from '../connect.js';
import { ago, Output } from '../output/output.js';
import { everyPage } from '../pages.js';
import { metricWords, runWords } from '../run-words.js';
import { projectOf } from '../job-reference.js';
import { answerOf } from './launches/answer.js';
import { given, wholeAbove0 } from './options.js';

export function defineRuns(command: Command): void {
  addConnectOptions(command.command('list'))
    .description('list runs, newest first')
    .option('-p, --project <name>', 'project, or entity/project (default: all of your projects)')
    .option('-s, --state <states>', 'in these states, separated by commas')
    .option('--limit <number>', 'so many', wholeAbove0, 50)
    .option('--json', 'as JSON')
    .action(list);

  addConnectOptions(command.command('show').argument('<run>', 'project/run, or entity/project/run'))
    .description('show a run: its state, config, summary and what it alerted to')
    .option('--json', 'as JSON')
    .action(async (reference: string, options: ConnectOptions & { json?: boolean }) => {
      const api = connect(options);
      const path = await runOf(reference, api);
      const run = answerOf(await api.client.GET('/runs/{entity}/{project}/{run}', { params: { path } }));
      const out = new Output(options.json === true);
      out.result(run, () => runWords(run, out));
    });

  addConnectOptions(command.command('metrics').argument('<run>', 'project/run, or entity/project/run'))
    .description('least, greatest, mean and last value of each metric of a run, of all that it logged')
    .option('--name <name>', 'this metric only')
    .option('--prefix <text>', 'metrics whose names begin so')
    .option('--system', "what the run's client measured of the machine")
    .option('--limit <number>', 'so many (default: all)', wholeAbove0)
    .option('--json', 'as JSON')
    .addHelpText('after', '\n  davit runs metrics flowers/k3x8w2qp --prefix train/')
    .action(metrics);
}

interface ListOptions extends ConnectOptions {
  project?: string;
  state?: string;
  limit: number;
  json?: boolean;
}

async function list(options: ListOptions): Promise<void> {
  const api = connect(options);
  const place = options.project === undefined ? {} : await projectOf(options.project, api);
  const filter = given({ ...place, state: options.state });
  const runs = await everyPage<Api<'Run'>>(
    async (cursor) => (await api.client.GET('/runs', { params: { query: { ...filter, ...cursor } } })).data,
    options.limit,
  );
  const out = new Output(options.json === true);
  out.result(runs, () =>
    runs.length === 0
      ? 'There are no such runs.'
      : out.table(
          ['RUN', 'STATE', 'NAMED', 'BY', 'STARTED'],
          runs.map((one) => [
            `${one.entity}/${one.project}/${one.name}`,
            one.state,
            one.displayName,
            one.username,
            ago(one.createdAt),
          ]),
        ),
  );
}

interface MetricsOptions extends ConnectOptions {
  name?: string;
  prefix?: string;
  system?: boolean;
  limit?: number;
  json?: boolean;
}

async function metrics(reference: string, options: MetricsOptions): Promise<void> {
  const api = connect(options);
  const path = await runOf(reference, api);
  const { name, prefix } = options;
  const filter = given({ name, prefix, source: options.system === true ? ('system' as const) : undefined });
  const found = await everyPage<Api<'RunMetric'>>(
    async (cursor) =>
      (
        await api.client.GET('/runs/{entity}/{project}/{run}/metrics', {
          params: { path, query: { ...filter, ...cursor } },
        })
      ).data,
    options.limit,
  );
  const out = new Output(options.json === true);
  out.result(found, () => metricWords(found, out));
}

/** Run ids are the client's own choice, but never have a "/". */
async function runOf(reference: string, api: Connected): Promise<{ entity: string; project: string; run: string }> {
  const parts = reference.split('/');
  const run = parts.pop() ?? '';
  if (run === '' || parts.length === 0)
    throw new DavitError('wrong-usage', `"${reference}" is not project/run, or entity/project/run.`);
  return { ...(await projectOf(parts.join('/'), api)), run };
}
