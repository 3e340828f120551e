import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { jobsOf } from '../../job-reference.js';
import { ago, Output } from '../../output/output.js';

export function defineJobList(command: Command): void {
  addConnectOptions(command)
    .description('list jobs')
    .option('--project <name>', 'project, or entity/project (default: all of your projects)')
    .option('--json', 'as JSON')
    .action(async (options: ConnectOptions & { project?: string; json?: boolean }) => {
      const api = connect(options);
      const jobs = await jobsOf(api, options.project);
      const out = new Output(options.json === true);
      out.result(jobs, () =>
        jobs.length === 0
          ? 'There are no jobs. Make one: davit job create FOLDER'
          : out.table(
              ['JOB', 'KIND', 'VERSION', 'BY', 'MADE'],
              jobs.map((one) => [
                `${one.entity}/${one.project}/${one.name}`,
                one.kind ?? '-',
                one.latestVersion,
                one.latestBy,
                ago(one.latestAt),
              ]),
            ),
      );
    });
}
