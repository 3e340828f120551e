import { readFile, rm } from 'node:fs/promises';
import { LaunchError } from '../../domain/errors.js';
import type { JobPlan } from '../../domain/job-plan.js';
import type { SubmitContext } from '../target.js';
import type { ProcessTargetConfig } from './config.js';
import { resolveCommand } from './entry-point.js';
import { isAlive } from './identity.js';
import { jobEnvironment } from './job-environment.js';
import { startKeeper, type KeeperStart } from './keeper.js';
import { createOnce, type Layout, makeFolder, orUndefined, touch } from './layout.js';
import { specOf } from './plan.js';
import { readPrepared } from './prepared.js';
import { claimFile, hasTombstone, newClaim, readJob, voidGeneration } from './state.js';

/** Keepers that ended without a word before the submit gives up (no memory for a shell, a full disk). */
const maxSilentKeepers = 3;

/**
 * Create-or-adopt. Nothing here needs a lock: whoever submits starts a keeper for the open generation, and the marker lets one of them
 * through. Killed at any line, the next call finds either a marker (adopts), or an open claim of a dead process (voids it, claims anew).
 */
export async function submitJob(
  config: ProcessTargetConfig,
  layout: Layout,
  plan: JobPlan,
  context: SubmitContext,
): Promise<{ adopted: boolean }> {
  const folder = layout.job(plan.name);
  let start: Omit<KeeperStart, 'generation'> | undefined;
  let ownKeeper = 0;
  let silentKeepers = 0;
  for (;;) {
    if (await hasTombstone(folder)) throw new LaunchError('submit-after-kill', 'submit');
    const files = await readJob(folder);
    if (typeof files?.started === 'object') {
      await restoreIndex(layout, plan.name);
      return { adopted: files.started.keeper.pid !== ownKeeper };
    }
    context.signal.throwIfAborted();
    start ??= await keeperStart(config, layout, plan, context);

    const open = files?.started === 'no' ? files : undefined;
    if (open && silentKeepers >= maxSilentKeepers) {
      if (!(await voidGeneration(folder, open.generation))) continue;
      throw new LaunchError(
        'submit-failed',
        'submit',
        `The keeper of the job could not start it: ${await tail(folder.keeperLog)}`,
      );
    }
    if (open && !(await isAlive(open.claim.submitter))) {
      // A keeper of the dead one may be on its way; after this it comes too late, or it was first and we adopt.
      await voidGeneration(folder, open.generation);
      continue;
    }
    let generation = open?.generation;
    if (generation === undefined) {
      generation = (files?.generation ?? 0) + 1;
      const { graceSeconds } = specOf(plan);
      await layout.ensure();
      await makeFolder(folder.state);
      await touch(folder.live);
      const claim = await newClaim({
        name: plan.name,
        launchId: plan.launchId,
        attempt: plan.attempt,
        agentId: context.agentId,
        ...(graceSeconds === undefined ? {} : { graceSeconds }),
      });
      if (!(await createOnce(claimFile(folder, generation), claim))) continue;
    }
    try {
      ownKeeper = await startKeeper(layout.workFolder, { ...start, generation });
    } catch (error) {
      await voidGeneration(folder, generation);
      throw new LaunchError('submit-failed', 'submit', `The job could not be started: ${sentence(error)}`, error);
    }
    silentKeepers += 1;
  }
}

async function keeperStart(
  config: ProcessTargetConfig,
  layout: Layout,
  plan: JobPlan,
  context: SubmitContext,
): Promise<Omit<KeeperStart, 'generation'>> {
  const folder = layout.job(plan.name);
  const prepared = await readPrepared(folder);
  if (!prepared)
    throw new LaunchError(
      'submit-failed',
      'submit',
      'The job was not prepared on this machine, or its folder was cleaned up.',
    );
  const spec = specOf(plan);
  const environment = jobEnvironment(config, spec.environment, context.secrets, prepared.environmentFolder);
  const { command, workingFolder } = await resolveCommand(plan, {
    stage: 'submit',
    codeFolder: folder.code,
    python: prepared.python,
    path: environment['PATH'] ?? '',
  });
  return {
    folder,
    name: plan.name,
    workingFolder,
    nice: spec.nice,
    command,
    environment,
    hostPath: config.hostEnvironment['PATH'] ?? '',
  };
}

/** `list` may have dropped the entry between claim and start of another submit, never of a job that runs from here on. */
async function restoreIndex(layout: Layout, name: string): Promise<void> {
  const folder = layout.job(name);
  if ((await readJob(folder))?.exit) return;
  await touch(folder.live);
  // It may have ended in between, and its keeper removed the entry before it was made again.
  if ((await readJob(folder))?.exit) await rm(folder.live, { force: true });
}

async function tail(file: string): Promise<string> {
  const text = (await orUndefined(readFile(file, 'utf8')))?.trim() ?? '';
  return text === '' ? 'it ended without a word.' : text.slice(-300);
}

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
