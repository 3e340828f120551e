import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { sweepStates, type SweepState } from '../../domain/sweeps/state.js';
import { plainValue } from '../../domain/sweeps/value.js';
import { runStates } from '../../domain/words.js';
import { changeSweep } from '../../store/sweep-changes.js';
import { setsOfSweep } from '../../store/sweep-overview.js';
import { configOf, listSweeps } from '../../store/sweeps.js';
import type { ApiDeps } from '../deps.js';
import { projectParams, requireProject } from './projects.js';
import { defineRoute } from './route.js';
import { defaultLimit, page, pageOf, pageQuery, readCursor, timeOf, timeSchema } from './schemas.js';
import { requireSweep, sweepDocuments, sweepParams, sweepSchema } from './sweep-schemas.js';

/** Sweeps, to be shown and steered. They are made and worked by wandb clients. */

const list = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/sweeps',
  operationId: 'listSweeps',
  summary: 'Sweeps of a project, newest first',
  tag: 'sweeps',
  auth: 'user',
  params: projectParams,
  query: z.strictObject({ ...pageQuery, state: z.enum(sweepStates).optional() }),
  response: pageOf(sweepSchema, 'SweepPage'),
  handler: async ({ actor, params, query, deps }) => {
    const project = await requireProject(deps.db, actor, params, 'viewer');
    const limit = query.limit ?? defaultLimit;
    const afterId = readCursor(z.int(), query.cursor);
    const rows = await listSweeps(deps.db, project.id, {
      limit,
      ...(afterId === undefined ? {} : { afterId }),
      ...(query.state === undefined ? {} : { state: query.state }),
    });
    const documents = await sweepDocuments(deps.db, project.id, rows.slice(0, limit));
    const { nextCursor } = page(
      rows,
      limit,
      () => null,
      (row) => row.id,
    );
    return { items: documents, ...(nextCursor === undefined ? {} : { nextCursor }) };
  },
});

const detailSchema = sweepSchema
  .extend({ config: z.string().describe('YAML, as its author’s client sent it.') })
  .meta({ id: 'SweepDetail' });

type Row = Awaited<ReturnType<typeof requireSweep>>;
type Deps = Pick<ApiDeps, 'db'>;

async function detailOf(deps: Deps, row: Row): Promise<z.input<typeof detailSchema>> {
  const [document] = await sweepDocuments(deps.db, row.project_id, [row]);
  if (!document) throw new DavitError('internal', 'A sweep has no document.');
  return { ...document, config: row.config };
}

const show = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/sweeps/{sweep}',
  operationId: 'getSweep',
  summary: 'One sweep: its state, its best run, its runs by state, its config',
  tag: 'sweeps',
  auth: 'user',
  params: sweepParams,
  response: detailSchema,
  handler: async ({ actor, params, deps }) => detailOf(deps, await requireSweep(deps.db, actor, params, 'viewer')),
});

const setSchema = z
  .object({
    n: z.int().describe('Its number in the order of decisions, from 1.'),
    run: z.string().describe('The run that it is, or will be.'),
    runState: z.enum(runStates).nullable().describe('Null: the run has not begun, or was deleted.'),
    displayName: z.string().nullable(),
    parameters: z.record(z.string(), z.unknown()).describe('NaN and infinities are strings.'),
    value: z.number().nullable().describe('The metric in the summary of the run.'),
    state: z
      .enum(['waiting', 'given', 'started', 'ended'])
      .describe(
        'waiting: for an agent. given: an agent was told. started: its program or its run was seen. ended: over.',
      ),
    origin: z
      .enum(['search', 'enqueued', 'controller', 'prior', 'foreign'])
      .describe('Who chose it: this server, a scheduler, a local controller, a run of before, a run started by hand.'),
    createdAt: timeSchema,
  })
  .meta({ id: 'SweepRun' });

const runs = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/sweeps/{sweep}/runs',
  operationId: 'listSweepRuns',
  summary: 'The parameter sets of a sweep and their runs, in the order in which they were decided',
  tag: 'sweeps',
  auth: 'user',
  params: sweepParams,
  query: z.strictObject(pageQuery),
  response: pageOf(setSchema, 'SweepRunPage'),
  handler: async ({ actor, params, query, deps }) => {
    const sweep = await requireSweep(deps.db, actor, params, 'viewer');
    const limit = query.limit ?? defaultLimit;
    const afterN = readCursor(z.int(), query.cursor) ?? 0;
    const rows = await setsOfSweep(deps.db, sweep, configOf(sweep)?.metric, { limit, afterN });
    return page(
      rows,
      limit,
      (row): z.input<typeof setSchema> => ({
        n: row.n,
        run: row.run,
        runState: row.runState ?? null,
        displayName: row.displayName ?? null,
        parameters: Object.fromEntries(
          Object.entries(row.parameters).map(([name, value]) => [name, plainValue(value)]),
        ),
        value: row.value ?? null,
        state: row.state,
        origin: row.origin,
        createdAt: timeOf(row.createdAt),
      }),
      (row) => row.n,
    );
  },
});

/** Each may be repeated. */
const into = (
  verb: 'pause' | 'resume' | 'stop' | 'cancel',
  state: SweepState,
  texts: { operationId: string; summary: string; description: string },
) =>
  defineRoute({
    method: 'post',
    path: `/entities/{entity}/projects/{project}/sweeps/{sweep}/${verb}`,
    ...texts,
    tag: 'sweeps',
    auth: 'user',
    params: sweepParams,
    response: detailSchema,
    handler: async ({ actor, params, deps }) => {
      const sweep = await requireSweep(deps.db, actor, params, 'member');
      await changeSweep(deps.db, sweep, { state }, actor.name);
      return detailOf(deps, await requireSweep(deps.db, actor, params, 'viewer'));
    },
  });

const pause = into('pause', 'PAUSED', {
  operationId: 'pauseSweep',
  summary: 'Give no new parameter sets',
  description: 'Runs go on, and agents stay and wait.',
});
const resume = into('resume', 'RUNNING', {
  operationId: 'resumeSweep',
  summary: 'Give parameter sets again',
  description:
    'Also for a sweep that is over: it looks again whether anything is left to try. Agents that have left must be started again.',
});
const stop = into('stop', 'FINISHED', {
  operationId: 'stopSweep',
  summary: 'End the search',
  description: 'Runs go on to their end; agents leave when they have none.',
});
const cancel = into('cancel', 'CANCELED', {
  operationId: 'cancelSweep',
  summary: 'End the search and its runs',
  description: 'Runs are told to stop; agents leave.',
});

export const sweepRoutes = [list, show, runs, pause, resume, stop, cancel];
