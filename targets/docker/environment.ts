import { createHash } from 'node:crypto';
import { LaunchError } from '../../domain/errors.js';
import type { JobPlan } from '../../domain/job-plan.js';
import {
  decisiveLine,
  indexWasUnreachable,
  normaliseRequirements,
  pointsIntoCode,
  withoutCredentials,
} from '../../domain/python-requirements.js';
import { archiveOfCode } from './code.js';
import type { DockerTargetConfig } from './config.js';
import { type Engine, isConflict, isMissing, orMissing } from './engine.js';
import type { Image } from './images.js';
import { type LogReader, readLog } from './logs.js';
import { label } from './names.js';
import { codeFolder, environmentFolder, specOf } from './plan.js';
import type { JobFolders } from './prepared.js';
import { discard, hasEnded, inspect, isAbandoned, wasStarted } from './status.js';
import { beginSubmission } from './submitter.js';

/**
 * The packages of a job that runs as plain code on a base image: a volume of the Engine, one for each image and set of requirements, filled
 * once by a container of its own and mounted into every job that needs it.
 *
 * The container's name is the lock: who creates it fills the volume, others follow it. It outlives whoever began it, and its exit code says
 * how it went to whoever looks next.
 */
export interface EnvironmentRequest {
  plan: JobPlan;
  image: Image;
  signal: AbortSignal;
  onLog(text: string): void;
}

/** Undefined: the job names no requirements. */
export async function ensureEnvironment(
  reader: LogReader,
  folders: JobFolders,
  config: DockerTargetConfig,
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
  for (;;) {
    signal.throwIfAborted();
    if (await isComplete(engine, volume)) {
      onLog('The packages are there already.\n');
      return volume;
    }
    const code = isOwn ? folders.code(plan.name) : undefined;
    const exitCode = await install(reader, config, volume, { ...request, lines, code });
    if (exitCode === undefined) continue;
    if (exitCode.code === 0) {
      await engine.call((docker) =>
        docker.createVolume({ Name: completeMark(volume), Labels: environmentLabels(volume) }),
      );
      await removeContainer(engine, volume);
      return volume;
    }
    await removeContainer(engine, volume);
    await removeVolume(engine, volume);
    throw failureOf(exitCode.output);
  }
}

export const ownEnvironment = (name: string): string => `${name}.environment`;
const sharedEnvironment = (imageId: string, lines: readonly string[]): string =>
  `davit-environment-${createHash('sha256')
    .update(JSON.stringify([imageId, lines]))
    .digest('hex')
    .slice(0, 24)}`;
const completeMark = (volume: string): string => `${volume}.complete`;
const environmentLabels = (volume: string): Record<string, string> => ({ 'davit.environment': volume });

const isComplete = async (engine: Engine, volume: string): Promise<boolean> =>
  (await orMissing(engine.call((docker) => docker.getVolume(completeMark(volume)).inspect()))) !== undefined;

export async function removeEnvironment(engine: Engine, volume: string): Promise<void> {
  await removeVolume(engine, completeMark(volume));
  await removeVolume(engine, volume);
}

async function removeVolume(engine: Engine, volume: string): Promise<void> {
  try {
    await engine.call((docker) => docker.getVolume(volume).remove({}));
  } catch (error) {
    if (!isMissing(error) && !isConflict(error)) throw error;
  }
}

async function removeContainer(engine: Engine, name: string): Promise<void> {
  try {
    await engine.call((docker) => docker.getContainer(name).remove({ force: true, v: true }));
  } catch (error) {
    if (!isMissing(error) && !isConflict(error)) throw error;
  }
}

/** `sh -c` with the requirements in a variable: nothing of them is read by a shell. */
const script = `
python=$(command -v python3 || command -v python) || { echo 'ERROR: the image has no Python' >&2; exit 90; }
"$python" -m venv --clear --system-site-packages ${environmentFolder} || exit 91
printf '%s\\n' "$DAVIT_REQUIREMENTS" > ${environmentFolder}/requirements.txt
[ ! -d ${codeFolder} ] || cd ${codeFolder}
exec ${environmentFolder}/bin/python -m pip install --no-input --disable-pip-version-check --no-cache-dir --progress-bar off -r ${environmentFolder}/requirements.txt
`;

