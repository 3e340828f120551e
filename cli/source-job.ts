import { DavitError } from '../domain/errors.js';
import type { Api, DavitClient } from '../client/index.js';
import type { JobPath } from './job-reference.js';

/** Versions of jobs whose code lies elsewhere. */

export type Created = Api<'CreatedJobVersion'>;

export async function createGitJob(client: DavitClient, path: JobPath, body: Api<'NewGitJob'>): Promise<Created> {
  const { data } = await client.POST('/entities/{entity}/projects/{project}/jobs/{job}/versions/git', {
    params: { path },
    body,
  });
  return present(data);
}

export async function createImageJob(client: DavitClient, path: JobPath, body: Api<'NewImageJob'>): Promise<Created> {
  const { data } = await client.POST('/entities/{entity}/projects/{project}/jobs/{job}/versions/image', {
    params: { path },
    body,
  });
  return present(data);
}

/** Answers what of it will not be enforced. */
export async function setInputs(
  client: DavitClient,
  path: JobPath & { version: string },
  inputs: Api<'JobInputs'>,
): Promise<string[]> {
  const { data } = await client.PUT('/entities/{entity}/projects/{project}/jobs/{job}/versions/{version}/inputs', {
    params: { path },
    body: inputs,
  });
  return present(data).warnings;
}

function present<T>(data: T | undefined): T {
  if (data === undefined) throw new DavitError('internal', 'The API answered without a body.');
  return data;
}
