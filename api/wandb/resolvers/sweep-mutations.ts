import { DavitError } from '../../../domain/errors.js';
import { readSweepConfig } from '../../../domain/sweeps/config.js';
import { readYaml } from '../../../domain/sweeps/read-yaml.js';
import { sweepStates, type SweepState } from '../../../domain/sweeps/state.js';
import { createSweepAgent, listSweepAgents, sweepOfAgent } from '../../../store/sweep-agents.js';
import { changeSweep, createSweep, enqueueSweepRun } from '../../../store/sweep-changes.js';
import { judgeRuns } from '../../../store/sweep-early-stop.js';
import { agentHeartbeat, aliveRuns } from '../../../store/sweep-heartbeat.js';
import { sweepById, sweepByName, type SweepFields, type SweepRow } from '../../../store/sweeps.js';
import {
  keyReachesProject,
  requireWriter,
  visibleProject,
  writableProject,
  type Context,
  type ProjectScope,
} from '../context.js';
import { GoneError } from '../gone.js';
import { parseSweepAgentGlobalId, parseSweepGlobalId } from '../ids.js';
import { readArgs, readObjectOf, readPriorRuns } from '../sweep-input.js';
import { sweepParents } from './sweeps.js';

interface UpsertSweepInput {
  id?: string | null;
  config?: string | null;
  description?: string | null;
  entityName?: string | null;
  projectName?: string | null;
  controller?: string | null;
  scheduler?: string | null;
  launchScheduler?: string | null;
  state?: string | null;
  priorRunsFilters?: string | null;
  displayName?: string | null;
}

const longestConfig = 2_000_000;

export const sweepMutations = {
  Mutation: { upsertSweep, createAgent, agentHeartbeat: heartbeat, enqueueSweepRun: enqueue },
};

async function upsertSweep(_: unknown, { input }: { input: UpsertSweepInput }, context: Context) {
  if (input.launchScheduler && input.launchScheduler !== 'null')
    throw new DavitError(
      'invalid-request',
      'Sweeps on queues (wandb launch-sweep) are not there yet: create the sweep with wandb sweep and start agents with wandb agent.',
    );
  const read = input.config ? checkedConfig(input.config) : undefined;
  const fields = fieldsOf(input, read);
  if (input.id) {
    const { sweep, scope } = await sweepToWrite(context, input.id, 'Changing a sweep');
    await changeSweep(context.db, sweep, fields, context.actor.name);
    return {
      ...(await payload(context, scope, sweep.id)),
      configValidationWarnings: read?.warnings ?? [],
      inserted: false,
    };
  }
  if (!input.config || !read) throw new DavitError('invalid-request', 'A new sweep needs a "config".');
  const { created: _created, ...scope } = await writableProject(
    context,
    input.entityName,
    input.projectName || 'uncategorized',
  );
  const { actor } = context;
  const { state: _state, ...given } = fields;
  const id = await createSweep(context.db, {
    project: scope,
    actor: actor.name,
    config: input.config,
    fields: given,
    priorRuns: readPriorRuns(input.priorRunsFilters),
    ...(actor.userId === undefined ? {} : { userId: actor.userId }),
  });
  return { ...(await payload(context, scope, id)), configValidationWarnings: read.warnings, inserted: true };
}

function checkedConfig(text: string) {
  if (text.length > longestConfig)
    throw new DavitError('invalid-request', `The config of a sweep may have ${longestConfig} characters at most.`);
  const read = readSweepConfig(text);
  if (!('errors' in read)) return read;
  const more = read.errors.length > 10 ? ` And ${read.errors.length - 10} more.` : '';
  throw new DavitError(
    'invalid-request',
    `The sweep's config has a mistake. ${read.errors.slice(0, 10).join(' ')}${more}`,
  );
}

function fieldsOf(input: UpsertSweepInput, read: ReturnType<typeof checkedConfig> | undefined): SweepFields {
  const description = input.description ?? read?.config.description;
  return {
    ...(input.config && read ? { config: input.config, method: read.config.method } : {}),
    ...(input.displayName ? { displayName: input.displayName } : {}),
    ...(description ? { description } : {}),
    ...(input.controller ? { controller: jsonText(input.controller, 'controller') } : {}),
    ...(input.scheduler ? { scheduler: jsonText(input.scheduler, 'scheduler') } : {}),
    ...(input.state ? { state: stateOf(input.state) } : {}),
  };
}