/** What an installer needs of the agent's settings. Addresses may hold credentials: the container that has them is removed at once. */
const installerVariables = [
  'PIP_INDEX_URL',
  'PIP_EXTRA_INDEX_URL',
  'PIP_TRUSTED_HOST',
  'PIP_NO_INDEX',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
];

/** Undefined: the container vanished; look again. */
async function install(
  reader: LogReader,
  config: DockerTargetConfig,
  volume: string,
  request: EnvironmentRequest & { lines: readonly string[]; code: string | undefined },
): Promise<{ code: number; output: string } | undefined> {
  const { engine } = reader;
  const { signal, onLog } = request;
  const isOurs = await begin(engine, config, volume, request);
  if (isOurs === undefined) return undefined;
  onLog(
    isOurs
      ? `Installing ${request.lines.length} requirements …\n`
      : 'Somebody installs the same packages now: waiting for it.\n',
  );
  let output = '';
  const tell = async (stream: 'stdout' | 'stderr'): Promise<void> => {
    for await (const { data } of readLog(reader, volume, stream, 0, signal)) {
      const text = withoutCredentials(Buffer.from(data).toString());
      output = (output + text).slice(-100_000);
      onLog(text);
    }
  };
  await Promise.all([tell('stdout'), tell('stderr')]);
  if (signal.aborted) {
    // Others who wait for it find it gone and begin anew.
    if (isOurs) await removeContainer(engine, volume);
    throw signal.reason;
  }
  const container = await inspect(engine, volume);
  if (!container || !hasEnded(container)) return undefined;
  return { code: container.State.ExitCode, output };
}

/** True: begun by us. False: somebody else's, to be followed. Undefined: look again. */
async function begin(
  engine: Engine,
  config: DockerTargetConfig,
  volume: string,
  request: EnvironmentRequest & { lines: readonly string[]; code: string | undefined },
): Promise<boolean | undefined> {
  const existing = await inspect(engine, volume);
  if (existing) {
    if (wasStarted(existing)) return false;
    if (await isAbandoned(existing)) await discard(engine, existing.Id, volume);
    else await new Promise((resolve) => setTimeout(resolve, 200));
    return undefined;
  }
  const submission = await beginSubmission();
  try {
    const { HostConfig } = specOf(request.plan).container;
    const variables = installerVariables.flatMap((name) => {
      const value = config.hostEnvironment[name];
      return value === undefined ? [] : [`${name}=${value}`];
    });
    const body = {
      Image: request.image.id,
      Entrypoint: ['/bin/sh', '-c', script],
      Cmd: [],
      User: '0',
      Env: [...variables, `DAVIT_REQUIREMENTS=${request.lines.join('\n')}`],
      Labels: { [label.job]: volume, [label.submitter]: submission.label, ...environmentLabels(volume) },
      HostConfig: {
        Init: true,
        NetworkMode: HostConfig['NetworkMode'],
        LogConfig: HostConfig['LogConfig'],
        Binds: [`${volume}:${environmentFolder}`],
      },
    };
    await engine.call((docker) => docker.createVolume({ Name: volume, Labels: environmentLabels(volume) }));
    const created = await engine.call((docker) =>
      docker.createContainer({ _query: { name: volume }, _body: body } as never),
    );
    const { code } = request;
    if (code !== undefined)
      await engine.call(() => created.putArchive(archiveOfCode(code), { path: '/' }), { ms: 30 * 60_000 });
    await engine.call(() => created.start({}), { ms: 120_000 });
    return true;
  } catch (error) {
    if (isConflict(error) || isMissing(error)) return undefined;
    throw error;
  } finally {
    submission.over();
  }
}

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
