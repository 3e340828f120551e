import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { Connected, ConnectOptions } from '../../connect.js';
import { ago, Output } from '../../output/output.js';
import { everyPage } from '../../pages.js';
import { bestWords, runWords } from '../../sweep-words.js';
import { projectOf } from '../../job-reference.js';

type Sweep = Api<'Sweep'>;

export function defineSweepList(command: Command): void {
  addConnectOptions(command)
    .description('list sweeps: state, method, runs, best run, agents at work')
    .option('--project <name>', 'project, or entity/project (default: all of your projects)')
    .option('--json', 'as JSON')
    .action(async (options: ConnectOptions & { project?: string; json?: boolean }) => {
      const sweeps = await sweepsOf(connect(options), options.project);
      const out = new Output(options.json === true);
      out.result(sweeps, () =>
        sweeps.length === 0
          ? 'There are no sweeps. Make one: wandb sweep sweep.yaml'
          : out.table(
              ['SWEEP', 'NAME', 'STATE', 'METHOD', 'RUNS', 'BEST', 'AGENTS', 'MADE'],
              sweeps.map((one) => [
                `${one.entity}/${one.project}/${one.name}`,
                one.displayName || '-',
                one.state.toLowerCase(),
                one.method,
                runWords(one),
                bestWords(one) ?? '-',
                one.agentsAlive,
                ago(one.createdAt),
              ]),
            ),
      );
    });
}

async function sweepsOf(api: Connected, reference: string | undefined): Promise<Sweep[]> {
  const { client } = api;
  const inProject = (path: { entity: string; project: string }) =>
    everyPage<Sweep>(
      async (query) =>
        (await client.GET('/entities/{entity}/projects/{project}/sweeps', { params: { path, query } })).data,
    );
  if (reference !== undefined) return inProject(await projectOf(reference, api));
  const entity = await api.entity();
  const projects = await everyPage<{ name: string }>(
    async (query) => (await client.GET('/entities/{entity}/projects', { params: { path: { entity }, query } })).data,
  );
  const sweeps: Sweep[] = [];
  for (const project of projects) sweeps.push(...(await inProject({ entity, project: project.name })));
  return sweeps;
}
