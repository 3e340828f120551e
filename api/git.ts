import { gitRemoteProblem, isCommit, type AllowedRemotes } from '../domain/git-remote.js';
import { DavitError } from '../domain/errors.js';
import type { LaunchRequest } from '../domain/launch-request.js';
import { resolveCommit, type FoundCommit } from '../sources/git/resolve.js';
import { namesOf, type GitPin } from '../store/admission.js';
import { audit } from '../store/audit.js';
import { entityByName } from '../store/entities.js';
import { artifactOfJob, readJobVersion } from '../store/jobs.js';
import { requireKeyring } from '../store/keyring.js';
import { openSecrets, queuesAllowing, requireSecrets } from '../store/secrets.js';
import type { Actor } from './auth/authenticate.js';
import type { ApiDeps } from './deps.js';

/** Branches and tags become commits before anything is stored: what a launch runs is fixed when it is accepted. */

export interface GitSettings {
  /** Addresses beyond https and ssh, by their beginnings. */
  allowed?: AllowedRemotes | undefined;
  /** For private keys while they are used. Of this process alone: it is emptied when the API starts. */
  tmpFolder: string;
}

export interface RemoteAsked {
  remote: string;
  /** The secret that opens it, and whose it is. */
  secret?: { entity: { id: number; name: string }; name: string; queue?: string; actor: string } | undefined;
}

export async function commitOf(
  deps: Pick<ApiDeps, 'git' | 'db' | 'keyring'>,
  { remote, secret }: RemoteAsked,
  ref: string | undefined,
): Promise<FoundCommit> {
  const source = { remote, ...deps.git };
  // Before a secret is taken out for it.
  const problem = gitRemoteProblem(remote, source.allowed);
  if (problem !== undefined) throw new DavitError('git-refused', problem);
  if (ref !== undefined && isCommit(ref)) return { ref, commit: ref };
  return resolveCommit({ ...source, credentials: secret && (await valueOf(deps, remote, secret)) }, ref);
}

/**
 * Whoever names the address gets to see the secret, if the address is his. So only secrets are used that a queue hands to its launches: members
 * who may launch there could have them printed as well.
 */
async function valueOf(
  { db, keyring }: Pick<ApiDeps, 'db' | 'keyring'>,
  remote: string,
  { entity, name, queue, actor }: NonNullable<RemoteAsked['secret']>,
): Promise<string | undefined> {
  await requireSecrets(db, entity.id, [name]);
  const allowing = await queuesAllowing(db, entity.id, [name]);
  if (!allowing.some((one) => queue === undefined || one.queue === queue))
    throw new DavitError(
      'secret-not-allowed',
      queue === undefined
        ? `No queue of "${entity.name}" allows its launches the secret "${name}".`
        : `The queue does not allow its launches the secret "${name}".`,
    );
  const values = await openSecrets(db, requireKeyring(keyring), entity.id, [name]);
  await audit(db, { actor, action: 'secret.use', subject: `secret/${entity.name}/${name}`, data: { remote } });
  return values.get(name);
}

/** The commit that the request's own branch or tag is now; undefined when there is nothing to look up. */
export async function pinOf(
  deps: ApiDeps,
  actor: Actor,
  request: LaunchRequest,
  defaultEntity: string,
): Promise<GitPin | undefined> {
  const ref = request.overrides?.ref;
  if (ref === undefined || isCommit(ref)) return undefined;
  const { job, queue } = namesOf(request, defaultEntity);
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
  // Agents get it as one of the queue's.
  const owner = git.credentials ? await entityByName(deps.db, queue.entity) : undefined;
  const secret =
    git.credentials && owner
      ? { entity: { id: owner.id, name: queue.entity }, name: git.credentials, queue: queue.name, actor: actor.name }
      : undefined;
  return commitOf(deps, { remote: git.remote, secret }, ref);
}
