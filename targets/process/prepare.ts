import { join } from 'node:path';
import { LaunchError } from '../../domain/errors.js';
import type { JobPlan } from '../../domain/job-plan.js';
import { fetchCode } from '../fetch-code.js';
import type { PrepareContext } from '../target.js';
import { requirementsOf } from '../../builders/code/own-requirements.js';
import { ensureCode } from '../../builders/code/unpack.js';
import type { ProcessTargetConfig } from './config.js';
import { pythonCommand, resolveCommand } from './entry-point.js';
import { ensureEnvironment } from './environment.js';
import { installerEnvironment, jobEnvironment } from './job-environment.js';
import { type JobFolder, type Layout, makeFolder } from './layout.js';
import { specOf } from './plan.js';
import { type Prepared, writePrepared } from './prepared.js';
import type { Python, Pythons } from './python.js';
import { normaliseRequirements, pointsIntoCode } from '../../domain/python-requirements.js';
import { hasTombstone } from './state.js';

/** Fetches the code, builds or finds the environment, and makes sure that there is something to start, before anything is started. */
export async function prepareJob(
  config: ProcessTargetConfig,
  layout: Layout,
  pythons: Pythons,
  plan: JobPlan,
  context: PrepareContext,
): Promise<void> {
  const folder = layout.job(plan.name);
  context.signal.throwIfAborted();
  await refuseKilled(folder);
  await layout.ensure();
  await makeFolder(folder.root);
  await ensureCode(
    folder,
    plan.codeDigest,
    config,
    (toFile) => fetchCode(context, toFile),
    (text) => context.onLog(text),
  );
  context.signal.throwIfAborted();

  const requirements = await requirementsOf(plan, folder.code);
  const prepared = await preparePython(config, pythons, folder, { ...plan, requirements }, context);
  const environment = jobEnvironment(config, specOf(plan).environment, {}, prepared.environmentFolder);
  await resolveCommand(plan, {
    stage: 'prepare',
    codeFolder: folder.code,
    python: prepared.python,
    path: environment['PATH'] ?? '',
  });
  await writePrepared(folder, prepared);
  await refuseKilled(folder);
}

async function refuseKilled(folder: JobFolder): Promise<void> {
  if (await hasTombstone(folder)) throw new LaunchError('submit-after-kill', 'prepare');
}

async function preparePython(
  config: ProcessTargetConfig,
  pythons: Pythons,
  folder: JobFolder,
  plan: JobPlan,
  context: PrepareContext,
): Promise<Prepared> {
  const lines = normaliseRequirements(plan.requirements ?? '');
  const command = pythonCommand(plan.command);
  if (lines.length === 0 && !command) return {};

  const wished = plan.pythonVersion ?? command?.version;
  const python = await pythons.find(wished);
  if (!python) {
    throw new LaunchError(
      'python-missing',
      'prepare',
      `No Python 3 was found on this machine (looked for ${pythons.tried(wished)}).`,
    );
  }
  sayWhichPython(python, wished, context);
  if (lines.length === 0) {
    context.onLog(`The job names no requirements: it runs with the packages of ${python.executable} as they are.\n`);
    return { python: python.executable };
  }
  const environmentFolder = await ensureEnvironment({
    // What points into the code dies with it, so it cannot be shared.
    cacheFolder: pointsIntoCode(lines) ? join(folder.root, 'environments') : config.environmentCacheFolder,
    lines,
    python,
    codeFolder: folder.code,
    environment: installerEnvironment(config),
    signal: context.signal,
    onLog: (text) => context.onLog(text),
  });
  return { python: join(environmentFolder, 'bin', 'python'), environmentFolder };
}

function sayWhichPython(python: Python, wished: string | undefined, context: PrepareContext): void {
  const fits = wished === undefined || python.version.startsWith(`${wished}.`);
  const remark = fits ? '' : ` The job wishes Python ${wished}, which is not on this machine.`;
  context.onLog(`Python ${python.version}: ${python.executable}.${remark}\n`);
}
