import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { everyPage } from '../../pages.js';
import { sweepWords } from '../../sweep-words.js';
import { answerOf } from '../launches/answer.js';
import { wholeAbove0 } from '../options.js';
import { sweepPath, sweepReference } from './reference.js';

/** More runs are a matter for --json or --runs. */
const shownRuns = 50;

export function defineSweepShow(command: Command): void {
  addConnectOptions(command.argument('<sweep>', sweepReference))
    .description('show a sweep: its state, its best run, and its runs with their parameters')
    .option('--runs <n>', `show the first so many runs (default: ${shownRuns}; with --json all)`, wholeAbove0)
    .option('--json', 'as JSON')
    .addHelpText('after', '\n  davit sweep show flowers/k3x8w2qp')
    .action(async (reference: string, options: ConnectOptions & { runs?: number; json?: boolean }) => {
      const api = connect(options);
      const path = await sweepPath(reference, api);
      const out = new Output(options.json === true);
      const limit = options.runs ?? (out.json ? Infinity : shownRuns);
      const sweep = answerOf(
        await api.client.GET('/entities/{entity}/projects/{project}/sweeps/{sweep}', { params: { path } }),
      );
      const sets = await everyPage<Api<'SweepRun'>>(
        async (query) =>
          (
            await api.client.GET('/entities/{entity}/projects/{project}/sweeps/{sweep}/runs', {
              params: { path, query },
            })
          ).data,
        limit,
      );
      out.result({ ...sweep, sets }, () => sweepWords(sweep, sets, out));
    });
}
