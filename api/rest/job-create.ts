import { PassThrough, type Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { partsOfImage } from '../../domain/image-name.js';
import { parseEntryPoint } from '../../domain/job.js';
import { gitRefSchema, imageSchema, insidePath } from '../../domain/launch-request.js';
import { audit } from '../../store/audit.js';
import { storeCodeUpload } from '../../store/code-upload.js';
import { createCodeJob, createSourceJob, type CreatedJob, type NewCodeJob } from '../../store/job-create.js';
import type { JobDeps } from '../../store/jobs.js';
import { ensureProject } from '../../store/projects.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity } from '../auth/authorize.js';
import type { ApiDeps } from '../deps.js';
import { commitOf } from '../git.js';
import { aliasSchema, checkedInputs, inputsSchema, jobParams } from './job-schemas.js';
import { defineRoute } from './route.js';
import { commaList } from './schemas.js';

/** New versions of jobs, of each kind. The same again is no new version, but takes the aliases. */

const createdSchema = z
  .object({
    entity: z.string(),
    project: z.string(),
    job: z.string(),
    version: z.string(),
    digest: z.string(),
    created: z.boolean().describe('False: no changes, this version existed.'),
    message: z.enum(['Created', 'Updated', 'No changes detected']),
    files: z.int().describe('Of the code; 0 when it lies elsewhere.'),
    bytes: z.int(),
    commit: z.string().optional().describe('Of a git job: what its branch or tag was.'),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'CreatedJobVersion' });

interface Asked {
  actor: Actor;
  entity: { id: number };
  params: z.infer<typeof jobParams>;
  aliases: readonly string[];
}

function create(
  { db, blobs }: ApiDeps,
  { actor, entity, params, aliases }: Asked,
  make: (
    deps: JobDeps,
    common: Pick<NewCodeJob, 'projectId' | 'name' | 'aliases' | 'createdBy'>,
  ) => Promise<CreatedJob>,
): Promise<CreatedJob> {
  return db.transaction().execute(async (tx) => {
    const project = await ensureProject(tx, entity.id, params.project);
    const common = { projectId: project.id, name: params.job, aliases, createdBy: actor.name };
    const job = await make({ db: tx, blobs }, common);
    await audit(tx, {
      actor: actor.name,
      action: job.created ? 'job.create' : 'job.alias',
      subject: `job/${params.entity}/${params.project}/${params.job}:v${job.versionIndex}`,
      data: { digest: job.digest, aliases },
    });
    return job;
  });
}

function answerOf(
  res: Response,
  params: z.infer<typeof jobParams>,
  made: CreatedJob,
  more: { files: number; bytes: number; commit?: string },
): z.input<typeof createdSchema> {
  res
    .status(made.created ? 201 : 200)
    .setHeader('Location', `/api/v1/entities/${params.entity}/projects/${params.project}/jobs/${params.job}`);
  return {
    entity: params.entity,
    project: params.project,
    job: params.job,
    version: `v${made.versionIndex}`,
    digest: made.digest,
    created: made.created,
    message: made.first ? 'Created' : made.created ? 'Updated' : 'No changes detected',
    warnings: made.warnings,
    ...more,
  };
}

const entryPointSchema = z
  .union([z.string().min(1).max(8192), z.array(z.string().min(1).max(4096)).min(1).max(256)])
  .describe('Program and arguments: a text is split on spaces, quotes keep them; a list is exact.');

function entryPointOf(given: z.infer<typeof entryPointSchema> | undefined, field: string): string[] {
  const words = typeof given === 'string' ? parseEntryPoint(given) : given;
  if (words && words[0] !== '') return words;
  throw new DavitError(
    'missing-entry-point',
    given === undefined
      ? `${field} is missing: what should be run?`
      : `${field} is not a program with arguments: a quote has no partner, or it is empty.`,
  );
}

function refuseBoth(dockerfile: string | undefined, baseImage: string | undefined): void {
  if (dockerfile === undefined || baseImage === undefined) return;
  const message = 'a base image and a Dockerfile exclude each other: the Dockerfile names its own';
  throw new DavitError('invalid-request', `baseImage: ${message}.`, { errors: [{ path: 'baseImage', message }] });
}

const pythonVersion = z.string().regex(/^3\.\d{1,2}$/, 'write 3.N');
const commonBody = {
  description: z.string().max(10_000).optional(),
  aliases: z.array(aliasSchema).max(20).optional().describe('Besides `latest`.'),
  inputs: inputsSchema.optional().describe('What a launch must fit.'),
  services: z
    .record(z.string().max(64), z.enum(['always', 'never']))
    .optional()
    .describe('Whether what a service of the job is for is there: name -> always or never.'),
};

const createCode = defineRoute({
  method: 'post',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/versions',
  operationId: 'createJobVersion',
  summary: 'Upload a folder as a code job version',
  description:
    'The body is the folder as a gzipped tar: `tar cz -C examples/train . | curl --data-binary @- -H "Content-Type: application/gzip" ' +
    '"…/jobs/train/versions?entryPoint=python%20train.py"`. `.git` and `wandb` folders are left out, links are refused. The same files again make no ' +
    'new version (200, created: false), but take the aliases.',
  tag: 'jobs',
  auth: 'user',
  params: jobParams,
  query: z.strictObject({
    entryPoint: z
      .string()
      .max(8192)
      .optional()
      .describe('Needed. Program and arguments: split on spaces, quotes keep them; or a JSON list of strings.'),
    pythonVersion: z
      .string()
      .regex(/^3\.\d{1,2}$/, 'write 3.N')
      .optional()
      .describe('Default: what runtime.txt or .python-version in the folder says, else any.'),
    alias: commaList(aliasSchema, 20).optional().describe('Besides `latest`; several separated by commas.'),
    description: z.string().max(10_000).optional(),
    dockerfile: insidePath.optional().describe('Of the folder, or of its build context; what the image is made by.'),
    buildContext: insidePath.optional().describe('Folder that the Dockerfile sees; default: all of it.'),
    baseImage: imageSchema.optional().describe('What the code is put on. Excludes a Dockerfile.'),
  }),
  rawBody: { contentType: 'application/gzip', description: 'A gzipped tar of the folder.' },
  status: 201,
  otherStatus: [200],
  response: createdSchema,
  handler: async ({ actor, params, query, deps, req, res }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'member');
    const entryPoint = entryPointOf(query.entryPoint, 'query.entryPoint');
    const upload = await storeCodeUpload(deps.blobs, bodyOf(req, res, deps.limits.codeArchiveBytes), {
      archiveBytes: deps.limits.codeArchiveBytes,
      bytes: deps.limits.codeBytes,
      files: deps.limits.codeFiles,
    });
    const { dockerfile, buildContext, baseImage } = query;
    refuseBoth(dockerfile, baseImage);
    const made = await create(deps, { actor, entity, params, aliases: query.alias ?? [] }, (tx, common) =>
      createCodeJob(tx, {
        ...common,
        description: query.description,
        entryPoint,
        pythonVersion: query.pythonVersion,
        dockerfile,
        buildContext,
        baseImage,
        upload,
      }),
    );
    return answerOf(res, params, made, {
      files: upload.files.length,
      bytes: upload.files.reduce((sum, file) => sum + file.size, 0),
    });
  },
});

