import { DavitError } from '../domain/errors.js';
import {
  artifactIdOfReference,
  codeCollectionName,
  codeJobFile,
  jobFileName,
  jobFileSchema,
  minorPythonVersion,
  requirementsFileName,
  scriptOfEntryPoint,
  type JobFile,
} from '../domain/job.js';
import type { JobSource } from '../domain/plan-request.js';
import type { JobKind } from '../domain/words.js';
import { artifactById, artifactFiles, commitArtifact, type CommittedArtifact } from './artifacts.js';
import type { Blobs } from './blobs/blobs.js';
import type { CodeUpload } from './code-upload.js';
import { putContent, readContent } from './content.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

interface JobDeps {
  db: Store;
  blobs: Blobs;
}

export interface NewCodeJob {
  projectId: number;
  name: string;
  description?: string;
  entryPoint: readonly string[];
  /** `3.N`; default: what runtime.txt or .python-version of the folder says. */
  pythonVersion?: string | undefined;
  aliases: readonly string[];
  createdBy: string;
  upload: CodeUpload;
}

/** A code job version as the wandb client would have made it: a `code` artifact and a `job` artifact that names it. */
export async function createCodeJob(
  { db, blobs }: JobDeps,
  job: NewCodeJob,
): Promise<CommittedArtifact & { warnings: string[]; codeArtifactId: number }> {
  const { files, texts } = job.upload;
  const script = scriptOfEntryPoint(job.entryPoint);
  if (script !== undefined && !files.some((file) => file.path === script))
    throw new DavitError('missing-entry-point', `The entry point starts "${script}", which is not in the folder.`);
  const requirements = texts.get('requirements.txt') ?? '';
  const frozen = await putContent(blobs, requirementsFileName, Buffer.from(requirements));
  const pythonVersion =
    job.pythonVersion ??
    minorPythonVersion(texts.get('runtime.txt') ?? '') ??
    minorPythonVersion(texts.get('.python-version') ?? '');

  return inTransaction(db, async (tx) => {
    const code = await commitArtifact(tx, {
      projectId: job.projectId,
      type: 'code',
      collection: codeCollectionName(job.name),
      description: 'Code artifact for job',
      files,
      metadata: { codePath: '.', entrypoint: job.entryPoint.join(' ') },
      aliases: [],
      createdBy: job.createdBy,
    });
    const text = codeJobFile({ artifactId: code.artifactId, entryPoint: job.entryPoint, pythonVersion });
    const file = await putContent(blobs, jobFileName, Buffer.from(text));
    const committed = await commitArtifact(tx, {
      projectId: job.projectId,
      type: 'job',
      collection: job.name,
      ...(job.description === undefined ? {} : { description: job.description }),
      files: [frozen, file],
      // It never ran, so the types of its inputs are not known.
      metadata: { _partial: true },
      aliases: job.aliases,
      createdBy: job.createdBy,
    });
    return { ...committed, codeArtifactId: code.artifactId, warnings: warningsOf(job.entryPoint, requirements) };
  });
}

function warningsOf(entryPoint: readonly string[], requirements: string): string[] {
  const warnings: string[] = [];
  if (!/^\s*wandb\b/im.test(requirements))
    warnings.push('requirements.txt does not name wandb: the job can call wandb.init only if its environment has it.');
  if (entryPoint[0]?.endsWith('.py')) warnings.push('A bare .py file is seldom executable: use "python train.py".');
  return warnings;
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
  const codeArtifactId = file.source.artifact === undefined ? undefined : artifactIdOfReference(file.source.artifact);
  const code = codeArtifactId === undefined ? undefined : await artifactById(db, codeArtifactId);
  const version: JobVersion = {
    artifactId,
    kind: kindOfSource[file.source_type],
    file,
    requirements: (await textOf(requirementsFileName)) ?? '',
    codeArtifactId,
    codeDigest: code?.digest,
  };
  if (cache.size >= cacheEntries) cache.clear();
  cache.set(artifactId, version);
  return version;
}

/** What running it needs to know of it. */
export const jobSourceOf = (version: JobVersion): JobSource => ({
  kind: version.kind,
  entryPoint: version.file.source.entrypoint ?? [],
  requirements: version.requirements.trim() === '' ? undefined : version.requirements,
  pythonVersion: version.file.runtime ?? undefined,
  codeDigest: version.codeDigest,
});

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
