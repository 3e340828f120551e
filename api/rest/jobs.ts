import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { jobNameSchema } from '../../domain/ids.js';
import { parseEntryPoint, versionIndexOf } from '../../domain/job.js';
import { jobKinds } from '../../domain/words.js';
import { artifactByAlias, collectionByName, versionsOf } from '../../store/artifacts.js';
import { audit } from '../../store/audit.js';
import { contentDisposition } from '../../store/blobs/content-disposition.js';
import { openCodeArchive } from '../../store/code-archive.js';
import { storeCodeUpload } from '../../store/code-upload.js';
import { createCodeJob, listJobs, readJobVersion, type JobVersion } from '../../store/jobs.js';
import { usesOfJob } from '../../store/launches.js';
import { ensureProject } from '../../store/projects.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity } from '../auth/authorize.js';
import type { ApiDeps } from '../deps.js';
import { projectParams, requireProject } from './projects.js';
import { defineRoute } from './route.js';
import {
  commaList,
  defaultLimit,
  maybeTime,
  nameCursor,
  page,
  pageOf,
  pageQuery,
  readCursor,
  timeOf,
  timeSchema,
} from './schemas.js';

const kindSchema = z.enum(jobKinds).nullable().describe('Null: its wandb-job.json cannot be understood.');

const jobSchema = z
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

const versionSchema = z
  .object({
    version: z.string().describe('vN'),
    aliases: z.array(z.string()),
    digest: z.string().describe('Hex MD5 over its files, as the wandb client computes it.'),
    kind: kindSchema,
    entryPoint: z.array(z.string()).nullable(),
    pythonVersion: z.string().nullable(),
    source: z.record(z.string(), z.unknown()).describe('As in wandb-job.json.'),
    codeDigest: z.string().nullable(),
    description: z.string(),
    createdBy: z.string(),
    createdAt: timeSchema,
    launches: z.int().describe('Launches that used this version.'),
    lastLaunch: z.string().nullable(),
    lastLaunchAt: timeSchema.nullable(),
  })
  .meta({ id: 'JobVersion' });

const jobParams = projectParams.extend({ job: jobNameSchema });

async function requireJob(deps: ApiDeps, actor: Actor, params: z.infer<typeof jobParams>) {
  const unknown = new DavitError(
    'unknown-job',
    `There is no job "${params.entity}/${params.project}/${params.job}" that this key may see.`,
  );
  const project = await requireProject(deps.db, actor, params, 'viewer').catch((error: unknown) => {
    throw error instanceof DavitError && error.code === 'not-found' ? unknown : error;
  });
  const collection = await collectionByName(deps.db, project.id, 'job', params.job);
  if (!collection || collection.next_index === 0) throw unknown;
  return collection;
}

/** Clients of many versions write these files: one that cannot be understood must not hide the jobs beside it. */
async function readable(deps: ApiDeps, artifactId: number): Promise<JobVersion | undefined> {
  try {
    return await readJobVersion(deps, artifactId);
  } catch (error) {
    if (error instanceof DavitError && error.code === 'unknown-job') return undefined;
    throw error;
  }
}

const list = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/jobs',
  operationId: 'listJobs',
  summary: 'Jobs of a project',
  tag: 'jobs',
  auth: 'user',
  params: projectParams,
  query: z.strictObject(pageQuery),
  response: pageOf(jobSchema, 'JobPage'),
  handler: async ({ actor, params, query, deps }) => {
    const project = await requireProject(deps.db, actor, params, 'viewer');
    const limit = query.limit ?? defaultLimit;
    const rows = await listJobs(deps.db, project.id, {
      afterName: readCursor(nameCursor, query.cursor),
      limit: limit + 1,
    });
    const kinds = new Map(
      await Promise.all(rows.map(async (row) => [row.id, (await readable(deps, row.latest_id))?.kind] as const)),
    );
    return page(
      rows,
      limit,
      (row) => ({
        entity: params.entity,
        project: params.project,
        name: row.name,
        kind: kinds.get(row.id) ?? null,
        description: row.description,
        versions: row.versions,
        latestVersion: `v${row.latest_index ?? 0}`,
        latestBy: row.latest_by,
        latestAt: maybeTime(row.latest_at),
        createdAt: timeOf(row.created_at),
      }),
      (row) => row.name,
    );
  },
});

