import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { jobPath, jobReference, pathWords } from '../../job-reference.js';
import { Output } from '../../output/output.js';

export function defineJobAlias(command: Command): void {
  addConnectOptions(
    command
      .argument('<job>', `${jobReference}, with :version or :alias`)
      .argument('<name>', 'what the version is to be called, too'),
  )
    .description('give a version of a job another name, or move that name to it')
    .option('--remove', 'take the name away instead, from whichever version has it')
    .option('--json', 'as JSON')
    .addHelpText('after', '\n  davit job alias flowers/iris:v3 best\n  davit job alias flowers/iris best --remove')
    .action(
      async (reference: string, alias: string, options: ConnectOptions & { remove?: boolean; json?: boolean }) => {
        const api = connect(options);
        const { path, version } = await jobPath(reference, api);
        const route = '/entities/{entity}/projects/{project}/jobs/{job}/aliases/{alias}' as const;
        const params = { path: { ...path, alias } };
        const out = new Output(options.json === true);
        if (options.remove === true) {
          await api.client.DELETE(route, { params });
          out.result(
            { ...path, alias, removed: true },
            () => `${pathWords(path)}:${alias} is no name of a version any more.`,
          );
          return;
        }
        await api.client.PUT(route, { params, body: { version } });
        out.result({ ...path, version, alias }, () => `${pathWords(path)}:${alias} is ${version}.`);
      },
    );
}
