import { readObjectOf } from '../sweep-input.js';
import { isRunOpen } from '../../../domain/words.js';
import { sweepStates } from '../../../domain/sweeps/state.js';
import { listSweepAgents, type SweepAgentRow } from '../../../store/sweep-agents.js';
import { bestOfSweeps } from '../../../store/sweep-metrics.js';
import { expectedRuns } from '../../../store/sweep-next.js';
import { runsOfAgent, runsOfSweep } from '../../../store/sweep-runs.js';
import {
  configOf,
  countRunsOfSweeps,
  countSweeps,
  listSweeps,
  sweepByName,
  type SweepRow,
} from '../../../store/sweeps.js';
import { DavitError } from '../../../domain/errors.js';
import { runCursor, type RunRow } from '../../../store/runs.js';
import type { Context, ProjectScope, RunParent } from '../context.js';
import { parseSweepAgentGlobalId, sweepAgentGlobalId, sweepGlobalId } from '../ids.js';

/** A sweep, where it was found, and what is asked of all sweeps of its page at once. */
export type SweepParent = SweepRow & {
  scope: ProjectScope;
  /** Nobody lists the runs of many sweeps at once. */
  alone: boolean;
  counts(): Promise<Map<string, number>>;
  best(): Promise<Map<string, { run: string; value: number }>>;
};
type AgentParent = SweepAgentRow & { sweep: SweepParent };

const longestPage = 1_000;
/** The client asks for all runs of a sweep at once when it lists them with the sweep. */
const mostRuns = 10_000;

export const sweepResolvers = {
  Project: {
    sweep: async (p: ProjectScope, args: { sweepName?: string | null }, context: Context) => {
      const row = args.sweepName ? await sweepByName(context.db, p.id, args.sweepName) : undefined;
      return row ? sweepParents(context, p, [row])[0] : null;
    },
    sweeps,
    totalSweeps: (p: ProjectScope, _: unknown, { db }: Context) => countSweeps(db, p.id),
  },
  Run: {
    sweep: async (run: RunParent, _: unknown, context: Context) => {
      const row = run.sweep_name ? await sweepByName(context.db, run.project_id, run.sweep_name) : undefined;
      return row ? sweepParents(context, run.scope, [row])[0] : null;
    },
    exitcode: (run: RunParent) => run.exit_code,
    running: (run: RunParent) => isRunOpen(run.state),
    failed: (run: RunParent) => run.state === 'failed' || run.state === 'crashed',
  },
  Sweep: {
    id: (s: SweepParent) => sweepGlobalId(s),
    displayName: (s: SweepParent) => s.display_name || null,
    description: (s: SweepParent) => s.description || null,
    createdAt: (s: SweepParent) => s.created_at,
    updatedAt: (s: SweepParent) => s.updated_at,
    heartbeatAt: (s: SweepParent) => s.heartbeat_at,
    earlyStopJobRunning: () => false,
    bestLoss: async (s: SweepParent) => (await s.best()).get(s.name)?.value ?? null,
    controllerRunName: (s: SweepParent) => (configOf(s)?.chooser === 'scheduler' ? `${s.name}-scheduler` : null),
    runCount: async (s: SweepParent) => (await s.counts()).get(s.name) ?? 0,
    runCountExpected: (s: SweepParent) => {
      const config = configOf(s);
      const expected = config && expectedRuns(config);
      // An Int of GraphQL ends at 2^31.
      return expected !== undefined && expected < 2 ** 31 ? expected : null;
    },
    user: () => null,
    project: (s: SweepParent) => s.scope,
    priorRunsFilters: () => null,
    runs,
    agent: async (s: SweepParent, { agentName }: { agentName: string }, { db }: Context) => {
      const id = parseSweepAgentGlobalId(agentName);
      const by = id === undefined ? { name: agentName } : { id };
      const [row] = await listSweepAgents(db, s.id, { limit: 1, ...by });
      return row ? ({ ...row, sweep: s } satisfies AgentParent) : null;
    },
    agents: async (s: SweepParent, args: { first?: number | null; after?: string | null }, { db }: Context) => {
      const limit = pageSize(args.first, longestPage);
      const rows = await listSweepAgents(db, s.id, { limit, ...(args.after ? { afterId: idIn(args.after) } : {}) });
      return connection(
        rows,
        limit,
        (row) => ({ ...row, sweep: s }) satisfies AgentParent,
        (row) => cursorOf(row.id),
      );
    },
  },
  Agent: {
    id: (a: AgentParent) => sweepAgentGlobalId(a.id),
    state: (a: AgentParent) => (a.exited ? 'FINISHED' : a.alive ? 'RUNNING' : 'CRASHED'),
    totalRuns: (a: AgentParent) => a.total_runs ?? 0,
    createdAt: (a: AgentParent) => a.created_at,
    heartbeatAt: (a: AgentParent) => a.heartbeat_at,
    runs: async (a: AgentParent, args: PageArgs, { db }: Context) => {
      const limit = pageSize(args.first, 50);
      const rows = await runsOfAgent(db, a, a.sweep.project_id, runPage(args, limit));
      return runConnection(rows, limit, a.sweep.scope);
    },
  },
};

