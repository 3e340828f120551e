import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { versionsOf } from '../../store/artifacts.js';
import { contentDisposition } from '../../store/blobs/content-disposition.js';
import { openCodeArchive } from '../../store/code-archive.js';
import { diffOfVersions } from '../../store/job-diff.js';
import { listJobs, readJobVersion } from '../../store/jobs.js';
import { usesOfJob } from '../../store/launches.js';
import {
  jobParams,
  jobSchema,
  readable,
  requireJob,
  requireVersion,
  toVersion,
  versionName,
  versionSchema,
} from './job-schemas.js';
import { projectParams, requireProject } from './projects.js';
import { defineRoute } from './route.js';
import { defaultLimit, maybeTime, nameCursor, page, pageOf, pageQuery, readCursor, timeOf } from './schemas.js';

/** Jobs as they are read. Making versions: job-create.ts; aliases, inputs and deleting: job-changes.ts. */

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
      (row) => toVersion({ row, content: contents.get(row.id), use: uses.get(row.id) }),
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

const code = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/versions/{version}/code',
  operationId: 'downloadJobCode',
  summary: 'The code of a job version as a gzipped tar',
  tag: 'jobs',
  auth: 'user',
  params: jobParams.extend({ version: versionName }),
  streams: ['application/gzip'],
  handler: async ({ actor, params, deps, res }) => {
    const { artifactId } = await requireVersion(deps, actor, params, params.version);
    const { codeArtifactId } = await readJobVersion(deps, artifactId);
    if (codeArtifactId === undefined) throw new DavitError('not-found', 'This job brings no code of its own.');
    const archive = await openCodeArchive(deps, codeArtifactId);
    res.setHeader('Content-Type', 'application/gzip');
    res.setHeader('Content-Disposition', contentDisposition(`${params.job}.tar.gz`));
    await pipeline(archive, res);
  },
});

const diff = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/diff',
  operationId: 'diffJobVersions',
  summary: 'What one version of a job has that another has not',
  tag: 'jobs',
  auth: 'user',
  params: jobParams,
  query: z.strictObject({ from: versionName, to: versionName }),
  response: z
    .object({
      from: z.string(),
      to: z.string(),
      fields: z
        .array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() }))
        .describe('Of wandb-job.json and of the input schemas; null: it is not there.'),
      requirements: z.object({ added: z.array(z.string()), removed: z.array(z.string()) }),
      files: z
        .array(z.object({ path: z.string(), change: z.enum(['added', 'removed', 'changed']) }))
        .describe('Of the code, at most 1,000.'),
      filesChanged: z.int(),
    })
    .meta({ id: 'JobDiff' }),
  handler: async ({ actor, params, query, deps }) => {
    const from = await requireVersion(deps, actor, params, query.from);
    const to = await requireVersion(deps, actor, params, query.to);
    return diffOfVersions(deps, from.artifactId, to.artifactId);
  },
});

export const jobRoutes = [list, show, code, diff];
