import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { sweepStates } from '../../domain/sweeps/state.js';
import { runStates, type Role } from '../../domain/words.js';
import type { Store } from '../../store/open.js';
import { bestOfSweeps } from '../../store/sweep-metrics.js';
import { expectedRuns } from '../../store/sweep-next.js';
import { aliveAgentsOfSweeps, runStatesOfSweeps } from '../../store/sweep-overview.js';
import { configOf, sweepByName, type SweepRow } from '../../store/sweeps.js';
import type { Actor } from '../auth/authenticate.js';
import { projectParams, requireProject } from './projects.js';
import { maybeTime, timeOf, timeSchema } from './schemas.js';

/** Sweeps as documents. */

export const sweepParams = projectParams.extend({ sweep: z.string().min(1).max(128) });

const metricSchema = z.object({
  name: z.string(),
  goal: z.enum(['minimize', 'maximize']),
  target: z.number().nullable().describe('A run that reaches it ends the search.'),
});

export const sweepSchema = z
  .object({
    entity: z.string(),
    project: z.string(),
    name: z.string().describe('Its id in the project.'),
    displayName: z.string(),
    description: z.string(),
    state: z.enum(sweepStates),
    method: z.string(),
    chooser: z
      .enum(['server', 'controller', 'scheduler'])
      .nullable()
      .describe(
        'Who chooses the sets: this server, or a process of its author. Null: its config cannot be read any more.',
      ),
    metric: metricSchema.nullable(),
    best: z
      .object({ run: z.string(), value: z.number() })
      .nullable()
      .describe('The run whose summary has the best value of the metric.'),
    runs: z.object({
      total: z.int(),
      byState: z.partialRecord(z.enum(runStates), z.int()).describe('States without a run are left out.'),
      cap: z.int().nullable().describe('run_cap of its config.'),
      expected: z.int().nullable().describe('How many there will be, where that is known.'),
    }),
    earlyTerminate: z
      .object({
        type: z.literal('hyperband'),
        bands: z.array(z.number()).describe('Numbers of logged values at which runs are compared; the first 20.'),
        eta: z.number(),
        strict: z.boolean(),
      })
      .nullable(),
    agentsAlive: z.int().describe('Agents that were heard of within 90 s and have not left.'),
    createdAt: timeSchema,
    updatedAt: timeSchema,
    heartbeatAt: timeSchema.nullable().describe('When an agent was last heard of.'),
  })
  .meta({ id: 'Sweep' });

export type SweepDocument = z.input<typeof sweepSchema>;

/** What is asked of many sweeps is asked once for all of them. */
export async function sweepDocuments(
  db: Store,
  projectId: number,
  rows: readonly SweepRow[],
): Promise<SweepDocument[]> {
  const names = rows.map((row) => row.name);
  const [states, best, alive] = await Promise.all([
    runStatesOfSweeps(db, projectId, names),
    bestOfSweeps(
      db,
      projectId,
      rows.map((row) => ({ name: row.name, metric: configOf(row)?.metric })),
    ),
    aliveAgentsOfSweeps(
      db,
      rows.map((row) => row.id),
    ),
  ]);
  return rows.map((row) => {
    const config = configOf(row);
    const byState = states.get(row.name) ?? {};
    const { metric, earlyTerminate } = config ?? {};
    return {
      entity: row.entity_name,
      project: row.project_name,
      name: row.name,
      displayName: row.display_name,
      description: row.description,
      state: row.state,
      method: row.method,
      chooser: config?.chooser ?? null,
      metric: metric ? { name: metric.name, goal: metric.goal, target: metric.target ?? null } : null,
      best: best.get(row.name) ?? null,
      runs: {
        total: Object.values(byState).reduce((sum, n) => sum + n, 0),
        byState,
        cap: config?.runCap ?? null,
        expected: (config && safeInt(expectedRuns(config))) ?? null,
      },
      earlyTerminate: earlyTerminate
        ? {
            type: 'hyperband',
            bands: earlyTerminate.bands.slice(0, shownBands),
            eta: earlyTerminate.eta,
            strict: earlyTerminate.strict,
          }
        : null,
      agentsAlive: alive.get(row.id) ?? 0,
      createdAt: timeOf(row.created_at),
      updatedAt: timeOf(row.updated_at),
      heartbeatAt: maybeTime(row.heartbeat_at),
    };
  });
}

const shownBands = 20;
/** A grid may have more combinations than numbers are exact for. */
const safeInt = (n: number | undefined): number | undefined => (Number.isSafeInteger(n) ? n : undefined);

/** The sweep, if the actor has the role in its entity. */
export async function requireSweep(
  db: Store,
  actor: Actor,
  params: z.infer<typeof sweepParams>,
  role: Role,
): Promise<SweepRow> {
  const project = await requireProject(db, actor, params, role);
  const sweep = await sweepByName(db, project.id, params.sweep);
  if (!sweep)
    throw new DavitError('not-found', `There is no sweep "${params.entity}/${params.project}/${params.sweep}".`);
  return sweep;
}
