import { DavitError } from '../domain/errors.js';
import { parseJobReference } from '../domain/job.js';
import type { Api } from '../client/index.js';
import type { Connected } from './connect.js';
import { everyPage } from './pages.js';

/** Which job, and which version of it, a word on the command line means. */

export const jobReference = 'name, project/name or entity/project/name';

export interface JobPath {
  entity: string;
  project: string;
  job: string;
}

/** `project` or `entity/project`. */
export async function projectOf(reference: string, api: Connected): Promise<{ entity: string; project: string }> {
  const parts = reference.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2) throw new DavitError('wrong-usage', `"${reference}" is not a project, or entity/project.`);
  return second === undefined ? { entity: await api.entity(), project: first } : { entity: first, project: second };
}

/** A name alone is looked for in all projects of the key's entity. */
export async function jobPath(reference: string, api: Connected): Promise<{ path: JobPath; version: string }> {
  const entity = reference.split('/').length > 2 ? '' : await api.entity();
  const parsed = parseJobReference(reference, { entity, project: reference.includes('/') ? undefined : '?' });
  if (!parsed) throw new DavitError('wrong-usage', `"${reference}" is not ${jobReference}, with or without :version.`);
  const { project, name: job, alias: version } = parsed;
  if (project !== '?') return { path: { entity: parsed.entity, project, job }, version };
  const found = (await jobsOf(api, undefined)).filter(({ name }) => name === job);
  const [only] = found;
  if (only && found.length === 1) return { path: { entity: only.entity, project: only.project, job }, version };
  const sentence =
    found.length === 0
      ? `None of your projects has a job "${job}".`
      : `Several of your projects have a job "${job}": ${found.map((one) => `${one.project}/${one.name}`).join(', ')}.`;
  throw new DavitError('unknown-job', sentence);
}

export const pathWords = ({ entity, project, job }: JobPath): string => `${entity}/${project}/${job}`;

export async function jobsOf(api: Connected, reference: string | undefined): Promise<Api<'Job'>[]> {
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

export const versionsOf = (api: Connected, path: JobPath, limit = Infinity): Promise<Api<'JobVersion'>[]> =>
  everyPage<Api<'JobVersion'>>(async (query) => {
    const { data } = await api.client.GET('/entities/{entity}/projects/{project}/jobs/{job}', {
      params: { path, query },
    });
    return data && { items: data.versions, ...(data.nextCursor === undefined ? {} : { nextCursor: data.nextCursor }) };
  }, limit);

export async function versionOf(api: Connected, path: JobPath, version: string): Promise<Api<'JobVersion'>> {
  const found = (await versionsOf(api, path)).find((one) => one.version === version || one.aliases.includes(version));
  if (found) return found;
  throw new DavitError('unknown-job', `The job ${pathWords(path)} has no version "${version}".`);
}
