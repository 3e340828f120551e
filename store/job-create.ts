import { DavitError } from '../domain/errors.js';
import { configInputs, type InputSchemas } from '../domain/input-schema.js';
import { codeCollectionName, minorPythonVersion, scriptOfEntryPoint } from '../domain/job.js';
import {
  jobFileName,
  jobFileText,
  patchFileName,
  requirementsFileName,
  type NewJobFile,
  type NewJobSource,
} from '../domain/job-file.js';
import { commitArtifact, type CommittedArtifact } from './artifacts.js';
import type { CodeUpload } from './code-upload.js';
import { putContent } from './content.js';
import type { JobDeps } from './jobs.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/** Job versions as the wandb client would have made them. */

interface NewJob extends Omit<NewJobFile, 'source'> {
  projectId: number;
  name: string;
  description?: string | undefined;
  /** What its inputs must be; default: those that the same version has. */
  inputs?: InputSchemas | undefined;
  aliases: readonly string[];
  createdBy: string;
}

export interface NewCodeJob extends NewJob {
  entryPoint: readonly string[];
  upload: CodeUpload;
}

export interface NewSourceJob extends NewJob {
  source: Exclude<NewJobSource, { kind: 'code' }>;
  /** One per line. */
  requirements?: string | undefined;
  /** Changes on top of a git job's commit, as `git diff` writes them. */
  patch?: string | undefined;
}

export type CreatedJob = CommittedArtifact & { warnings: string[] };

/** Of a folder: a `code` artifact and a `job` artifact that names it. */
export async function createCodeJob({ db, blobs }: JobDeps, job: NewCodeJob): Promise<CreatedJob> {
  const { entryPoint, dockerfile } = job;
  const { files, texts } = job.upload;
  const has = (path: string) => files.some((file) => file.path === path);
  const script = scriptOfEntryPoint(entryPoint);
  if (script !== undefined && !has(script))
    throw new DavitError('missing-entry-point', `The entry point starts "${script}", which is not in the folder.`);
  const inContext = [job.buildContext, dockerfile].filter((part) => part !== undefined && part !== '.').join('/');
  if (dockerfile !== undefined && !has(dockerfile) && !has(inContext))
    throw new DavitError('invalid-request', `The Dockerfile "${dockerfile}" is not in the folder.`, {
      errors: [{ path: 'query.dockerfile', message: 'is not in the folder' }],
    });
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
      metadata: { codePath: '.', entrypoint: entryPoint.join(' ') },
      aliases: [],
      createdBy: job.createdBy,
    });
    const source = { kind: 'code' as const, artifactId: code.artifactId, entryPoint };
    const text = jobFileText({ ...job, source, pythonVersion });
    const file = await putContent(blobs, jobFileName, Buffer.from(text));
    const committed = await commitJob(tx, job, [frozen, file]);
    const warnings = [...requirementWarnings(requirements, job), ...entryPointWarnings(entryPoint)];
    return { ...committed, warnings };
  });
}

/** Of a commit or of an image: what it runs lies elsewhere. */
export async function createSourceJob({ db, blobs }: JobDeps, job: NewSourceJob): Promise<CreatedJob> {
  const put = (name: string, text: string) => putContent(blobs, name, Buffer.from(text));
  const files = [
    await put(requirementsFileName, job.requirements ?? ''),
    await put(jobFileName, jobFileText(job)),
    ...(job.patch ? [await put(patchFileName, job.patch)] : []),
  ];
  const credentials = job.source.kind === 'git' ? job.source.credentials : undefined;
  const committed = await inTransaction(db, (tx) => commitJob(tx, job, files, credentials));
  return { ...committed, warnings: job.source.kind === 'git' ? entryPointWarnings(job.source.entryPoint) : [] };
}

async function commitJob(
  tx: Store,
  job: NewJob,
  files: Parameters<typeof commitArtifact>[1]['files'],
  credentials?: string,
): Promise<CommittedArtifact> {
  const committed = await commitArtifact(tx, {
    projectId: job.projectId,
    type: 'job',
    collection: job.name,
    ...(job.description === undefined ? {} : { description: job.description }),
    files,
    // It never ran, so the types of its inputs are not known, unless somebody says them.
    metadata: {
      ...(job.inputs === undefined ? { _partial: true } : { input_schemas: schemasAsStored(job.inputs) }),
      ...(credentials === undefined ? {} : { [gitSecret]: credentials }),
    },
    aliases: job.aliases,
    createdBy: job.createdBy,
  });
  if (!committed.created && job.inputs !== undefined) await setInputs(tx, committed.artifactId, job.inputs);
  return committed;
}

/** What the version asks of its inputs from now on; what else is known of it stays. */
export async function setInputs(db: Store, artifactId: number, inputs: InputSchemas): Promise<void> {
  await inTransaction(db, async (tx) => {
    const row = await tx
      .selectFrom('artifact')
      .select('metadata')
      .where('id', '=', artifactId)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const { input_schemas: _before, _partial, ...metadata } = parsedMetadata(row.metadata);
    const schemas = schemasAsStored(inputs);
    const isNone = Object.keys(schemas).length === 0;
    const after = {
      ...metadata,
      ...(isNone ? (_partial === undefined ? {} : { _partial }) : { input_schemas: schemas }),
    };
    await tx
      .updateTable('artifact')
      .set({ metadata: JSON.stringify(after), updated_at: new Date() })
      .where('id', '=', artifactId)
      .execute();
  });
}

const schemasAsStored = ({ config, files }: InputSchemas): Record<string, unknown> => ({
  ...(config === undefined ? {} : { [configInputs]: config }),
  ...(Object.keys(files).length === 0 ? {} : { files }),
});

/** Beside the job's own file, so that an enqueue can ask for it without reading files. */
const gitSecret = 'git_credentials';

/** The named secret that opens the remote of a git job, as far as its metadata says so: jobs of other clients have none. */
export function gitSecretOf(metadata: Record<string, unknown>): string | undefined {
  const name = metadata[gitSecret];
  return typeof name === 'string' ? name : undefined;
}

/** Clients write it as they like. */
export function parsedMetadata(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

function requirementWarnings(requirements: string, { dockerfile, baseImage }: NewJob): string[] {
  // Its image brings what it needs.
  if (dockerfile !== undefined || baseImage !== undefined || /^\s*wandb\b/im.test(requirements)) return [];
  return ['requirements.txt does not name wandb: the job can call wandb.init only if its environment has it.'];
}

const entryPointWarnings = ([program]: readonly string[]): string[] =>
  program?.endsWith('.py') === true ? ['A bare .py file is seldom executable: use "python train.py".'] : [];
