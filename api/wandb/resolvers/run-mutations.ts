import { randomBytes } from 'node:crypto';
import { DavitError } from '../../../domain/errors.js';
import { isJsonObject, parseExtendedJson, type Json } from '../../../domain/extended-json.js';
import { newRunId } from '../../../domain/ids.js';
import { projectNameProblem, runNameProblem } from '../../../domain/run-name.js';
import { runStates, type RunState } from '../../../domain/words.js';
import { upsertRun, type RunFields } from '../../../store/run-upsert.js';
import { runByName } from '../../../store/runs.js';
import { runNamesSweep } from '../../../store/sweep-changes.js';
import { authorOf } from '../author.js';
import {
  requireOwnLaunch,
  requireWriter,
  visibleProject,
  writableProject,
  type Context,
  type ProjectScope,
  type RunParent,
} from '../context.js';
import { parseRunGlobalId } from '../ids.js';

/** As the client sends it: what is null or absent stays as it is. */
interface UpsertBucketInput {
  id?: string | null;
  name?: string | null;
  modelName?: string | null;
  entityName?: string | null;
  groupName?: string | null;
  description?: string | null;
  displayName?: string | null;
  notes?: string | null;
  commit?: string | null;
  config?: string | null;
  host?: string | null;
  jobProgram?: string | null;
  jobRepo?: string | null;
  jobType?: string | null;
  state?: string | null;
  sweep?: string | null;
  tags?: string[] | null;
  summaryMetrics?: string | null;
}

/** What the client itself uses when nobody chose one. */
const defaultProject = 'uncategorized';

export const runMutations = {
  Mutation: { upsertBucket },
  // Clients up to 0.25 read the messages of the server out of every answer.
  UpsertBucketPayload: { serverSettings: () => ({ serverMessages: [] }) },
};

async function upsertBucket(_: unknown, { input }: { input: UpsertBucketInput }, context: Context) {
  const fields = fieldsOf(input);
  if (input.id && !input.name) {
    const run = await runOfId(context, input.id, 'Changing a run');
    const done = await upsertRun(context.db, { projectId: run.project_id, name: run.name, fields });
    return { bucket: { ...done.run, scope: run.scope } satisfies RunParent, inserted: false };
  }
  const name = input.name ?? newRunId(randomBytes);
  const projectName = input.modelName || defaultProject;
  const problem = runNameProblem(name) ?? projectNameProblem(projectName);
  if (problem) throw new DavitError('invalid-request', problem);
  const { created: _created, ...scope } = await writableProject(context, input.entityName, projectName);
  const { actor, request } = context;
  const userId = await authorOf(context, scope);
  const branch = branchOf(input.config);
  // Only the first request of a process says where it runs. One that resumes knows the id of its run, which it has asked for.
  const begins = typeof input.host === 'string';
  const resumed = Boolean(input.id) || branch?.runName === name;
  const fork = begins && branch && !resumed ? await parentOf(context, scope, branch) : undefined;
  const { run, inserted } = await upsertRun(context.db, {
    projectId: scope.id,
    name,
    fields,
    ...(begins ? { start: { resumed, ageMs: request.ageMs, isAbandoned: request.isAbandoned } } : {}),
    ...(request.writer === undefined ? {} : { writer: request.writer }),
    ...(fork === undefined ? {} : { fork }),
    ...(userId === undefined ? {} : { userId }),
    ...(actor.launchId === undefined ? {} : { launchId: actor.launchId }),
  });
  if (input.sweep) await runNamesSweep(context.db, scope.id, input.sweep, run);
  return { bucket: { ...run, scope } satisfies RunParent, inserted };
}

function fieldsOf(input: UpsertBucketInput): RunFields {
  const given = <K extends keyof RunFields>(
    key: K,
    value: RunFields[K] | null | undefined,
  ): Pick<RunFields, K> | object => (value === null || value === undefined ? {} : { [key]: value });
  return {
    ...given('displayName', input.displayName),
    ...given('description', input.description),
    ...given('notes', input.notes),
    ...given('config', objectText(input.config, 'config')),
    ...given('summary', objectText(input.summaryMetrics, 'summaryMetrics')),
    ...given('commit', input.commit),
    ...given('host', input.host),
    ...given('program', input.jobProgram),
    ...given('repo', input.jobRepo),
    ...given('jobType', input.jobType),
    ...given('group', input.groupName),
    ...given('sweepName', input.sweep),
    ...given('tags', input.tags),
    ...given('state', stateOf(input.state)),
  };
}

/** The text itself is stored; that it is an object is what everybody relies on who reads it. */
function objectText(text: string | null | undefined, name: string): string | undefined {
  if (text === null || text === undefined) return undefined;
  let value: Json;
  try {
    value = parseExtendedJson(text);
  } catch {
    throw new DavitError('invalid-request', `"${name}" is not valid JSON.`);
  }
  if (!isJsonObject(value)) throw new DavitError('invalid-request', `"${name}" must be a JSON object.`);
  return text;
}

function stateOf(text: string | null | undefined): RunState | undefined {
  if (!text) return undefined;
  const state = runStates.find((s) => s === text);
  if (!state) throw new DavitError('invalid-request', `"${text}" is not a state of runs.`);
  return state;
}

/** Where a fork or a rewound run goes on from. */
function branchOf(config: string | null | undefined): { runName: string; step: number } | undefined {
  if (!config?.includes('"branch_point"')) return undefined;
  const entry = parseExtendedJson(config);
  const own = isJsonObject(entry) && isJsonObject(entry['_wandb']) ? entry['_wandb']['value'] : undefined;
  const point = isJsonObject(own) ? own['branch_point'] : undefined;
  if (!isJsonObject(point) || typeof point['run_id'] !== 'string' || typeof point['step'] !== 'number')
    return undefined;
  return { runName: point['run_id'], step: point['step'] };
}

async function parentOf(context: Context, scope: ProjectScope, branch: { runName: string; step: number }) {
  const parent = await runByName(context.db, scope.id, branch.runName);
  if (!parent)
    throw new DavitError(
      'not-found',
      `There is no run "${scope.entityName}/${scope.name}/${branch.runName}" to fork from.`,
    );
  return { id: parent.id, step: branch.step };
}

/** The run of a global id, when this key may change it. */
export async function runOfId(context: Context, id: string, what: string): Promise<RunParent> {
  const path = parseRunGlobalId(id);
  if (!path) throw new DavitError('invalid-request', `"${id.slice(0, 200)}" is not the id of a run.`);
  return runToWrite(context, path.entity, path.project, path.name, what);
}

export async function runToWrite(
  context: Context,
  entity: string,
  project: string,
  name: string,
  what: string,
): Promise<RunParent> {
  const scope = await visibleProject(context, entity, project);
  const row = scope && (await runByName(context.db, scope.id, name));
  if (!row) throw new DavitError('not-found', `There is no run "${entity}/${project}/${name}" that this key may see.`);
  requireWriter(scope.role, what);
  requireOwnLaunch(context, row);
  return { ...row, scope };
}
