import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { launchIdSchema, nameSchema } from '../../domain/ids.js';
import { mediaTypeOf } from '../../domain/media-type.js';
import { runStates } from '../../domain/words.js';
import { listAlerts } from '../../store/run-alerts.js';
import { listRunFiles } from '../../store/run-files.js';
import { readRunMetadata } from '../../store/run-metadata.js';
import { readConsole, readHistory } from '../../store/run-lines.js';
import { getRun, listRuns, type RunRecord } from '../../store/runs.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity } from '../auth/authorize.js';
import type { ApiDeps } from '../deps.js';
import { originOf } from '../origin.js';
import { requireLaunch } from './launch-access.js';
import { requireProject } from './projects.js';
import { defineRoute } from './route.js';
import { runMetadataSchema } from './run-metadata-schema.js';
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
  wholeNumber,
} from './schemas.js';

const valuesSchema = z.record(z.string(), z.unknown());
const runSchema = z
  .object({
    entity: z.string(),
    project: z.string(),
    name: z.string().describe('Its id in the project (WANDB_RUN_ID).'),
    displayName: z.string(),
    state: z.enum(runStates),
    config: valuesSchema,
    summary: valuesSchema.describe('Last or chosen value of each metric. NaN and infinities are strings.'),
    notes: z.string(),
    tags: z.array(z.string()),
    group: z.string(),
    jobType: z.string(),
    host: z.string(),
    program: z.string(),
    commit: z.string().describe('Of the repository that its program lies in; empty when there is none.'),
    username: z.string().nullable(),
    launchId: z.string().nullable(),
    launchUrl: z.string().nullable(),
    exitCode: z.int().nullable(),
    historyLines: z.int(),
    consoleLines: z.int(),
    createdAt: timeSchema,
    heartbeatAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Run' });

const toRun = (run: RunRecord): z.input<typeof runSchema> => ({
  entity: run.entity,
  project: run.project,
  name: run.name,
  displayName: run.displayName,
  state: run.state,
  config: run.config,
  summary: run.summary,
  notes: run.notes,
  tags: run.tags,
  group: run.group,
  jobType: run.jobType,
  host: run.host,
  program: run.program,
  commit: run.commit,
  username: run.username,
  launchId: run.launchId,
  launchUrl: run.launchId === null ? null : `/api/v1/launches/${run.launchId}`,
  exitCode: run.exitCode,
  historyLines: run.historyLines,
  consoleLines: run.logLines,
  createdAt: timeOf(run.createdAt),
  heartbeatAt: timeOf(run.heartbeatAt),
  endedAt: maybeTime(run.endedAt),
});

const alertSchema = z.object({ at: timeSchema, title: z.string(), text: z.string(), severity: z.string() });
const detailSchema = runSchema
  .extend({
    alerts: z.array(alertSchema).describe('What it alerted to (wandb.alert), newest first; at most 100.'),
    metadata: runMetadataSchema.nullable().describe('Where it was made; null until its client has said so.'),
  })
  .meta({ id: 'RunDetail' });
const shownAlerts = 100;

/** Run ids are the client's own choice, so they are looser than names. */
export const runParams = z.strictObject({ entity: nameSchema, project: nameSchema, run: z.string().min(1).max(128) });

export async function requireRun(deps: ApiDeps, actor: Actor, params: z.infer<typeof runParams>): Promise<RunRecord> {
  const project = await requireProject(deps.db, actor, params, 'viewer');
  const run = await getRun(deps.db, project.id, params.run);
  if (!run) throw new DavitError('not-found', `There is no run "${params.entity}/${params.project}/${params.run}".`);
  return run;
}

const list = defineRoute({
  method: 'get',
  path: '/runs',
  operationId: 'listRuns',
  summary: 'Runs of an entity, a project or a launch, newest first',
  tag: 'runs',
  auth: 'user',
  query: z.strictObject({
    ...pageQuery,
    entity: nameSchema.optional().describe('Default: your own.'),
    project: nameSchema.optional(),
    launch: launchIdSchema.optional(),
    state: commaList(z.enum(runStates)).optional(),
  }),
  response: pageOf(runSchema, 'RunPage'),
  handler: async ({ actor, query, deps }) => {
    const launch = query.launch === undefined ? undefined : await requireLaunch(deps.db, actor, query.launch, 'viewer');
    const entityName = query.entity ?? launch?.entity ?? actor.homeEntity?.name ?? '';
    const entity = await requireEntity(deps.db, actor, entityName, 'viewer');
    const project =
      query.project === undefined
        ? undefined
        : await requireProject(deps.db, actor, { entity: entityName, project: query.project }, 'viewer');
    const { items, nextCursor } = await listRuns(
      deps.db,
      {
        entityId: entity.id,
        ...(project === undefined ? {} : { projectId: project.id }),
        ...(launch === undefined ? {} : { launchId: launch.id }),
        ...(query.state === undefined ? {} : { state: query.state }),
      },
      { limit: query.limit ?? defaultLimit, ...(query.cursor === undefined ? {} : { cursor: query.cursor }) },
    );
    return { items: items.map(toRun), ...(nextCursor === undefined ? {} : { nextCursor }) };
  },
});

const show = defineRoute({
  method: 'get',
  path: '/runs/{entity}/{project}/{run}',
  operationId: 'getRun',
  summary: 'One run with its config, its summary, its alerts and where it was made',
  tag: 'runs',
  auth: 'user',
  params: runParams,
  response: detailSchema,
  handler: async ({ actor, params, deps }) => {
    const run = await requireRun(deps, actor, params);
    const [alerts, metadata] = await Promise.all([
      listAlerts(deps.db, run.id, shownAlerts),
      readRunMetadata(deps.db, deps.blobs, run.id),
    ]);
    return {
      ...toRun(run),
      alerts: alerts.map((alert) => ({ ...alert, at: timeOf(alert.at) })),
      metadata: metadata ?? null,
    };
  },
});

const history = defineRoute({
  method: 'get',
  path: '/runs/{entity}/{project}/{run}/history',
  operationId: 'readRunHistory',
  summary: 'What the run logged: a range of lines, or a sample of them',
  tag: 'runs',
  auth: 'user',
  params: runParams,
  query: z.strictObject({
    samples: wholeNumber(1, 10_000).optional().describe('About so many lines, evenly spread. Excludes from and limit.'),
    from: wholeNumber(0, 2_147_483_647).optional().describe('First line, from 0.'),
    limit: wholeNumber(1, 10_000).optional().describe('Default 1,000.'),
  }),
  response: z
    .object({ total: z.int(), lines: z.array(z.object({ line: z.int(), values: valuesSchema })) })
    .meta({ id: 'RunHistory' }),
  handler: async ({ actor, params, query, deps }) => {
    const { samples, from, limit } = query;
    if (samples !== undefined && (from !== undefined || limit !== undefined))
      throw new DavitError('invalid-request', 'query.samples: excludes from and limit', {
        errors: [{ path: 'query.samples', message: 'excludes from and limit' }],
      });
    const run = await requireRun(deps, actor, params);
    const lines = await readHistory(
      deps.db,
      run.id,
      samples === undefined ? { from: from ?? 0, limit: limit ?? 1_000 } : { samples },
    );
    return { total: run.historyLines, lines };
  },
});

const consoleRoute = defineRoute({
  method: 'get',
  path: '/runs/{entity}/{project}/{run}/console',
  operationId: 'readRunConsole',
  summary: 'What the run printed',
  tag: 'runs',
  auth: 'user',
  params: runParams,
  query: z.strictObject({
    last: wholeNumber(1, 10_000).optional().describe('The last so many lines. Excludes from and limit.'),
    from: wholeNumber(0, 2_147_483_647).optional().describe('First line, from 0.'),
    limit: wholeNumber(1, 10_000).optional().describe('Default 1,000.'),
  }),
  response: z
    .object({
      total: z.int(),
      lines: z.array(
        z.object({
          line: z.int(),
          level: z.enum(['info', 'error']),
          timestamp: z.string().optional(),
          label: z.string().optional(),
          text: z.string(),
        }),
      ),
    })
    .meta({ id: 'RunConsole' }),
  handler: async ({ actor, params, query, deps }) => {
    const { last, from, limit } = query;
    if (last !== undefined && (from !== undefined || limit !== undefined))
      throw new DavitError('invalid-request', 'query.last: excludes from and limit', {
        errors: [{ path: 'query.last', message: 'excludes from and limit' }],
      });
    const run = await requireRun(deps, actor, params);
    const lines = await readConsole(
      deps.db,
      run.id,
      last === undefined ? { from: from ?? 0, limit: limit ?? 1_000 } : { last },
    );
    return { total: run.logLines, lines };
  },
});

const linkMs = 3600 * 1000;

const files = defineRoute({
  method: 'get',
  path: '/runs/{entity}/{project}/{run}/files',
  operationId: 'listRunFiles',
  summary: 'Files of a run with addresses to fetch them from',
  tag: 'runs',
  auth: 'user',
  params: runParams,
  query: z.strictObject(pageQuery),
  response: pageOf(
    z
      .object({
        name: z.string(),
        size: z.int(),
        md5: z.string().nullable().describe('Base64; null where the storage does not tell.'),
        mediaType: z.string().nullable().describe('As its name ends.'),
        uploadedAt: timeSchema,
        url: z.string().describe('Absolute, needs no key, works for an hour.'),
      })
      .meta({ id: 'RunFile' }),
    'RunFilePage',
  ),
  handler: async ({ actor, params, query, deps, req }) => {
    const run = await requireRun(deps, actor, params);
    const limit = query.limit ?? defaultLimit;
    const after = readCursor(nameCursor, query.cursor);
    const rows = await listRunFiles(deps.db, run.id, {
      limit: limit + 1,
      ...(after === undefined ? {} : { afterName: after }),
    });
    const origin = originOf(req, deps.publicUrl);
    const urls = new Map(
      await Promise.all(
        rows.map(async (row) => {
          const fileName = row.name.split('/').at(-1) ?? row.name;
          return [
            row.name,
            await deps.blobs.downloadUrl(row.blobKey, { expiresInMs: linkMs, fileName, origin }),
          ] as const;
        }),
      ),
    );
    return page(
      rows,
      limit,
      (row) => ({
        name: row.name,
        size: row.size,
        md5: row.md5,
        mediaType: mediaTypeOf(row.name) ?? null,
        uploadedAt: timeOf(row.uploadedAt),
        url: urls.get(row.name) ?? '',
      }),
      (row) => row.name,
    );
  },
});

export const runRoutes = [list, show, history, consoleRoute, files];
