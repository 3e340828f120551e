import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { jobPath, jobReference, versionsOf } from '../../job-reference.js';
import { ago, Output } from '../../output/output.js';

export function defineJobVersions(command: Command): void {
  addConnectOptions(command.argument('<job>', jobReference))
    .description('list the versions of a job, newest first')
    .option('--json', 'as JSON')
    .action(async (reference: string, options: ConnectOptions & { json?: boolean }) => {
      const api = connect(options);
      const { path } = await jobPath(reference, api);
      const versions = await versionsOf(api, path);
      const out = new Output(options.json === true);
      out.result(versions, () =>
        out.table(
          ['VERSION', 'NAMES', 'KIND', 'RUNS', 'LAUNCHES', 'BY', 'MADE'],
          versions.map((one) => [
            one.version,
            one.aliases.join(', '),
            one.kind,
            one.entryPoint?.join(' ') ?? null,
            one.launches,
            one.createdBy,
            ago(one.createdAt),
          ]),
        ),
      );
    });
}
