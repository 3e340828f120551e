import { DavitError } from '../../../domain/errors.js';
import { audit } from '../../../store/audit.js';
import { rewind } from '../../../store/run-branch.js';
import { deleteRun, deleteRunArtifacts, requestRunStop, setRunState } from '../../../store/run-life.js';
import { runByName } from '../../../store/runs.js';
import { defaultEntity, type Context, type RunParent } from '../context.js';
import { runOfId, runToWrite } from './run-mutations.js';

/** What ends a run, takes it back, or removes it. */
export const runEndMutations = {
  Mutation: { stopRun, deleteRun: removeRun, updateRunState, rewindRun },
};

async function stopRun(_: unknown, { input }: { input: { id: string } }, context: Context) {
  const run = await runOfId(context, input.id, 'Stopping a run');
  refuseOthers(context, run);
  const success = await context.db.transaction().execute(async (tx) => {
    await audit(tx, { actor: context.actor.name, action: 'run.stop', subject: runSubject(run) });
    return requestRunStop(tx, run.id);
  });
  return { success };
}

interface DeleteInput {
  id: string;
  deleteArtifacts?: boolean | null;
}

async function removeRun(_: unknown, { input }: { input: DeleteInput }, context: Context) {
  const run = await runOfId(context, input.id, 'Deleting a run');
  refuseOthers(context, run);
  // Before the run: afterwards nobody would know which they were.
  const artifacts = input.deleteArtifacts === true ? await deleteRunArtifacts(context.db, run.id) : undefined;
  const success = await context.db.transaction().execute(async (tx) => {
    await audit(tx, {
      actor: context.actor.name,
      action: 'run.delete',
      subject: runSubject(run),
      ...(artifacts === undefined ? {} : { data: { artifacts } }),
    });
    return deleteRun(tx, run.id);
  });
  return { success };
}

/** Ending and removing is for people, and for a job with its own run. */
function refuseOthers({ actor }: Context, run: RunParent): void {
  if (actor.kind === 'run' && run.launch_id !== actor.launchId)
    throw new DavitError('forbidden', `The run "${run.name}" is not that of this key's launch.`);
}

/** Somebody takes a lost run back into the line of their own launcher (`pending`), or declares it lost (`failed`). */
async function updateRunState(_: unknown, { input }: { input: { id: string; state: string } }, context: Context) {
  const run = await runOfId(context, input.id, 'Changing the state of a run');
  refuseOthers(context, run);
  const { state } = input;
  if (state !== 'pending' && state !== 'failed')
    throw new DavitError(
      'invalid-request',
      `A run can be set to "pending" or "failed", not to "${state.slice(0, 50)}".`,
    );
  if (run.sweep_name !== null)
    throw new DavitError('invalid-request', 'The state of a run of a sweep cannot be changed: its sweep decides.');
  await context.db.transaction().execute(async (tx) => {
    if (!(await setRunState(tx, run.id, state)))
      throw new DavitError('invalid-request', `A run that is ${run.state} cannot be set to "${state}".`);
    await audit(tx, {
      actor: context.actor.name,
      action: 'run.state',
      subject: runSubject(run),
      data: { state, was: run.state },
    });
  });
  return { success: true };
}

interface RewindInput {
  runName: string;
  entityName?: string | null;
  projectName?: string | null;
  metricName: string;
  metricValue: number;
}

async function rewindRun(_: unknown, { input }: { input: RewindInput }, context: Context) {
  if (input.metricName !== '_step')
    throw new DavitError(
      'invalid-request',
      `A run can be rewound by "_step" only, not by "${input.metricName.slice(0, 100)}".`,
    );
  if (!Number.isFinite(input.metricValue) || input.metricValue < 0 || input.metricValue > 2 ** 52)
    throw new DavitError('invalid-request', 'The step to rewind to must be a number from 0 on.');
  const entity = input.entityName || (await defaultEntity(context)).name;
  const run = await runToWrite(context, entity, input.projectName || 'uncategorized', input.runName, 'Rewinding a run');
  await rewind(context.db, run.id, input.metricValue, { resumed: true, ...context.request });
  const row = await runByName(context.db, run.project_id, run.name);
  return { rewoundRun: row && { ...row, scope: run.scope } };
}

export const runSubject = (run: RunParent): string => `run/${run.entity_name}/${run.project_name}/${run.name}`;
