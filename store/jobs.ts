import { DavitError } from '../domain/errors.js';
import { isCommit } from '../domain/git-remote.js';
import { artifactIdOfReference, type JobReference } from '../domain/job.js';
import { jobFileName, jobFileSchema, patchFileName, requirementsFileName, type JobFile } from '../domain/job-file.js';
import { imageSource, type JobSource } from '../domain/plan-request.js';
import type { ResolvedLaunch } from '../domain/resolved-launch.js';
import type { JobKind } from '../domain/words.js';
import { artifactByAlias, artifactById, artifactFiles } from './artifacts.js';
import type { Blobs } from './blobs/blobs.js';
import { readContent } from './content.js';
import type { Store } from './open.js';

/** Versions of jobs as they are read. How they are made: job-create.ts. */

export interface JobDeps {
  db: Store;
  blobs: Blobs;
}

export interface JobVersion {
  artifactId: number;
  kind: JobKind;
  file: JobFile;
  /** One per line; empty when the job brings none. */
  requirements: string;
  /** Only jobs of kind code. */
  codeArtifactId: number | undefined;
  codeDigest: string | undefined;
  /** Changes on top of a git job's commit; undefined: none. */
  patch: { blobKey: string; digest: string } | undefined;
}

const kindOfSource: Record<JobFile['source_type'], JobKind> = { artifact: 'code', repo: 'git', image: 'image' };

/** Versions never change once committed, so what was read once need not be read again. */
const cacheEntries = 500;
const caches = new WeakMap<object, Map<number, JobVersion>>();

/** What a job version says of itself. Throws `unknown-job` when it is gone or cannot be understood. */
export async function readJobVersion({ db, blobs }: JobDeps, artifactId: number): Promise<JobVersion> {
  let cache = caches.get(db);
  if (!cache) caches.set(db, (cache = new Map<number, JobVersion>()));
  const known = cache.get(artifactId);
  if (known) return known;
  const files = await artifactFiles(db, artifactId);
  const textOf = async (name: string) => {
    const file = files.find((candidate) => candidate.path === name);
    return file && (await readContent(blobs, file.blob_key)).toString('utf8');
  };
  const text = await textOf(jobFileName);
  if (text === undefined) throw new DavitError('unknown-job', 'This artifact is not a job: it has no wandb-job.json.');
  const file = parseJobFile(text);
  const codeArtifactId = file.source.artifact == null ? undefined : artifactIdOfReference(file.source.artifact);
  const code = codeArtifactId === undefined ? undefined : await artifactById(db, codeArtifactId);
  const patch = files.find((candidate) => candidate.path === patchFileName && candidate.size > 0);
  const version: JobVersion = {
    artifactId,
    kind: kindOfSource[file.source_type],
    file,
    requirements: (await textOf(requirementsFileName)) ?? '',
    codeArtifactId,
    codeDigest: code?.digest,
    patch: patch && { blobKey: patch.blob_key, digest: patch.md5 },
  };
  if (cache.size >= cacheEntries) cache.clear();
  cache.set(artifactId, version);
  return version;
}

/** What running it needs to know of it. */
export function jobSourceOf({ kind, file, requirements, codeDigest, patch }: JobVersion): JobSource {
  const { entrypoint, args, git, image, dockerfile, build_context: context, base_image: baseImage } = file.source;
  return {
    kind,
    entryPoint: entrypoint ?? [],
    requirements: requirements.trim() === '' ? undefined : requirements,
    pythonVersion: file.runtime || undefined,
    codeDigest,
    ...(args ? { args } : {}),
    ...(image ? { image } : {}),
    ...(git?.remote && git.commit && isCommit(git.commit)
      ? {
          git: {
            remote: git.remote,
            commit: git.commit,
            ...(git.credentials ? { credentials: git.credentials } : {}),
            ...(patch ? { patchDigest: patch.digest } : {}),
          },
        }
      : {}),
    build: {
      ...(dockerfile ? { dockerfile } : {}),
      ...(context ? { context } : {}),
      ...(baseImage ? { baseImage } : {}),
    },
  };
}

/** The committed version that a reference names. */
export async function artifactOfJob(db: Store, job: JobReference): Promise<number | undefined> {
  const collection = await db
    .selectFrom('artifact_collection as c')
    .innerJoin('project', 'project.id', 'c.project_id')
    .innerJoin('entity', 'entity.id', 'project.entity_id')
    .select('c.id')
    .where('entity.name', '=', job.entity)
    .where('project.name', '=', job.project)
    .where('c.name', '=', job.name)
    .where('c.type', '=', 'job')
    .where('c.state', '=', 'READY')
    .executeTakeFirst();
  return collection && (await artifactByAlias(db, collection.id, job.alias))?.id;
}

/** What a launch runs: the version that was fixed at enqueue, or an image without a job. */
export async function sourceOf(deps: JobDeps, resolved: ResolvedLaunch): Promise<JobSource> {
  if (resolved.job) return jobSourceOf(await readJobVersion(deps, resolved.job.artifactId));
  if (resolved.image !== undefined) return imageSource(resolved.image);
  throw new Error('a launch with neither job nor image');
}

function parseJobFile(text: string): JobFile {
  try {
    return jobFileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DavitError('unknown-job', 'The wandb-job.json of this job cannot be understood.', { cause });
  }
}

/** The jobs of a project with their newest version. */
export const listJobs = (db: Store, projectId: number, page: { afterName?: string | undefined; limit: number }) =>
  db
    .selectFrom('artifact_collection')
    .innerJoin('artifact_alias', (join) =>
      join
        .onRef('artifact_alias.collection_id', '=', 'artifact_collection.id')
        .on('artifact_alias.alias', '=', 'latest'),
    )
    .innerJoin('artifact', 'artifact.id', 'artifact_alias.artifact_id')
    .select([
      'artifact_collection.id',
      'artifact_collection.name',
      'artifact_collection.created_at',
      'artifact_collection.next_index as versions',
      'artifact.id as latest_id',
      'artifact.version_index as latest_index',
      'artifact.created_by as latest_by',
      'artifact.committed_at as latest_at',
      'artifact.description',
    ])
    .where('artifact_collection.project_id', '=', projectId)
    .where('artifact_collection.type', '=', 'job')
    .$if(page.afterName !== undefined, (q) => q.where('artifact_collection.name', '>', page.afterName ?? ''))
    .orderBy('artifact_collection.name')
    .limit(page.limit)
    .execute();
