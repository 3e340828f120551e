import type { AllowedRemotes } from '../domain/git-remote.js';
import { isCommit } from '../domain/git-remote.js';
import { DavitError } from '../domain/errors.js';
import type { LaunchRequest } from '../domain/launch-request.js';
import { resolveCommit, type FoundCommit } from '../sources/git/resolve.js';
import { namesOf, type GitPin } from '../store/admission.js';
import { artifactOfJob, readJobVersion } from '../store/jobs.js';
import type { ApiDeps } from './deps.js';

/** Branches and tags become commits before anything is stored: what a launch runs is fixed when it is accepted. */

export interface GitSettings {
  /** Addresses beyond https and ssh, by their beginnings. */
  allowed?: AllowedRemotes | undefined;
  /** The value of a named secret of an entity; undefined: there is none. */
  secret?: ((entity: string, name: string) => Promise<string | undefined>) | undefined;
}

export interface RemoteOfJob {
  /** Whose secrets may open it. */
  entity: string;
  remote: string;
  /** Name of a secret. */
  credentials?: string | null | undefined;
}

export async function commitOf(
  { git = {} }: Pick<ApiDeps, 'git'>,
  { entity, remote, credentials }: RemoteOfJob,
  ref: string | undefined,
): Promise<FoundCommit> {
  const value = credentials == null ? undefined : await git.secret?.(entity, credentials);
  if (credentials != null && value === undefined)
    throw new DavitError('not-found', `There is no secret "${credentials}" in "${entity}" that this API can read.`);
  return resolveCommit({ remote, allowed: git.allowed, credentials: value }, ref);
}

/** The commit that the request's own branch or tag is now; undefined when there is nothing to look up. */
export async function pinOf(deps: ApiDeps, request: LaunchRequest, defaultEntity: string): Promise<GitPin | undefined> {
  const ref = request.overrides?.ref;
  if (ref === undefined || isCommit(ref)) return undefined;
  const { job } = namesOf(request, defaultEntity);
  const artifactId = job && (await artifactOfJob(deps.db, job));
  // What is not there is refused by the admission, in its own words.
  if (!job || artifactId === undefined) return undefined;
  const { file } = await readJobVersion(deps, artifactId);
  const { git } = file.source;
  if (!git?.remote) {
    const message = 'only a git job has branches and tags';
    throw new DavitError('invalid-request', `overrides.ref: ${message}.`, {
      errors: [{ path: 'overrides.ref', message }],
    });
  }
  return commitOf(deps, { entity: job.entity, remote: git.remote, credentials: git.credentials }, ref);
}
