import type { ContainerInspectInfo } from 'dockerode';
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { fileBlocks } from '../../builders/build-context.js';
import { LaunchError } from '../../domain/errors.js';
import type { JobPlan } from '../../domain/job-plan.js';
import { withoutCredentials } from '../../domain/python-requirements.js';
import { archiveOfCode } from './code.js';
import type { DockerTargetConfig } from './config.js';
import { type Engine, isConflict, isMissing } from './engine.js';
import { currentWord, isComplete, makeVolume, removeVolume } from './environment-volume.js';
import type { Image } from './images.js';
import { type LogReader, readLog } from './logs.js';
import { label } from './names.js';
import { codeFolder, environmentFolder, specOf } from './plan.js';
import { discard, hasEnded, inspect, isAbandoned, wasStarted } from './status.js';
import { beginSubmission } from './submitter.js';

export interface Installation {
  plan: JobPlan;
  image: Image;
  volume: string;
  lines: readonly string[];
  /** Folder of the code, where the requirements point into it. */
  code: string | undefined;
  /** When packages were first asked for; what stands in the way is waited for from then on. */
  begunAtMs: number;
  signal: AbortSignal;
  onLog(text: string): void;
}

export interface Installed {
  /** Of the container. */
  id: string;
  code: number;
  output: string;
  /** Of the volume that it filled. */
  word: string;
}

const lookAgainMs = 200;

/** The requirements lie in the file that is the first argument: nothing of them is read by a shell. */
const script = `
python=$(command -v python3 || command -v python) || { echo 'ERROR: the image has no Python' >&2; exit 90; }
"$python" -m venv --clear --system-site-packages ${environmentFolder} || exit 91
[ ! -d ${codeFolder} ] || cd ${codeFolder}
exec ${environmentFolder}/bin/python -m pip install --no-input --disable-pip-version-check --no-cache-dir --progress-bar off -r "$1"
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

/** By a container of the volume's name, whoever begins it. Undefined: it vanished; look again. */
export async function install(
  reader: LogReader,
  config: DockerTargetConfig,
  installation: Installation,
): Promise<Installed | undefined> {
  const { engine } = reader;
  const { volume, lines, signal, onLog } = installation;
  const begun = await begin(engine, config, installation);
  if (!begun) return undefined;
  onLog(
    begun === 'theirs'
      ? 'Somebody installs the same packages now: waiting for it.\n'
      : `Installing ${lines.length} requirements …\n`,
  );
  let output = '';
  const tell = async (stream: 'stdout' | 'stderr'): Promise<void> => {
    for await (const { data } of readLog(reader, volume, stream, 0, signal, true)) {
      const text = withoutCredentials(Buffer.from(data).toString());
      output = (output + text).slice(-100_000);
      onLog(text);
    }
  };
  await Promise.all([tell('stdout'), tell('stderr')]);
  if (signal.aborted) {
    // Others who wait for it find it gone and begin anew.
    if (begun !== 'theirs') await removeContainer(engine, begun.id);
    throw signal.reason;
  }
  const container = await inspect(engine, volume);
  if (!container || !hasEnded(container)) return undefined;
  const { Id: id, State, Config } = container;
  return { id, code: State.ExitCode, output, word: Config.Labels[label.word] ?? '' };
}

/** A container may name a volume that has just made way, and is removed again; one that stays would be waited for without an end. */
async function refuseStranger(engine: Engine, volume: string, untilMs: number): Promise<void> {
  if (Date.now() < untilMs || (await currentWord(engine, volume)) !== undefined) return;
  throw new LaunchError(
    'prepare-failed',
    'prepare',
    `The Engine's volume ${volume} was not filled by this version of Davit, and containers use it; remove those that "docker ps --all --filter volume=${volume}" shows.`,
  );
}

/** By its id: another may have its name by now. */
export async function removeContainer(engine: Engine, id: string): Promise<void> {
  try {
    await engine.call((docker) => docker.getContainer(id).remove({ force: true, v: true }));
  } catch (error) {
    if (!isMissing(error) && !isConflict(error)) throw error;
  }
}

/** Undefined: look again. */
async function begin(
  engine: Engine,
  config: DockerTargetConfig,
  installation: Installation,
): Promise<{ id: string } | 'theirs' | undefined> {
  const { volume, signal } = installation;
  const existing = await inspect(engine, volume);
  if (existing) return (await isUnderWay(engine, volume, existing)) ? 'theirs' : lookAgain(signal);
  const word = await makeVolume(engine, volume);
  if (word === undefined) {
    if (!(await removeVolume(engine, volume)))
      await refuseStranger(engine, volume, installation.begunAtMs + config.patienceMs);
    return lookAgain(signal);
  }
  const submission = await beginSubmission();
  let id: string | undefined;
  try {
    const labels = { [label.job]: volume, [label.environment]: volume, [label.word]: word };
    const file = requirementsFile(installation);
    const body = {
      Image: installation.image.id,
      Entrypoint: ['/bin/sh', '-c', script, 'sh', file],
      Cmd: [],
      User: '0',
      Env: installerVariables.flatMap((name) => {
        const value = config.hostEnvironment[name];
        return value === undefined ? [] : [`${name}=${value}`];
      }),
      Labels: { ...labels, [label.submitter]: submission.label },
      HostConfig: hostConfig(installation),
    };
    const created = await engine.call((docker) =>
      docker.createContainer({ _query: { name: volume }, _body: body } as never),
    );
    ({ id } = created);
    // From here on nobody else fills the volume or removes it. Another may have done so since it was looked at, and jobs may use what he filled.
    if ((await currentWord(engine, volume)) !== word || (await isComplete(engine, volume))) {
      await removeContainer(engine, id);
      return undefined;
    }
    const bring = (archive: NodeJS.ReadableStream | Buffer): Promise<unknown> =>
      engine.call(() => created.putArchive(archive, { path: '/' }), { ms: 30 * 60_000 });
    if (installation.code !== undefined) await bring(archiveOfCode(installation.code));
    // A file and no variable: Linux takes 128 KiB for one, and a list with hashes is longer.
    await bring(archiveOfText(file, `${installation.lines.join('\n')}\n`));
    await engine.call(() => created.start({}), { ms: 120_000 });
    return { id };
  } catch (error) {
    // It has credentials.
    if (id !== undefined) await removeContainer(engine, id).catch(() => undefined);
    if (isConflict(error) || isMissing(error)) return lookAgain(signal);
    throw error;
  } finally {
    submission.over();
  }
}

async function isUnderWay(engine: Engine, volume: string, container: ContainerInspectInfo): Promise<boolean> {
  if (wasStarted(container)) return true;
  if (await isAbandoned(container)) await discard(engine, container.Id, volume);
  return false;
}

const lookAgain = (signal: AbortSignal): Promise<undefined> => wait(lookAgainMs, undefined, { signal });

/** Beside the code where lines of it point into the code: they mean paths from where the file lies. */
const requirementsFile = ({ code }: Installation): string =>
  `${code === undefined ? '/davit' : codeFolder}/davit-requirements-${randomBytes(4).toString('hex')}.txt`;

const archiveOfText = (path: string, text: string): Buffer =>
  Buffer.concat([fileBlocks(path.slice(1), text), Buffer.alloc(1024)]);

function hostConfig({ plan, volume }: Installation): Record<string, unknown> {
  const { HostConfig } = specOf(plan).container;
  return {
    Init: true,
    NetworkMode: HostConfig['NetworkMode'],
    LogConfig: HostConfig['LogConfig'],
    Binds: [`${volume}:${environmentFolder}`],
  };
}