function jsonText(text: string, what: string): string {
  readObjectOf(text, what);
  return text;
}

function stateOf(text: string): SweepState {
  const state = sweepStates.find((s) => s === text.toUpperCase());
  if (!state)
    throw new DavitError(
      'invalid-request',
      `"${text.slice(0, 100)}" is not a state of sweeps; use ${sweepStates.join(', ')}.`,
    );
  return state;
}

async function createAgent(
  _: unknown,
  { input }: { input: { host: string; entityName?: string | null; projectName?: string | null; sweep: string } },
  context: Context,
) {
  const scope = await visibleProject(context, input.entityName, input.projectName);
  const sweep = scope && (await sweepByName(context.db, scope.id, input.sweep));
  if (!sweep) throw notFound(input.sweep.slice(0, 200));
  requireWriter(scope.role, 'Running a sweep');
  const id = await createSweepAgent(context.db, { sweepId: sweep.id, host: input.host, actor: context.actor.name });
  return { agent: await agentOf(context, scope, sweep, id) };
}

async function heartbeat(_: unknown, { input }: { input: { id: string; runState?: string | null } }, context: Context) {
  const { sweep, scope, agentId } = await sweepOfAgentToWrite(context, input.id);
  const alive = aliveRuns(readState(input.runState));
  if (alive.length > 1_000) throw new DavitError('invalid-request', 'An agent has 1000 runs at most.');
  await judgeRuns(context.db, agentId);
  const commands = await agentHeartbeat(context.db, { agentId, alive });
  if (commands === undefined) throw new GoneError('The sweep was deleted.');
  return { agent: await agentOf(context, scope, sweep, agentId), commands };
}

function readState(text: string | null | undefined) {
  readObjectOf(text, 'runState');
  return text ? readYaml(text) : {};
}

async function sweepOfAgentToWrite(context: Context, id: string) {
  const agentId = parseSweepAgentGlobalId(id);
  const agent = agentId === undefined ? undefined : await sweepOfAgent(context.db, agentId);
  const sweep = agent && (await sweepById(context.db, agent.sweep_id));
  const scope = sweep && (await visibleProject(context, sweep.entity_name, sweep.project_name));
  if (!agent || !sweep || !scope)
    throw new GoneError('There is no such agent of a sweep (any more) that this key may see.');
  requireWriter(scope.role, 'Running a sweep');
  return { sweep, scope, agentId: agent.id };
}

async function enqueue(
  _: unknown,
  { input }: { input: { id: string; config: string; displayName?: string | null } },
  context: Context,
) {
  const { sweep } = await sweepToWrite(context, input.id, 'Adding a run to a sweep');
  const { actor } = context;
  const id = await enqueueSweepRun(context.db, sweep, {
    args: readArgs(input.config),
    actor: actor.name,
    ...(input.displayName ? { displayName: input.displayName } : {}),
    ...(actor.userId === undefined ? {} : { userId: actor.userId }),
  });
  return { id, runQueueItemId: null };
}

async function payload(context: Context, scope: ProjectScope, id: number) {
  const row = await sweepById(context.db, id);
  return { sweep: row ? sweepParents(context, scope, [row])[0] : undefined };
}

async function agentOf(context: Context, scope: ProjectScope, sweep: SweepRow, id: number) {
  const [row] = await listSweepAgents(context.db, sweep.id, { limit: 1, id });
  return row ? { ...row, sweep: sweepParents(context, scope, [sweep])[0] } : null;
}

/** The sweep of a global id, when this key may change it. */
async function sweepToWrite(
  context: Context,
  id: string,
  what: string,
): Promise<{ sweep: SweepRow; scope: ProjectScope }> {
  const path = parseSweepGlobalId(id);
  const scope = path && (await visibleProject(context, path.entity, path.project));
  const sweep = scope && (await sweepByName(context.db, scope.id, path.name));
  if (!sweep || !(await keyReachesProject(context, scope.id))) throw notFound(path?.name ?? id.slice(0, 200));
  requireWriter(scope.role, what);
  return { sweep, scope };
}

const notFound = (name: string) => new DavitError('not-found', `There is no sweep "${name}" that this key may see.`);
