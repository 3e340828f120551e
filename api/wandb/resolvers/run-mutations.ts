import { randomBytes } from 'node:crypto';
import { DavitError } from '../../../domain/errors.js';
import { isJsonObject, parseExtendedJson, type Json } from '../../../domain/extended-json.js';
import { newRunId } from '../../../domain/ids.js';
import { projectNameProblem, runNameProblem } from '../../../domain/run-name.js';
import { runStates, type RunState } from '../../../domain/words.js';
import { audit } from '../../../store/audit.js';
import { deleteRun, requestRunStop } from '../../../store/run-life.js';
import { upsertRun, type RunFields } from '../../../store/run-upsert.js';
import { runByName } from '../../../store/runs.js';
import { storable } from '../../../store/text.js';
import {
  requireOwnLaunch,
  requireWriter,
  visibleProject,
  writableProject,
  type Context,
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
  Mutation: { upsertBucket, stopRun, deleteRun: removeRun, notifyScriptableRunAlert },
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
  refuseFork(input.config);
  const { actor } = context;
  const { run, inserted } = await upsertRun(context.db, {
    projectId: scope.id,
    name,
    fields,
    ...(actor.userId === undefined ? {} : { userId: actor.userId }),
    ...(actor.launchId === undefined ? {} : { launchId: actor.launchId }),
  });
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

/** A fork counts its steps on from the parent's: starting it at 0 without the parent's history would be a quiet lie. */
function refuseFork(config: string | null | undefined): void {
  if (!config?.includes('"branch_point"')) return;
  const entry = parseExtendedJson(config);
  const own = isJsonObject(entry) && isJsonObject(entry['_wandb']) ? entry['_wandb']['value'] : undefined;
  if (isJsonObject(own) && isJsonObject(own['branch_point']))
    throw new DavitError('invalid-request', 'fork_from and resume_from: this Davit does not know them yet.');
}

async function stopRun(_: unknown, { input }: { input: { id: string } }, context: Context) {
  const run = await runOfId(context, input.id, 'Stopping a run');
  refuseOthers(context, run);
  const success = await requestRunStop(context.db, run.id);
  await audit(context.db, { actor: context.actor.name, action: 'run.stop', subject: subjectOf(run) });
  return { success };
}

async function removeRun(_: unknown, { input }: { input: { id: string } }, context: Context) {
  const run = await runOfId(context, input.id, 'Deleting a run');
  refuseOthers(context, run);
  const success = await deleteRun(context.db, run.id);
  await audit(context.db, { actor: context.actor.name, action: 'run.delete', subject: subjectOf(run) });
  return { success };
}

/** Ending and removing is for people, and for a job with its own run. */
function refuseOthers({ actor }: Context, run: RunParent): void {
  if (actor.kind === 'run' && run.launch_id !== actor.launchId)
    throw new DavitError('forbidden', `The run "${run.name}" is not that of this key's launch.`);
}

/** Nobody is told yet; the audit trail keeps it, which is more than a failure that the client only logs. */
async function notifyScriptableRunAlert(
  _: unknown,
  {
    input,
  }: {
    input: {
      entityName: string;
      projectName: string;
      runName: string;
      title: string;
      text: string;
      severity?: string | null;
    };
  },
  context: Context,
) {
  const run = await runToWrite(context, input.entityName, input.projectName, input.runName, 'Sending an alert');
  await audit(context.db, {
    actor: context.actor.name,
    action: 'run.alert',
    subject: subjectOf(run),
    data: { title: clean(input.title), text: clean(input.text), severity: input.severity ?? 'INFO' },
  });
  return { success: true };
}

/** jsonb holds no NUL and no half pair, not even escaped. */
const clean = (text: string): string => storable(text.slice(0, 10_000));

const subjectOf = (run: RunParent): string => `run/${run.entity_name}/${run.project_name}/${run.name}`;

/** The run of a global id, when this key may change it. */
async function runOfId(context: Context, id: string, what: string): Promise<RunParent> {
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
