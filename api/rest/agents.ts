import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { launchStateSchema, type LaunchState } from '../../domain/words.js';
import { agentByName, dutiesOfAgents, listAgents } from '../../store/agents.js';
import { requireEntity } from '../auth/authorize.js';
import { visibleEntityIds } from '../auth/visible.js';
import { defineRoute } from './route.js';
import { defaultLimit, page, pageOf, pageQuery, pairCursor, readCursor, timeOf, timeSchema } from './schemas.js';

const agentSchema = z
  .object({
    entity: z.string(),
    name: z.string(),
    id: z.string(),
    status: z.enum(['active', 'draining', 'stopped']),
    host: z.string(),
    pid: z.int(),
    version: z.string(),
    maxJobs: z.int().describe('Its slots.'),
    queues: z.array(z.string()).describe('entity/queue'),
    targets: z.record(z.string(), z.object({ place: z.string(), ok: z.boolean(), details: z.array(z.string()) })),
    launches: z.array(z.object({ id: z.string(), state: launchStateSchema })).describe('What it holds now.'),
    startedAt: timeSchema,
    heartbeatAt: timeSchema,
    heartbeatAgeMs: z.int(),
  })
  .meta({ id: 'Agent' });

type AgentRow = Awaited<ReturnType<typeof listAgents>>[number];
type Duties = { queues: string[]; launches: { id: string; state: string }[] };

const toAgent = (row: AgentRow, duties: Duties | undefined, nowMs: number): z.input<typeof agentSchema> => ({
  entity: row.entity,
  name: row.name,
  id: row.id,
  status: row.status,
  host: row.host,
  pid: row.pid,
  version: row.version,
  maxJobs: row.max_jobs,
  queues: duties?.queues ?? [],
  targets: row.targets,
  launches: (duties?.launches ?? []).map(({ id, state }) => ({ id, state: state as LaunchState })),
  startedAt: timeOf(row.started_at),
  heartbeatAt: timeOf(row.heartbeat_at),
  // The database's clock wrote it; a little difference to ours must not look like a heartbeat from the future.
  heartbeatAgeMs: Math.max(0, nowMs - row.heartbeat_at.getTime()),
});

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
    const duties = await dutiesOfAgents(
      deps.db,
      rows.map((row) => row.id),
    );
    const nowMs = Date.now();
    return page(
      rows,
      limit,
      (row) => toAgent(row, duties.get(row.id), nowMs),
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
  params: z.strictObject({ entity: nameSchema, agent: nameSchema }),
  response: agentSchema,
  handler: async ({ actor, params, deps }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'viewer');
    const row = await agentByName(deps.db, entity.id, params.agent);
    if (!row) throw new DavitError('not-found', `There is no agent "${params.entity}/${params.agent}".`);
    return toAgent(row, (await dutiesOfAgents(deps.db, [row.id])).get(row.id), Date.now());
  },
});

export const agentRoutes = [list, show];
