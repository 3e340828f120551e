import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { launchStateSchema, type LaunchState, type Role } from '../../domain/words.js';
import { agentTtlMs } from '../../store/agent-registry.js';
import {
  agentByName,
  deleteAgent,
  dutiesOfAgents,
  listAgents,
  queueNames,
  queuesOfAgent,
  releaseAgent,
  wantAgent,
  type Duties,
} from '../../store/agents.js';
import type { Store } from '../../store/open.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity } from '../auth/authorize.js';
import { visibleEntityIds } from '../auth/visible.js';
import { defineRoute } from './route.js';
import {
  defaultLimit,
  maybeTime,
  page,
  pageOf,
  pageQuery,
  pairCursor,
  readCursor,
  timeOf,
  timeSchema,
} from './schemas.js';

const agentSchema = z
  .object({
    entity: z.string(),
    name: z.string(),
    id: z.string(),
    status: z
      .enum(['active', 'draining', 'stopped', 'lost'])
      .describe('draining: takes nothing new; stopped: its process has ended in order; lost: it is not heard of.'),
    wanted: z.enum(['active', 'draining', 'stopped']).describe('What an operator wants; told with its next heartbeat.'),
    wantedBy: z.string().nullable(),
    host: z.string(),
    pid: z.int(),
    version: z.string(),
    maxJobs: z.int().describe('Its slots; -1: unlimited.'),
    slots: z.object({
      total: z.int().nullable().describe('Null: unlimited.'),
      used: z.int().describe('Launches that are charged to it, those of its earlier processes included.'),
    }),
    queues: z.array(z.string()).describe('entity/queue'),
    boundTo: z.array(z.string()).nullable().describe('Queues that its key is bound to; null: every one of the entity.'),
    labels: z.record(z.string(), z.string()).describe('What it has; launches may require it.'),
    targets: z
      .record(z.string(), z.object({ place: z.string(), ok: z.boolean(), details: z.array(z.string()) }))
      .describe(
        'What it can run, as its process found it at its start. place: whoever has the same can adopt its jobs.',
      ),
    launches: z
      .array(
        z.object({
          id: z.string(),
          state: launchStateSchema,
          queue: z.string().describe('entity/queue'),
          project: z.string().describe('entity/project'),
          since: timeSchema.describe('It is in this state.'),
        }),
      )
      .describe('What it holds now.'),
    quarantine: z
      .object({
        reason: z.string(),
        by: z.string(),
        since: timeSchema,
        launches: z
          .array(z.object({ launchId: z.string(), code: z.string(), message: z.string(), at: z.string() }))
          .describe('The evidence, newest first.'),
        quarantineAfter: z.int().describe('So many different launches must fail in a row; 0: never.'),
        probeAfter: timeSchema.nullable().describe('From then on it may take one launch to prove itself.'),
        probeLaunch: z.string().nullable().describe('The launch that it proves itself with now.'),
      })
      .nullable()
      .describe('Set while the agent takes nothing because launches failed on it.'),
    startedAt: timeSchema,
    heartbeatAt: timeSchema,
    heartbeatAgeMs: z.int(),
  })
  .meta({ id: 'Agent' });

type AgentRow = Awaited<ReturnType<typeof listAgents>>[number];

/** An order that the process has not obeyed yet counts: claims obey it at once. */
function statusOf(row: AgentRow): 'active' | 'draining' | 'stopped' | 'lost' {
  if (row.status === 'stopped') return 'stopped';
  if (row.age_ms > agentTtlMs) return 'lost';
  return row.wanted === 'active' ? row.status : 'draining';
}

function toAgent(row: AgentRow, duties: Duties | undefined, bound: Map<number, string>): z.input<typeof agentSchema> {
  const launches = duties?.launches ?? [];
  return {
    entity: row.entity,
    name: row.name,
    id: row.id,
    status: statusOf(row),
    wanted: row.wanted,
    wantedBy: row.wanted_by,
    host: row.host,
    pid: row.pid,
    version: row.version,
    maxJobs: row.max_jobs,
    slots: { total: row.max_jobs < 0 ? null : row.max_jobs, used: launches.length },
    queues: duties?.queues ?? [],
    boundTo: row.bound_queue_ids?.flatMap((id) => bound.get(id) ?? []) ?? null,
    labels: row.labels,
    targets: row.targets,
    launches: launches.map(({ since, state, ...launch }) => ({
      ...launch,
      state: state as LaunchState,
      since: timeOf(since),
    })),
    quarantine:
      row.quarantined_at === null
        ? null
        : {
            reason: row.quarantine?.reason ?? '',
            by: row.quarantine?.by ?? 'davit',
            since: timeOf(row.quarantined_at),
            launches: row.quarantine?.launches ?? [],
            quarantineAfter: row.quarantine_after,
            probeAfter: maybeTime(row.probe_after),
            probeLaunch: row.probe_launch,
          },
    startedAt: timeOf(row.started_at),
    heartbeatAt: timeOf(row.heartbeat_at),
    heartbeatAgeMs: Math.round(row.age_ms),
  };
}