/**
 * The body behind a stream of its own: reading it stops at the first fault, and destroying the request would cut the connection before
 * the client could read why.
 */
function bodyOf(req: Request, res: Response, maxBytes: number): Readable {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) {
    res.setHeader('Connection', 'close');
    throw new DavitError('body-too-large', `The archive is larger than ${maxBytes} bytes.`);
  }
  const body = new PassThrough();
  req.pipe(body);
  body.once('close', () => {
    req.unpipe(body);
    req.resume();
  });
  req.once('close', () => {
    if (!req.complete) body.destroy(new DavitError('invalid-request', 'The upload was cut before its end.'));
  });
  req.once('error', (error) => body.destroy(error));
  return body;
}

const createGit = defineRoute({
  method: 'post',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/versions/git',
  operationId: 'createGitJobVersion',
  summary: 'A commit of a git repository as a job version',
  description:
    'A branch or tag is looked up now, and the version is of the commit that it is. The API reads the repository only for that; agents fetch it.',
  tag: 'jobs',
  auth: 'user',
  params: jobParams,
  body: z
    .strictObject({
      remote: z.string().max(2048).describe('https://…, ssh://… or user@host:path; never with a password.'),
      ref: gitRefSchema.optional().describe('Branch, tag or whole commit; default: the default branch.'),
      entryPoint: entryPointSchema,
      pythonVersion: pythonVersion.optional().describe('Default: any.'),
      requirements: z
        .string()
        .max(1_000_000)
        .optional()
        .describe('One per line; default: requirements.txt of the commit.'),
      patch: z.string().max(4_000_000).optional().describe('Changes on top of the commit, as `git diff` writes them.'),
      credentials: z.string().min(1).max(128).optional().describe('Name of the secret that opens the repository.'),
      dockerfile: insidePath.optional(),
      buildContext: insidePath.optional(),
      baseImage: imageSchema.optional(),
      ...commonBody,
    })
    .meta({ id: 'NewGitJob' }),
  bodyLimitBytes: 8 * 1024 * 1024,
  status: 201,
  otherStatus: [200],
  response: createdSchema,
  handler: async ({ actor, params, body, deps, res }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'member');
    const { remote, ref, credentials, aliases = [], inputs, patch, ...rest } = body;
    refuseBoth(rest.dockerfile, rest.baseImage);
    const entryPoint = entryPointOf(rest.entryPoint, 'entryPoint');
    const checked = inputs && checkedInputs(inputs);
    const secret =
      credentials === undefined
        ? undefined
        : { entity: { id: entity.id, name: params.entity }, name: credentials, actor: actor.name };
    const found = await commitOf(deps, { remote, secret }, ref);
    const named = found.ref === found.commit || found.ref === 'HEAD' ? undefined : found.ref;
    const source = { kind: 'git' as const, remote, commit: found.commit, ref: named, credentials, entryPoint };
    const made = await create(deps, { actor, entity, params, aliases }, (tx, common) =>
      // git apply wants a last line that ends.
      createSourceJob(tx, {
        ...rest,
        ...common,
        source,
        inputs: checked?.inputs,
        patch: patch === undefined || patch.endsWith('\n') ? patch : `${patch}\n`,
      }),
    );
    const warnings = [...made.warnings, ...(checked?.warnings ?? [])];
    return answerOf(res, params, { ...made, warnings }, { files: 0, bytes: 0, commit: found.commit });
  },
});

