import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { jobNameSchema } from '../../domain/ids.js';
import { checkInputSchema, inputSchemasOf, type InputSchemas } from '../../domain/input-schema.js';
import { versionIndexOf } from '../../domain/job.js';
import { insidePath } from '../../domain/launch-request.js';
import type { FieldError } from '../../domain/resource-config.js';
import { jobKinds } from '../../domain/words.js';
import { artifactByAlias, collectionByName } from '../../store/artifacts.js';
import { parsedMetadata } from '../../store/job-create.js';
import { readJobVersion, type JobVersion } from '../../store/jobs.js';
import type { Role } from '../../domain/words.js';
import type { Actor } from '../auth/authenticate.js';
import type { ApiDeps } from '../deps.js';
import { projectParams, requireProject } from './projects.js';
import { maybeTime, timeOf, timeSchema } from './schemas.js';

export const kindSchema = z.enum(jobKinds).nullable().describe('Null: its wandb-job.json cannot be understood.');

export const jobSchema = z
  .object({
    entity: z.string(),
    project: z.string(),
    name: z.string(),
    kind: kindSchema,
    description: z.string(),
    versions: z.int(),
    latestVersion: z.string(),
    latestBy: z.string(),
    latestAt: timeSchema.nullable(),
    createdAt: timeSchema,
  })
  .meta({ id: 'Job' });

const schemaObject = z.record(z.string(), z.unknown());
export const inputsSchema = z
  .strictObject({
    config: schemaObject.optional().describe('JSON Schema of wandb.config.'),
    files: z
      .record(insidePath, schemaObject)
      .optional()
      .describe('Of files that the program reads: path -> JSON Schema.'),
  })
  .meta({ id: 'JobInputs' });

export const versionSchema = z
  .object({
    version: z.string().describe('vN'),
    aliases: z.array(z.string()),
    digest: z.string().describe('Hex MD5 over its files, as the wandb client computes it.'),
    kind: kindSchema,
    entryPoint: z.array(z.string()).nullable(),
    pythonVersion: z.string().nullable(),
    source: z.record(z.string(), z.unknown()).describe('As in wandb-job.json.'),
    services: z.record(z.string(), z.string()),
    patched: z.boolean().describe('A git job with changes on top of its commit.'),
    partial: z.boolean().describe('It has never run, and nobody has said what its inputs are.'),
    inputs: z
      .object({ config: schemaObject.optional(), files: z.record(z.string(), schemaObject) })
      .nullable()
      .describe('What a launch must fit.'),
    inputTypes: z.unknown().describe('What its runs were given, in the type language of the wandb client.'),
    outputTypes: z.unknown().describe('What their summaries held.'),
    codeDigest: z.string().nullable(),
    description: z.string(),
    createdBy: z.string(),
    createdAt: timeSchema,
    launches: z.int().describe('Launches that used this version.'),
    lastLaunch: z.string().nullable(),
    lastLaunchAt: timeSchema.nullable(),
  })
  .meta({ id: 'JobVersion' });

interface VersionFacts {
  row: {
    version_index: number | null;
    aliases: string[];
    digest: string;
    description: string;
    metadata: string;
    created_by: string;
    created_at: Date;
  };
  content: JobVersion | undefined;
  use: { launches: number; last_id: string; last_at: Date } | undefined;
}

export function toVersion({ row, content, use }: VersionFacts): z.input<typeof versionSchema> {
  const metadata = parsedMetadata(row.metadata);
  const inputs = inputSchemasOf(metadata);
  const hasInputs = inputs.config !== undefined || Object.keys(inputs.files).length > 0;
  return {
    version: `v${row.version_index ?? 0}`,
    aliases: row.aliases,
    digest: row.digest,
    kind: content?.kind ?? null,
    entryPoint: content?.file.source.entrypoint ?? null,
    pythonVersion: content?.file.runtime || null,
    source: { ...content?.file.source },
    services: content?.file.services ?? {},
    patched: content?.patch !== undefined,
    partial: metadata['_partial'] === true,
    inputs: hasInputs ? inputs : null,
    inputTypes: metadata['input_types'] ?? content?.file.input_types ?? null,
    outputTypes: metadata['output_types'] ?? content?.file.output_types ?? null,
    codeDigest: content?.codeDigest ?? null,
    description: row.description,
    createdBy: row.created_by,
    createdAt: timeOf(row.created_at),
    launches: use?.launches ?? 0,
    lastLaunch: use?.last_id ?? null,
    lastLaunchAt: maybeTime(use?.last_at ?? null),
  };
}

export const jobParams = projectParams.extend({ job: jobNameSchema });

export async function requireJob(
  deps: ApiDeps,
  actor: Actor,
  params: z.infer<typeof jobParams>,
  role: Role = 'viewer',
) {
  const unknown = new DavitError(
    'unknown-job',
    `There is no job "${params.entity}/${params.project}/${params.job}" that this key may see.`,
  );
  const project = await requireProject(deps.db, actor, params, role).catch((error: unknown) => {
    throw error instanceof DavitError && error.code === 'not-found' ? unknown : error;
  });
  const collection = await collectionByName(deps.db, project.id, 'job', params.job);
  if (!collection || collection.next_index === 0) throw unknown;
  return collection;
}

/** Clients of many versions write these files: one that cannot be understood must not hide the jobs beside it. */
export async function readable(deps: ApiDeps, artifactId: number): Promise<JobVersion | undefined> {
  try {
    return await readJobVersion(deps, artifactId);
  } catch (error) {
    if (error instanceof DavitError && error.code === 'unknown-job') return undefined;
    throw error;
  }
}

/** A version by `vN` or alias. */
export async function requireVersion(
  deps: ApiDeps,
  actor: Actor,
  params: z.infer<typeof jobParams>,
  version: string,
  role: Role = 'viewer',
): Promise<{ collectionId: number; artifactId: number }> {
  const collection = await requireJob(deps, actor, params, role);
  const found = await artifactByAlias(deps.db, collection.id, version);
  if (!found) throw new DavitError('unknown-job', `The job "${params.job}" has no version "${version}".`);
  return { collectionId: collection.id, artifactId: found.id };
}

export const versionName = z.string().max(128).describe('vN or an alias.');

export const aliasSchema = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_.-]+$/, 'use letters, digits, "_", "-" and "."')
  .refine((alias) => versionIndexOf(alias) === undefined, 'v and a number is the name of a version');

/** Throws when a schema is wrong; answers what of it will not be enforced. */
export function checkedInputs(inputs: z.infer<typeof inputsSchema>): { inputs: InputSchemas; warnings: string[] } {
  const errors: FieldError[] = [];
  const warnings: string[] = [];
  const check = (schema: unknown, path: string) => {
    const found = checkInputSchema(schema);
    errors.push(...found.errors.map((error) => ({ ...error, path: `${path}.${error.path}` })));
    warnings.push(...found.warnings.map((warning) => `The schema ${path}: ${warning.path} ${warning.message}.`));
  };
  if (inputs.config !== undefined) check(inputs.config, 'config');
  for (const [file, schema] of Object.entries(inputs.files ?? {})) check(schema, `files.${file}`);
  if (errors.length > 0) {
    const sentence = errors.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw new DavitError('invalid-request', `The input schema cannot be used: ${sentence}.`, { errors });
  }
  const { config, files = {} } = inputs;
  return { inputs: { ...(config === undefined ? {} : { config }), files }, warnings };
}