const shown = async (db: Store, rows: readonly AgentRow[]): Promise<z.input<typeof agentSchema>[]> => {
  const duties = await dutiesOfAgents(
    db,
    rows.map((row) => row.id),
  );
  const bound = await queueNames(
    db,
    rows.flatMap((row) => row.bound_queue_ids ?? []),
  );
  return rows.map((row) => toAgent(row, duties.get(row.id), bound));
};

const agentParams = z.strictObject({ entity: nameSchema, agent: nameSchema });

async function requireAgent(
  db: Store,
  actor: Actor,
  params: z.infer<typeof agentParams>,
  role: Role,
): Promise<AgentRow> {
  const entity = await requireEntity(db, actor, params.entity, role);
  const row = await agentByName(db, entity.id, params.agent);
  if (!row) throw new DavitError('not-found', `There is no agent "${params.entity}/${params.agent}".`);
  return row;
}

async function showOne(db: Store, row: AgentRow): Promise<z.input<typeof agentSchema>> {
  const [agent] = await shown(db, [row]);
  if (!agent) throw new Error('an agent that is there is shown as none');
  return agent;
}

const list = defineRoute({
  method: 'get',
  path: '/agents',
  operationId: 'listAgents',
  summary: 'Agents that this key may see',
  tag: 'agents',
  auth: 'user',
  query: z.strictObject({ ...pageQuery, entity: nameSchema.optional() }),
  response: pageOf(agentSchema, 'AgentPage'),
  handler: async ({ actor, query, deps }) => {
    const limit = query.limit ?? defaultLimit;
    const after = readCursor(pairCursor, query.cursor);
    const rows = await listAgents(
      deps.db,
      { entityIds: await visibleEntityIds(deps.db, actor, query.entity) },
      { ...(after === undefined ? {} : { after: { entity: after[0], name: after[1] } }), limit: limit + 1 },
    );
    const items = new Map((await shown(deps.db, rows)).map((agent) => [agent.id, agent]));
    return page(
      rows,
      limit,
      (row) => items.get(row.id) ?? toAgent(row, undefined, new Map()),
      (row) => [row.entity, row.name],
    );
  },
});

const show = defineRoute({
  method: 'get',
  path: '/agents/{entity}/{agent}',
  operationId: 'getAgent',
  summary: 'One agent',
  tag: 'agents',
  auth: 'user',
  params: agentParams,
  response: agentSchema,
  handler: async ({ actor, params, deps }) => showOne(deps.db, await requireAgent(deps.db, actor, params, 'viewer')),
});

/** An order of an operator: done, audited, and shown as the agent is then. */
const order = (
  verb: 'drain' | 'stop' | 'activate' | 'release',
  summary: string,
  description: string,
  act: (db: Store, row: AgentRow, by: string) => Promise<unknown>,
) =>
  defineRoute({
    method: 'post',
    path: `/agents/{entity}/{agent}/${verb}`,
    operationId: `${verb}Agent`,
    summary,
    description,
    tag: 'agents',
    auth: 'user',
    params: agentParams,
    response: agentSchema,
    handler: async ({ actor, params, deps }) => {
      const row = await requireAgent(deps.db, actor, params, 'admin');
      await act(deps.db, row, actor.name);
      const queues = await queuesOfAgent(deps.db, row.id);
      for (const queueId of queues) deps.dispatch.nudgeQueue(queueId);
      return showOne(deps.db, await requireAgent(deps.db, actor, params, 'viewer'));
    },
  });

const drain = order(
  'drain',
  'Let an agent take nothing new',
  'It works off what it holds, and stays until it is activated or stopped, also through restarts of its process.',
  (db, row, by) => wantAgent(db, row, 'draining', by),
);
const stop = order(
  'stop',
  'End the process of an agent',
  'As a signal to end does it: running jobs go on, and are followed by the next process at the same place. The process ends with exit code 79, and its name is refused until the agent is activated.',
  (db, row, by) => wantAgent(db, row, 'stopped', by),
);
const activate = order(
  'activate',
  'Let an agent work again',
  'Ends a drain with its next heartbeat. A process that was stopped must be started again by whoever started it.',
  (db, row, by) => wantAgent(db, row, 'active', by),
);
const release = order(
  'release',
  'Let an agent out of quarantine',
  'Its failures until now are forgotten.',
  releaseAgent,
);

const remove = defineRoute({
  method: 'delete',
  path: '/agents/{entity}/{agent}',
  operationId: 'deleteAgent',
  summary: 'Forget an agent that is gone and holds nothing',
  tag: 'agents',
  auth: 'user',
  params: agentParams,
  handler: async ({ actor, params, deps }) => {
    await deleteAgent(deps.db, await requireAgent(deps.db, actor, params, 'admin'), actor.name);
  },
});

export const agentRoutes = [list, show, drain, stop, activate, release, remove];