const createImage = defineRoute({
  method: 'post',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/versions/image',
  operationId: 'createImageJobVersion',
  summary: 'A container image as a job version',
  description: 'The tag of the image becomes an alias of the version.',
  tag: 'jobs',
  auth: 'user',
  params: jobParams,
  body: z
    .strictObject({
      image: imageSchema.describe('registry/name:tag, or name@sha256:…'),
      entryPoint: entryPointSchema.optional().describe("Default: the image's own."),
      args: z.array(z.string().max(65_536)).max(1024).optional().describe('Fixed arguments.'),
      ...commonBody,
    })
    .meta({ id: 'NewImageJob' }),
  status: 201,
  otherStatus: [200],
  response: createdSchema,
  handler: async ({ actor, params, body, deps, res }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'member');
    const { image, args, aliases = [], inputs, ...rest } = body;
    const entryPoint = body.entryPoint === undefined ? undefined : entryPointOf(body.entryPoint, 'entryPoint');
    const checked = inputs && checkedInputs(inputs);
    const { tag } = partsOfImage(image);
    const tagged = tag !== undefined && tag !== 'latest' && aliasSchema.safeParse(tag).success ? [tag] : [];
    const asked = { actor, entity, params, aliases: [...new Set([...aliases, ...tagged])] };
    const made = await create(deps, asked, (tx, common) =>
      createSourceJob(tx, {
        ...rest,
        ...common,
        source: { kind: 'image', image, entryPoint, args },
        inputs: checked?.inputs,
      }),
    );
    return answerOf(
      res,
      params,
      { ...made, warnings: [...made.warnings, ...(checked?.warnings ?? [])] },
      { files: 0, bytes: 0 },
    );
  },
});

export const jobCreateRoutes = [createCode, createGit, createImage];
