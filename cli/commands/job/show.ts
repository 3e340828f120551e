import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { jobPath, jobReference, pathWords, versionOf } from '../../job-reference.js';
import { versionWords } from '../../job-words.js';
import { Output } from '../../output/output.js';

export function defineJobShow(command: Command): void {
  addConnectOptions(command.argument('<job>', `${jobReference}, with or without :version or :alias`))
    .description('show a version of a job: what it runs, what it takes, who used it')
    .option('--json', 'as JSON')
    .action(async (reference: string, options: ConnectOptions & { json?: boolean }) => {
      const api = connect(options);
      const { path, version } = await jobPath(reference, api);
      const found = await versionOf(api, path, version);
      const out = new Output(options.json === true);
      out.result({ ...path, ...found }, () => versionWords(pathWords(path), found, out));
    });
}