interface PageArgs {
  first?: number | null;
  after?: string | null;
  order?: string | null;
}

/** Rows that share what is counted for all of them together. */
export function sweepParents(context: Context, scope: ProjectScope, rows: readonly SweepRow[]): SweepParent[] {
  let counted: Promise<Map<string, number>> | undefined;
  let judged: ReturnType<SweepParent['best']> | undefined;
  const counts = () =>
    (counted ??= countRunsOfSweeps(
      context.db,
      scope.id,
      rows.map((row) => row.name),
    ));
  const best = () =>
    (judged ??= bestOfSweeps(
      context.db,
      scope.id,
      rows.map((row) => ({ name: row.name, metric: configOf(row)?.metric })),
    ));
  return rows.map((row) => ({ ...row, scope, counts, best, alone: rows.length === 1 }));
}

async function sweeps(
  p: ProjectScope,
  args: { after?: string | null; first?: number | null; filters?: string | null },
  context: Context,
) {
  const limit = pageSize(args.first, 50);
  const rows = await listSweeps(context.db, p.id, {
    limit,
    ...sweepFilter(args.filters),
    ...(args.after ? { afterId: idIn(args.after) } : {}),
  });
  const parents = sweepParents(context, p, rows);
  return {
    ...connection(
      parents,
      limit,
      (s) => s,
      (s) => cursorOf(s.id),
    ),
    totalCount: () => countSweeps(context.db, p.id),
  };
}

/** By name and state; what else runs are filtered by has no meaning for a sweep. */
function sweepFilter(text: string | null | undefined) {
  const { name, state, ...others } = readObjectOf(text, 'filters');
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw new DavitError('invalid-request', `Sweeps can be filtered by name and state, not by "${unknown}".`);
  if (name !== undefined && typeof name !== 'string') throw new DavitError('invalid-request', '"name" must be a text.');
  const known =
    state === undefined ? undefined : sweepStates.find((s) => typeof state === 'string' && s === state.toUpperCase());
  if (state !== undefined && !known)
    throw new DavitError('invalid-request', `"state" must be one of ${sweepStates.join(', ')}.`);
  return { ...(name === undefined ? {} : { name }), ...(known ? { state: known } : {}) };
}

async function runs(s: SweepParent, args: PageArgs, { db }: Context) {
  const limit = pageSize(args.first, s.alone ? mostRuns : 50);
  return runConnection(await runsOfSweep(db, s, runPage(args, limit)), limit, s.scope);
}

const runPage = (args: PageArgs, limit: number) => ({
  limit,
  descending: args.order?.startsWith('-') ?? false,
  ...(args.after ? { afterId: idIn(args.after) } : {}),
});

const runConnection = (rows: RunRow[], limit: number, scope: ProjectScope) => ({
  ...connection(rows, limit, (row) => ({ ...row, scope }) satisfies RunParent, runCursor),
  totalCount: rows.length,
});

function connection<T, N>(rows: readonly T[], limit: number, node: (row: T) => N, cursor: (row: T) => string) {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    edges: shown.map((row) => ({ node: node(row), cursor: cursor(row) })),
    pageInfo: { endCursor: last === undefined ? null : cursor(last), hasNextPage: rows.length > limit },
  };
}

const pageSize = (first: number | null | undefined, byDefault: number): number =>
  first === null || first === undefined ? byDefault : Math.min(Math.max(first, 1), longestPage);
const cursorOf = (id: number): string => Buffer.from(`sweep ${id}`).toString('base64url');

function idIn(cursor: string): number {
  const match = /^(?:sweep|run) (\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (!match?.[1]) throw new DavitError('invalid-request', 'This cursor is not one of ours.');
  return Number(match[1]);
}
