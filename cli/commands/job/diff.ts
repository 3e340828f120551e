import type { Command } from 'commander';
import { DavitError } from '../../../domain/errors.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { jobPath, jobReference, versionsOf } from '../../job-reference.js';
import { diffWords } from '../../job-words.js';
import { Output } from '../../output/output.js';

export function defineJobDiff(command: Command): void {
  addConnectOptions(
    command
      .argument('<job>', jobReference)
      .argument('[from]', 'version or alias (default: the one before the newest)')
      .argument('[to]', 'version or alias', 'latest'),
  )
    .description('say what one version of a job has that another has not')
    .option('--json', 'as JSON')
    .addHelpText('after', '\n  davit job diff flowers/iris\n  davit job diff flowers/iris v1 best')
    .action(
      async (reference: string, from: string | undefined, to: string, options: ConnectOptions & { json?: boolean }) => {
        const api = connect(options);
        const { path } = await jobPath(reference, api);
        const query = { from: from ?? (await oneBefore()), to };
        const { data } = await api.client.GET('/entities/{entity}/projects/{project}/jobs/{job}/diff', {
          params: { path, query },
        });
        if (data === undefined) throw new DavitError('internal', 'The API answered without a body.');
        const out = new Output(options.json === true);
        out.result(data, () => diffWords(data, out));

        async function oneBefore(): Promise<string> {
          const [, before] = await versionsOf(api, path, 2);
          if (before) return before.version;
          throw new DavitError('unknown-job', `The job ${path.job} has one version only: there is nothing to compare.`);
        }
      },
    );
}
