import type { Command } from 'commander';
import { DavitError } from '../../domain/errors.js';
import type { Api } from '../../client/index.js';
import { addConnectOptions, connect } from '../connect.js';
import type { Connected, ConnectOptions } from '../connect.js';
import { guessEntryPoint, isFolder, nameOfFolder, uploadFolder, wordsOfEntryPoint } from '../folder-job.js';
import { ago, Output } from '../output/output.js';
import { everyPage } from '../pages.js';
import { collect } from './collect.js';

export function defineJob(command: Command): void {
  addConnectOptions(command.command('create').argument('<folder>', 'the folder with the code'))
    .description('upload a folder as a version of a job')
    .option('--name <name>', 'of the job (default: that of the folder)')
    .option('--project <name>', 'project, or entity/project (default: that of the folder)')
    .option(
      '--entry-point <command>',
      'what to run, such as "python train.py" (default: the only script, or train.py, or main.py)',
    )
    .option('--python <version>', 'the Python that the job wants, such as 3.11')
    .option('--alias <name>', 'another name for this version; may be repeated', collect)
    .option('--description <text>', 'what it does')
    .option('--json', 'as JSON')
    .action(async (folder: string, options: CreateOptions) => {
      if (!isFolder(folder)) throw new DavitError('wrong-usage', `${folder} is not a folder.`);
      const api = connect(options);
      const entryPoint = options.entryPoint ?? guessEntryPoint(folder);
      const made = await uploadFolder(api.client, {
        folder,
        ...(await projectOf(options.project ?? nameOfFolder(folder), api)),
        job: options.name ?? nameOfFolder(folder),
        entryPoint,
        ...(options.alias === undefined ? {} : { aliases: options.alias }),
        ...(options.python === undefined ? {} : { pythonVersion: options.python }),
        ...(options.description === undefined ? {} : { description: options.description }),
      });
      new Output(options.json === true).result(made, () => createdWords(made, entryPoint));
    });

  addConnectOptions(command.command('list'))
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

interface CreateOptions extends ConnectOptions {
  name?: string;
  project?: string;
  entryPoint?: string;
  python?: string;
  alias?: string[];
  description?: string;
  json?: boolean;
}

export function createdWords(made: Api<'CreatedJobVersion'>, entryPoint: string): string {
  const name = `${made.entity}/${made.project}/${made.job}:${made.version}`;
  const size = `${made.files} ${made.files === 1 ? 'file' : 'files'}, ${sizeWords(made.bytes)}`;
  const what = made.created
    ? `Made ${name} (${size}), runs ${wordsOfEntryPoint(entryPoint)}`
    : `No changes: ${name} is the same`;
  return [what, ...made.warnings.map((warning) => `warning: ${warning}`)].join('\n');
}

function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `project` or `entity/project`. */
export async function projectOf(reference: string, api: Connected): Promise<{ entity: string; project: string }> {
  const parts = reference.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2) throw new DavitError('wrong-usage', `"${reference}" is not a project, or entity/project.`);
  return second === undefined ? { entity: await api.entity(), project: first } : { entity: first, project: second };
}

async function jobsOf(api: Connected, reference: string | undefined): Promise<Api<'Job'>[]> {
  const { client } = api;
  const inProject = ({ entity, project }: { entity: string; project: string }) =>
    everyPage<Api<'Job'>>(
      async (query) =>
        (
          await client.GET('/entities/{entity}/projects/{project}/jobs', {
            params: { path: { entity, project }, query },
          })
        ).data,
    );
  if (reference !== undefined) return inProject(await projectOf(reference, api));
  const entity = await api.entity();
  const projects = await everyPage<{ name: string }>(
    async (query) => (await client.GET('/entities/{entity}/projects', { params: { path: { entity }, query } })).data,
  );
  const jobs: Api<'Job'>[] = [];
  for (const project of projects) jobs.push(...(await inProject({ entity, project: project.name })));
  return jobs;
}
