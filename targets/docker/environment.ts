import { LaunchError } from '../../domain/errors.js';
import type { JobPlan } from '../../domain/job-plan.js';
import {
  decisiveLine,
  indexWasUnreachable,
  normaliseRequirements,
  pointsIntoCode,
} from '../../domain/python-requirements.js';
import type { DockerTargetConfig } from './config.js';
import type { Disk } from './disk.js';
import { isComplete, ownEnvironment, removeVolume, setComplete, sharedEnvironment } from './environment-volume.js';
import type { Image } from './images.js';
import { install, removeContainer } from './install.js';
import type { LogReader } from './logs.js';
import type { JobFolders } from './prepared.js';

export interface EnvironmentParts {
  reader: LogReader;
  disk: Disk;
  folders: JobFolders;
  config: DockerTargetConfig;
}

export interface EnvironmentRequest {
  plan: JobPlan;
  image: Image;
  signal: AbortSignal;
  onLog(text: string): void;
}

/** Engines that restart, machines that do: how often an installation begins anew. */
const maxBroken = 3;

/**
 * The packages of a job that runs as plain code on a base image: a volume of the Engine, one for each image and set of requirements, filled
 * once by a container of its own and mounted into every job that needs it. Undefined: the job names no requirements.
 *
 * The container's name is the lock: who creates it fills the volume, others follow it. It outlives whoever began it, and its exit code says
 * how it went to whoever looks next.
 */
export async function ensureEnvironment(
  { reader, disk, folders, config }: EnvironmentParts,
  request: EnvironmentRequest,
): Promise<string | undefined> {
  const { plan, image, signal, onLog } = request;
  const lines = normaliseRequirements(plan.requirements ?? '');
  if (lines.length === 0) {
    onLog('The job names no requirements: it runs with the packages of the image as they are.\n');
    return undefined;
  }
  // What points into the code belongs to this job alone, and goes with it.
  const isOwn = pointsIntoCode(lines);
  const volume = isOwn ? ownEnvironment(plan.name) : sharedEnvironment(image.id, lines);
  const { engine } = reader;
  const code = isOwn ? folders.code(plan.name) : undefined;
  const begunAtMs = Date.now();
  for (let broken = 0; ;) {
    signal.throwIfAborted();
    if (await isComplete(engine, volume)) {
      onLog('The packages are there already.\n');
      if (!isOwn) await disk.used(volume);
      return volume;
    }
    await disk.makeRoom({ signal, onLog });
    const installed = await install(reader, config, { ...request, volume, lines, code, begunAtMs });
    if (!installed) continue;
    if (installed.code === 0) {
      await setComplete(engine, volume, installed.word);
      await removeContainer(engine, installed.id);
      if (!isOwn) await disk.used(volume);
      return volume;
    }
    await removeContainer(engine, installed.id);
    // An installer that gives up has a smaller one.
    if (installed.code > 128) {
      broken += 1;
      if (broken === maxBroken) throw brokenOff(installed.code);
      onLog(`The installation was broken off from outside (exit code ${installed.code}): it begins anew.\n`);
      continue;
    }
    await removeVolume(engine, volume);
    throw failureOf(installed.output);
  }
}

const brokenOff = (code: number): LaunchError =>
  new LaunchError(
    'prepare-failed',
    'prepare',
    `The installation of the requirements was broken off from outside ${maxBroken} times (exit code ${code}): the Engine restarts, or its machine lacks memory.`,
  );

function failureOf(output: string): LaunchError {
  if (/ERROR: the image has no Python/.test(output))
    return new LaunchError(
      'python-missing',
      'prepare',
      'The base image has no Python to install the requirements with.',
    );
  const line = decisiveLine(output);
  if (/No space left on device/i.test(output))
    return new LaunchError(
      'disk-full',
      'prepare',
      `There was no room on the Engine's disk for the requirements: ${line}.`,
    );
  if (indexWasUnreachable(output))
    return new LaunchError(
      'package-index-unreachable',
      'prepare',
      `The container could not reach the package index: ${line}.`,
    );
  return new LaunchError('requirements-failed', 'prepare', `The requirements could not be installed: ${line}.`);
}