const show = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/jobs/{job}',
  operationId: 'getJob',
  summary: 'One job with its versions, newest first, and who used them',
  tag: 'jobs',
  auth: 'user',
  params: jobParams,
  query: z.strictObject(pageQuery),
  response: z
    .object({
      entity: z.string(),
      project: z.string(),
      name: z.string(),
      versions: z.array(versionSchema),
      nextCursor: z.string().optional(),
    })
    .meta({ id: 'JobDetail' }),
  handler: async ({ actor, params, query, deps }) => {
    const collection = await requireJob(deps, actor, params);
    const limit = query.limit ?? defaultLimit;
    const rows = await versionsOf(deps.db, collection.id, {
      belowIndex: readCursor(z.int(), query.cursor),
      limit: limit + 1,
    });
    const uses = new Map((await usesOfJob(deps.db, collection.id)).map((use) => [use.artifact_id, use]));
    const contents = new Map(
      await Promise.all(rows.map(async (row) => [row.id, await readable(deps, row.id)] as const)),
    );
    const { items, nextCursor } = page(
      rows,
      limit,
      (row): z.input<typeof versionSchema> => {
        const content = contents.get(row.id);
        const use = uses.get(row.id);
        return {
          version: `v${row.version_index ?? 0}`,
          aliases: row.aliases,
          digest: row.digest,
          kind: content?.kind ?? null,
          entryPoint: content?.file.source.entrypoint ?? null,
          pythonVersion: content?.file.runtime ?? null,
          source: { ...content?.file.source },
          codeDigest: content?.codeDigest ?? null,
          description: row.description,
          createdBy: row.created_by,
          createdAt: timeOf(row.created_at),
          launches: use?.launches ?? 0,
          lastLaunch: use?.last_id ?? null,
          lastLaunchAt: maybeTime(use?.last_at ?? null),
        };
      },
      (row) => row.version_index,
    );
    return {
      entity: params.entity,
      project: params.project,
      name: params.job,
      versions: items,
      ...(nextCursor === undefined ? {} : { nextCursor }),
    };
  },
});

const aliasSchema = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_.-]+$/, 'use letters, digits, "_", "-" and "."')
  .refine((alias) => versionIndexOf(alias) === undefined, 'v and a number is the name of a version');

const create = defineRoute({
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
  }),
  rawBody: { contentType: 'application/gzip', description: 'A gzipped tar of the folder.' },
  status: 201,
  otherStatus: [200],
  response: z
    .object({
      entity: z.string(),
      project: z.string(),
      job: z.string(),
      version: z.string(),
      digest: z.string(),
      created: z.boolean().describe('False: no changes, this version existed.'),
      message: z.enum(['Created', 'Updated', 'No changes detected']),
      files: z.int(),
      bytes: z.int(),
      warnings: z.array(z.string()),
    })
    .meta({ id: 'CreatedJobVersion' }),
  handler: async ({ actor, params, query, deps, req, res }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'member');
    const entryPoint = query.entryPoint === undefined ? undefined : parseEntryPoint(query.entryPoint);
    if (!entryPoint || entryPoint[0] === '')
      throw new DavitError(
        'missing-entry-point',
        query.entryPoint === undefined
          ? 'query.entryPoint is missing: what should be run?'
          : 'query.entryPoint is not a program with arguments: a quote has no partner, or it is empty.',
      );
    const upload = await storeCodeUpload(deps.blobs, bodyOf(req, res, deps.limits.codeArchiveBytes), {
      archiveBytes: deps.limits.codeArchiveBytes,
      bytes: deps.limits.codeBytes,
      files: deps.limits.codeFiles,
    });
    const made = await deps.db.transaction().execute(async (tx) => {
      const project = await ensureProject(tx, entity.id, params.project);
      const job = await createCodeJob(
        { db: tx, blobs: deps.blobs },
        {
          projectId: project.id,
          name: params.job,
          ...(query.description === undefined ? {} : { description: query.description }),
          entryPoint,
          pythonVersion: query.pythonVersion,
          aliases: query.alias ?? [],
          createdBy: actor.name,
          upload,
        },
      );
      await audit(tx, {
        actor: actor.name,
        action: job.created ? 'job.create' : 'job.alias',
        subject: `job/${params.entity}/${params.project}/${params.job}:v${job.versionIndex}`,
        data: { digest: job.digest, aliases: query.alias ?? [] },
      });
      return job;
    });
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
      message: made.first
        ? ('Created' as const)
        : made.created
          ? ('Updated' as const)
          : ('No changes detected' as const),
      files: upload.files.length,
      bytes: upload.files.reduce((sum, file) => sum + file.size, 0),
      warnings: made.warnings,
    };
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

const code = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/versions/{version}/code',
  operationId: 'downloadJobCode',
  summary: 'The code of a job version as a gzipped tar',
  tag: 'jobs',
  auth: 'user',
  params: jobParams.extend({ version: z.string().max(128).describe('vN or an alias.') }),
  streams: ['application/gzip'],
  handler: async ({ actor, params, deps, res }) => {
    const collection = await requireJob(deps, actor, params);
    const found = await artifactByAlias(deps.db, collection.id, params.version);
    if (!found) throw new DavitError('unknown-job', `The job "${params.job}" has no version "${params.version}".`);
    const { codeArtifactId } = await readJobVersion(deps, found.id);
    if (codeArtifactId === undefined) throw new DavitError('not-found', 'This job brings no code of its own.');
    const archive = await openCodeArchive(deps, codeArtifactId);
    res.setHeader('Content-Type', 'application/gzip');
    res.setHeader('Content-Disposition', contentDisposition(`${params.job}.tar.gz`));
    await pipeline(archive, res);
  },
});

export const jobRoutes = [list, show, create, code];
