import type { Command } from 'commander';
import { DavitError } from '../../../domain/errors.js';
import { confirmed } from '../../confirm.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { jobPath, jobReference, pathWords } from '../../job-reference.js';
import { Output } from '../../output/output.js';

export function defineJobDelete(command: Command): void {
  addConnectOptions(command.argument('<job>', `${jobReference}; with :version only that version`))
    .description('delete a job or a version of it, for good; refused while launches that have not ended use it')
    .option('--aliases', 'other names of the version go with it')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'as JSON')
    .action(async (reference: string, options: DeleteOptions) => {
      const api = connect(options);
      const { path, version } = await jobPath(reference, api);
      const query = reference.includes(':') ? { version } : {};
      const { data: uses } = await api.client.GET('/entities/{entity}/projects/{project}/jobs/{job}/uses', {
        params: { path, query },
      });
      if (uses === undefined) throw new DavitError('internal', 'The API answered without a body.');
      const what = `${pathWords(path)}${query.version === undefined ? ' with all its versions' : `:${query.version}`}`;
      const history =
        uses.ended + uses.runs === 0
          ? ''
          : ` ${uses.ended} ended launches and ${uses.runs} runs used it; such launches cannot be relaunched.`;
      if (!(await confirmed(`Delete ${what}?${history}`, options))) return;
      await api.client.DELETE('/entities/{entity}/projects/{project}/jobs/{job}', {
        params: {
          path,
          query: { ...query, aliases: options.aliases === true ? ('true' as const) : ('false' as const) },
        },
      });
      new Output(options.json === true).result({ ...path, ...query, deleted: true }, () => `Deleted ${what}.`);
    });
}

interface DeleteOptions extends ConnectOptions {
  aliases?: boolean;
  yes?: boolean;
  json?: boolean;
}
